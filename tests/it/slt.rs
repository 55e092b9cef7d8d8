//! SQL, from `slt/*.slt`: each file is asked over the log of the same name in `data/slt/`, if there
//! is one. Every view has such a file, with a log. With `AUDITQL_SLT_UPDATE=1` the files are
//! given the answers that differ, to be read before they are committed.
//!
//! The logs of the views are made by hand in the shape of real events; the ids of their events say
//! what each request is.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

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
        if std::env::var_os("AUDITQL_SLT_UPDATE").is_some() {
            runner
                .update_test_file(
                    &file,
                    " ",
                    sqllogictest::default_validator,
                    sqllogictest::default_normalizer,
                    sqllogictest::default_column_validator,
                )
                .await
                .unwrap();
        } else if let Err(error) = runner.run_file_async(&file).await {
            panic!("{}", error.display(false));
        }
    }
}

/// The names of the files of a folder, without their extension.
fn names(folder: &Path) -> BTreeSet<String> {
    let name = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| name(entry.unwrap().path()))
        .collect()
}

#[test]
fn every_view_has_a_file_with_a_log() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let views = names(&root.join("../schemas/views"));
    let (files, logs) = (names(&root.join("slt")), names(&root.join("data/slt")));
    assert!(!views.is_empty());
    let missing = |from: &BTreeSet<String>| views.difference(from).cloned().collect::<Vec<_>>();
    assert_eq!(
        missing(&files),
        [] as [&str; 0],
        "views without tests/slt/NAME.slt"
    );
    assert_eq!(
        missing(&logs),
        [] as [&str; 0],
        "views without tests/data/slt/NAME.jsonl"
    );
    let unused: Vec<_> = logs.difference(&files).collect();
    assert_eq!(unused, [] as [&str; 0], "logs without tests/slt/NAME.slt");
    for view in views {
        let text = fs::read_to_string(root.join("slt").join(&view).with_extension("slt")).unwrap();
        assert!(
            text.contains(&format!("FROM {view}")),
            "{view}.slt does not ask its view"
        );
    }
}
