//! SQL, from `slt/*.slt`: each file is asked over the log of the same name in `data/slt/`, if there
//! is one.

use std::{fs, path::PathBuf};

use auditql_engine::{Engine, Error, Options, arrow};
use sqllogictest::{DBOutput, DefaultColumnType, Runner};

struct Database(Engine);

#[derive(Debug)]
struct Failed(Error);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Failed {}

#[async_trait::async_trait]
impl sqllogictest::AsyncDB for Database {
    type Error = Failed;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failed> {
        let answer = self.0.sql(sql).await.map_err(Failed)?;
        let columns = answer.schema().fields().len();
        let mut rows = Vec::new();
        for batch in answer.collect().await.map_err(Failed)? {
            let options = arrow::util::display::FormatOptions::new().with_null("NULL");
            let formatters: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| {
                    arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap()
                })
                .collect();
            for row in 0..batch.num_rows() {
                rows.push(
                    formatters
                        .iter()
                        .map(|formatter| {
                            let text = formatter.value(row).to_string();
                            if text.is_empty() {
                                "(empty)".to_owned()
                            } else {
                                text
                            }
                        })
                        .collect(),
                );
            }
        }
        Ok(DBOutput::Rows {
            types: vec![DefaultColumnType::Text; columns],
            rows,
        })
    }

    async fn shutdown(&mut self) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn every_file() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(root.join("slt"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let log = root
            .join("data/slt")
            .join(file.file_stem().unwrap())
            .with_extension("jsonl");
        let inputs = if log.exists() {
            vec![log.display().to_string()]
        } else {
            Vec::new()
        };
        let mut runner = Runner::new(|| async {
            let options = Options {
                inputs: inputs.clone(),
                threads: 2,
                ..Options::default()
            };
            Engine::open(options).await.map(Database).map_err(Failed)
        });
        if let Err(error) = runner.run_file_async(&file).await {
            panic!("{}", error.display(false));
        }
    }
}
