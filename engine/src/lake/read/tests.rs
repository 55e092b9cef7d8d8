//! A lake of three files: two days and the rows without a time. Types and columns differ from file
//! to file.

use std::fs::File;

use datafusion::{
    arrow::{
        array::{
            Array, ArrayRef, Int64Array, LargeStringArray, ListBuilder, MapBuilder, MapFieldNames,
            RecordBatch, StringArray, StringBuilder, StringViewArray, TimestampMicrosecondArray,
        },
        datatypes::Field,
        util::display::array_value_to_string,
    },
    common::stats::Precision,
    object_store::local::LocalFileSystem,
    parquet::arrow::ArrowWriter,
    prelude::{SessionConfig, SessionContext},
};
use tempfile::TempDir;

use super::*;
use crate::schema::data_type;

/// 2024-10-04.
const FIRST: i32 = 20_000;

fn events() -> SchemaRef {
    let field = |name: &str, type_name: &str| Field::new(name, data_type(type_name).unwrap(), true);
    Arc::new(Schema::new(vec![
        field("audit_id", "string"),
        field("stage_timestamp", "timestamp"),
        field("date", "date"),
        field("verb", "string"),
        field("source_ips", "list<string>"),
        field("annotations", "map<string,string>"),
    ]))
}

/// So many hours into a day, and a microsecond.
fn at(date: i32, hours: i64) -> i64 {
    i64::from(date) * MICROS_A_DAY + hours * 3_600_000_000 + 1
}

fn times(micros: Vec<Option<i64>>) -> ArrayRef {
    column(TimestampMicrosecondArray::from(micros).with_timezone("UTC"))
}

fn column(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn write(
    folder: &TempDir,
    path: &str,
    date: Option<i32>,
    columns: Vec<(&str, ArrayRef)>,
    times: Option<(i64, i64)>,
) -> DataFile {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = folder.path().join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(&file).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let size = std::fs::metadata(&file).unwrap().len();
    DataFile {
        path: path.to_owned(),
        size,
        rows: Some(batch.num_rows() as u64),
        date,
        times,
        checksums: None,
        is_earlier: false,
    }
}

fn files(folder: &TempDir) -> Vec<DataFile> {
    let mut ips = ListBuilder::new(StringBuilder::new());
    ips.values().append_value("10.0.0.1");
    ips.append(true);
    ips.append(false);
    let names = MapFieldNames {
        entry: "key_value".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let mut annotations = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    annotations.keys().append_value("k");
    annotations.values().append_value("v");
    annotations.append(true).unwrap();
    annotations.append(false).unwrap();
    let first = vec![
        ("more", column(Int64Array::from(vec![7, 8]))),
        ("verb", column(StringArray::from(vec!["get", "list"]))),
        (
            "stage_timestamp",
            times(vec![Some(at(FIRST, 1)), Some(at(FIRST, 2))]),
        ),
        ("audit_id", column(StringArray::from(vec!["a1", "a2"]))),
        ("source_ips", column(ips.finish())),
        ("annotations", column(annotations.finish())),
    ];
    let second = vec![
        (
            "audit_id",
            column(StringViewArray::from(vec!["b1", "b2", "b3"])),
        ),
        (
            "stage_timestamp",
            times(vec![
                Some(at(FIRST + 1, 3)),
                Some(at(FIRST + 1, 4)),
                Some(at(FIRST + 1, 5)),
            ]),
        ),
    ];
    let third = vec![
        ("audit_id", column(LargeStringArray::from(vec!["c1"]))),
        ("stage_timestamp", times(vec![None])),
        ("verb", column(StringArray::from(vec!["get"]))),
    ];
    vec![
        write(
            folder,
            "date=__HIVE_DEFAULT_PARTITION__/c.parquet",
            None,
            third,
            None,
        ),
        write(
            folder,
            "date=2024-10-05/b.parquet",
            Some(FIRST + 1),
            second,
            Some((at(FIRST + 1, 3), at(FIRST + 1, 5))),
        ),
        write(
            folder,
            "date=2024-10-04/a.parquet",
            Some(FIRST),
            first,
            Some((at(FIRST, 1), at(FIRST, 2))),
        ),
    ]
}

fn table(files: Vec<DataFile>) -> LakeTable {
    let store = ObjectStoreUrl::parse("lake://test").unwrap();
    LakeTable::new(
        events(),
        Some("date"),
        Some("stage_timestamp"),
        store,
        files.into(),
    )
}

struct ReadLake {
    context: SessionContext,
    ledger: Arc<Ledger>,
    _folder: TempDir,
}

impl ReadLake {
    fn new(config: SessionConfig) -> Self {
        let folder = TempDir::new().unwrap();
        let ledger = Arc::<Ledger>::default();
        let config = config.with_extension(Arc::clone(&ledger));
        let context = SessionContext::new_with_config(config);
        let store = LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        context.register_object_store(
            ObjectStoreUrl::parse("lake://test").unwrap().as_ref(),
            Arc::new(store),
        );
        context
            .register_table("events", Arc::new(table(files(&folder))))
            .unwrap();
        Self {
            context,
            ledger,
            _folder: folder,
        }
    }

    /// The same lake with and without filters inside the Parquet reader.
    fn both() -> [Self; 2] {
        let config = SessionConfig::new().with_target_partitions(2);
        let inside = config
            .clone()
            .set_bool("datafusion.execution.parquet.pushdown_filters", true);
        [Self::new(config), Self::new(inside)]
    }

    /// The rows, cells joined by `|`.
    async fn rows(&self, sql: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for batch in self
            .context
            .sql(sql)
            .await
            .unwrap()
            .collect()
            .await
            .unwrap()
        {
            for row in 0..batch.num_rows() {
                let cells: Vec<String> = batch
                    .columns()
                    .iter()
                    .map(|column| array_value_to_string(column, row).unwrap())
                    .collect();
                rows.push(cells.join("|"));
            }
        }
        rows
    }

    /// Rows, and how many files were left out to get them.
    async fn rows_skipping(&self, sql: &str) -> (Vec<String>, u64) {
        let before = self.ledger.files();
        let rows = self.rows(sql).await;
        let after = self.ledger.files();
        assert_eq!(after.files - before.files, 3, "{sql}");
        (rows, after.skipped_files - before.skipped_files)
    }
}

#[tokio::test]
async fn columns_stand_where_the_schema_has_them() {
    for lake in ReadLake::both() {
        let all = lake
            .context
            .sql("SELECT * FROM events ORDER BY audit_id")
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        assert_eq!(all[0].schema().fields(), events().fields());
        let rows = lake.rows("SELECT * FROM events ORDER BY audit_id").await;
        assert_eq!(rows.len(), 6);
        assert_eq!(
            rows[0],
            "a1|2024-10-04T01:00:00.000001Z|2024-10-04|get|[10.0.0.1]|{k: v}"
        );
        assert_eq!(rows[1], "a2|2024-10-04T02:00:00.000001Z|2024-10-04|list||");
        assert_eq!(rows[2], "b1|2024-10-05T03:00:00.000001Z|2024-10-05|||");
        assert_eq!(rows[5], "c1|||get||");
        let sql =
            "SELECT source_ips, date, audit_id FROM events WHERE verb = 'get' ORDER BY audit_id";
        assert_eq!(lake.rows(sql).await, ["[10.0.0.1]|2024-10-04|a1", "||c1"]);
    }
}

#[tokio::test]
async fn files_are_left_out_by_day_and_time() {
    for lake in ReadLake::both() {
        let later = format!(
            "arrow_cast({}, 'Timestamp(Microsecond, Some(\"UTC\"))')",
            at(FIRST + 1, 4)
        );
        for (condition, rows, skipped) in [
            ("date = '2024-10-05'".to_owned(), 3, 2),
            ("date < '2024-10-05'".to_owned(), 2, 2),
            ("date IN ('2024-10-04', '2024-10-06')".to_owned(), 2, 2),
            ("extract(day FROM date) = 5".to_owned(), 3, 2),
            ("date IS NULL".to_owned(), 1, 2),
            ("date IS NOT NULL".to_owned(), 5, 1),
            ("date <> '2024-10-04'".to_owned(), 3, 2),
            ("date = '2024-10-04' OR audit_id = 'c1'".to_owned(), 3, 0),
            ("date = '2024-10-04' AND verb = 'get'".to_owned(), 1, 2),
            (format!("stage_timestamp >= {later}"), 2, 2),
            (format!("stage_timestamp < {later}"), 3, 1),
            (format!("stage_timestamp > {later} OR verb = 'list'"), 2, 0),
            ("stage_timestamp >= '2024-10-05T00:00:00Z'".to_owned(), 3, 2),
            ("stage_timestamp < '2024-10-04T01:00:00Z'".to_owned(), 0, 3),
            ("stage_timestamp IS NULL".to_owned(), 1, 2),
            ("verb = 'get'".to_owned(), 2, 0),
            ("true".to_owned(), 6, 0),
        ] {
            let (ids, left_out) = lake
                .rows_skipping(&format!("SELECT audit_id FROM events WHERE {condition}"))
                .await;
            assert_eq!((ids.len(), left_out), (rows, skipped), "{condition}");
            assert_eq!(
                lake.rows(&format!("SELECT count(*) FROM events WHERE {condition}"))
                    .await,
                [rows.to_string()],
                "{condition}"
            );
        }
        assert_eq!(
            lake.rows("SELECT audit_id FROM events WHERE date IS NULL")
                .await,
            ["c1"]
        );
    }
}

#[tokio::test]
async fn what_the_log_knows_is_not_read() {
    for lake in ReadLake::both() {
        for (sql, row) in [
            ("SELECT count(*) FROM events", "6"),
            ("SELECT count(*) FROM events WHERE date = '2024-10-05'", "3"),
            (
                "SELECT count(date), min(date), max(date) FROM events",
                "5|2024-10-04|2024-10-05",
            ),
            (
                "SELECT min(stage_timestamp), max(stage_timestamp) FROM events",
                "2024-10-04T01:00:00.000001Z|2024-10-05T05:00:00.000001Z",
            ),
        ] {
            assert_eq!(lake.rows(sql).await, [row], "{sql}");
            let plan = lake.rows(&format!("EXPLAIN {sql}")).await.concat();
            assert!(!plan.contains("DataSourceExec"), "{plan}");
        }
        let sql = "SELECT count(*) FROM events WHERE stage_timestamp > '2024-10-04T01:30:00Z'";
        assert_eq!(lake.rows(sql).await, ["4"]);
        assert_eq!(
            lake.rows("SELECT count(*), count(verb) FROM events").await,
            ["6|3"]
        );
    }
}

#[tokio::test]
async fn limits_read_the_first_files() {
    for lake in ReadLake::both() {
        let (rows, skipped) = lake
            .rows_skipping("SELECT audit_id FROM events LIMIT 2")
            .await;
        assert_eq!((rows.len(), skipped), (2, 2));
        let (rows, skipped) = lake
            .rows_skipping("SELECT audit_id FROM events WHERE verb = 'get' LIMIT 2")
            .await;
        assert_eq!((rows.len(), skipped), (2, 0));
        assert_eq!(
            lake.rows("SELECT count(*) FROM (SELECT audit_id FROM events LIMIT 4)")
                .await,
            ["4"]
        );
        let sql = "SELECT audit_id FROM events ORDER BY stage_timestamp DESC NULLS LAST LIMIT 2";
        assert_eq!(lake.rows(sql).await, ["b3", "b2"]);
        assert_eq!(
            lake.rows("SELECT audit_id FROM events ORDER BY stage_timestamp DESC LIMIT 2")
                .await,
            ["c1", "b3"]
        );
        assert_eq!(
            lake.rows("SELECT audit_id FROM events ORDER BY date, audit_id DESC LIMIT 3")
                .await,
            ["a2", "a1", "b3"]
        );
    }
}

#[tokio::test]
async fn explain_says_what_is_left_out_and_rules_reach_the_scan() {
    let config = SessionConfig::new()
        .with_target_partitions(4)
        .with_batch_size(1);
    let lake = ReadLake::new(config.set_usize("datafusion.optimizer.repartition_file_min_size", 1));
    let sql = "SELECT verb, count(*) FROM events WHERE stage_timestamp >= '2024-10-05T00:00:00Z' GROUP BY verb";
    let plan = lake.rows(&format!("EXPLAIN {sql}")).await.concat();
    assert!(plan.contains("lake_files=1 of 3"), "{plan}");
    assert!(plan.contains("file_groups={4 groups"), "{plan}");
    assert!(plan.contains(", predicate="), "{plan}");
    assert!(
        plan.contains("projection=[stage_timestamp, verb]"),
        "{plan}"
    );
    assert_eq!(lake.rows(sql).await, ["|3"]);
}

#[test]
fn times_of_the_log_are_cut() {
    let file = |date, times| DataFile {
        path: "f".to_owned(),
        size: 1,
        rows: Some(1),
        date,
        times,
        checksums: None,
        is_earlier: false,
    };
    assert_eq!(
        file(Some(1), Some((5_000, 7_000))).bounds(),
        Some((5_000, 7_999))
    );
    assert_eq!(
        file(Some(1), Some((5_001, 7_001))).bounds(),
        Some((5_001, 7_001))
    );
    assert_eq!(
        file(Some(1), None).bounds(),
        Some((MICROS_A_DAY, 2 * MICROS_A_DAY - 1))
    );
    assert_eq!(file(None, None).bounds(), None);

    let lake = table(Vec::new());
    let (sharp, cut) = (
        file(Some(0), Some((1_001, 2_001))),
        file(Some(0), Some((3_000, 4_000))),
    );
    let times = lake.of_files(&[&sharp, &cut]).column_statistics[1].clone();
    assert_eq!(times.min_value, Precision::Exact(lake.timestamp(1_001)));
    assert_eq!(times.max_value, Precision::Inexact(lake.timestamp(4_999)));
    let widened = file(Some(0), Some((1_000, 4_999)));
    let times = lake.of_files(&[&sharp, &widened]).column_statistics[1].clone();
    assert_eq!(
        (times.min_value.is_exact(), times.max_value.is_exact()),
        (Some(false), Some(false))
    );
    let unknown = DataFile {
        rows: None,
        ..sharp
    };
    assert_eq!(lake.of_files(&[&unknown, &cut]).num_rows, Precision::Absent);
}

#[test]
fn groups_are_runs_of_about_as_many_bytes() {
    let lake = table(Vec::new());
    let sizes = [10_u64, 10, 10, 30, 5, 5, 50].into_iter().enumerate();
    let file = |(at, size): (usize, u64)| DataFile {
        path: at.to_string(),
        size,
        rows: None,
        date: None,
        times: None,
        checksums: None,
        is_earlier: false,
    };
    let files: Vec<DataFile> = sizes.map(file).collect();
    let files: Vec<&DataFile> = files.iter().collect();
    let paths = |partitions: usize| -> Vec<String> {
        let groups = lake.groups(&files, partitions).unwrap();
        groups
            .iter()
            .map(|group| {
                group
                    .iter()
                    .map(|file| file.path().to_string())
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    };
    assert_eq!(paths(1), ["0 1 2 3 4 5 6"]);
    assert_eq!(paths(2), ["0 1 2 3", "4 5 6"]);
    assert_eq!(paths(100), ["0 1", "2", "3", "4 5", "6"]);
}
