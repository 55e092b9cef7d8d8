//! A small lake, written file by file and not through `convert`.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use datafusion::arrow::array::{
    ArrayRef, AsArray, Int64Array, ListBuilder, MapBuilder, MapFieldNames, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, TimestampMicrosecondType};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use deltalake::kernel::{Action, Add};
use deltalake::protocol::{DeltaOperation, SaveMode};
use tempfile::TempDir;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::lake::delta::{Commit, CommitOutcome, TableSnapshot, partition};
use crate::lake::evidence;
use crate::lake::file_statistics::{FileStatistics, TimeRange, folder_of};
use crate::lake::optimize::{Optimized, optimize};
use crate::lake::root::{EVENTS, LakeRoot};
use crate::schema::data_type;
use crate::session::Limits;
use crate::source::store::{StoreSettings, Stores};
use crate::time::Clock;

/// 2026-11-01.
pub(super) const FIRST: i32 = 20_758;
pub(super) const DAY: i64 = 86_400_000_000;
/// What the clock of the lake says, until it is set: 2099-01-01.
pub(super) const NOW: i64 = 4_070_908_800_000_000;

/// `from_others` is a column that this version does not know.
fn columns() -> Schema {
    let field = |name: &str, type_name: &str| {
        let data_type = match data_type(type_name).unwrap() {
            DataType::Utf8View => DataType::Utf8,
            other => other,
        };
        Field::new(name, data_type, true)
    };
    Schema::new(vec![
        field("audit_id", "string"),
        field("stage_timestamp", "timestamp"),
        field("user_groups", "list<string>"),
        field("annotations", "map<string,string>"),
        field("source_id", "string"),
        field("source_offset", "int64"),
        field("from_others", "string"),
    ])
}

/// Rows of these times and offsets, all else made from the offset.
fn rows(times: &[(Option<i64>, i64)]) -> RecordBatch {
    let offsets = || times.iter().map(|(_, offset)| *offset);
    let text = |what: &str| -> ArrayRef {
        Arc::new(
            offsets()
                .map(|offset| Some(format!("{what}{offset}")))
                .collect::<StringArray>(),
        )
    };
    let mut groups = ListBuilder::new(StringBuilder::new());
    let names = MapFieldNames {
        entry: "key_value".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let mut annotations = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for offset in offsets() {
        groups.values().append_value(format!("group{offset}"));
        groups.append(true);
        if offset % 2 == 0 {
            annotations.keys().append_value("key");
            annotations.values().append_value(format!("value{offset}"));
        }
        annotations.append(offset % 2 == 0).unwrap();
    }
    let staged = times
        .iter()
        .map(|(time, _)| *time)
        .collect::<TimestampMicrosecondArray>()
        .with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        text("id"),
        Arc::new(staged),
        Arc::new(groups.finish()),
        Arc::new(annotations.finish()),
        Arc::new(offsets().map(|_| Some("source")).collect::<StringArray>()),
        Arc::new(Int64Array::from_iter_values(offsets())),
        text("other"),
    ];
    RecordBatch::try_new(Arc::new(self::columns()), columns).unwrap()
}

pub(super) struct UpkeepLake {
    folder: TempDir,
    pub(super) root: LakeRoot,
    pub(super) clock: Clock,
}

impl UpkeepLake {
    pub(super) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let stores = Stores::new(StoreSettings::default(), Handle::current());
        let root = LakeRoot::of(folder.path().to_str().unwrap(), &stores).await;
        let clock = Clock::fixed(NOW);
        let root = root.unwrap().with_clock(clock.clone());
        for name in [EVENTS, "rejects", "sources"] {
            let mut fields: Vec<Field> = columns()
                .fields()
                .iter()
                .map(|field| field.as_ref().clone())
                .collect();
            fields.push(Field::new("date", DataType::Date32, true));
            let by = if name == "sources" {
                &[][..]
            } else {
                &["date"][..]
            };
            TableSnapshot::open_or_create(&root, name, &Schema::new(fields), by, "test")
                .await
                .unwrap();
        }
        Self {
            folder,
            root,
            clock,
        }
    }

    pub(super) async fn table(&self) -> TableSnapshot {
        TableSnapshot::open(&self.root, EVENTS)
            .await
            .unwrap()
            .unwrap()
    }

    /// Commits a file of one day with events at these microseconds of it.
    pub(super) async fn add(&self, day: Option<i32>, times: &[(i64, i64)]) {
        let at = |time: i64| day.map(|day| i64::from(day) * DAY + time);
        let times: Vec<(Option<i64>, i64)> = times
            .iter()
            .map(|(time, offset)| (at(*time), *offset))
            .collect();
        let mut statistics = FileStatistics {
            rows: times.len() as u64,
            ..FileStatistics::default()
        };
        let mut staged = TimeRange::default();
        times.iter().for_each(|(time, _)| staged.add(*time));
        statistics.staged = staged;
        let folder = folder_of(day);
        let written = evidence::write(
            &self.root,
            EVENTS,
            &format!("{folder}/"),
            &rows(&times),
            &Handle::current(),
        )
        .await
        .unwrap();
        let value = folder.strip_prefix("date=").filter(|_| day.is_some());
        let add = Add {
            partition_values: partition(value),
            stats: Some(statistics.json()),
            ..written
        };
        let (id, mut table) = (Uuid::new_v4(), self.table().await);
        loop {
            let commit = Commit {
                id,
                actions: vec![Action::Add(add.clone())],
                ..Commit::default()
            };
            let operation = DeltaOperation::Write {
                mode: SaveMode::Append,
                partition_by: Some(vec!["date".to_owned()]),
                predicate: None,
            };
            if matches!(
                table.commit(commit, operation).await.unwrap(),
                CommitOutcome::Done(_)
            ) {
                return;
            }
        }
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(EVENTS).join(name)
    }

    /// The files of the current version, in the order of their names.
    pub(super) async fn files(&self) -> Vec<Add> {
        let mut adds = self.table().await.adds().unwrap();
        adds.sort_by(|one, other| one.path.cmp(&other.path));
        adds
    }

    /// All data files that are stored, below the table's folder.
    pub(super) fn stored(&self) -> BTreeSet<String> {
        let all = walkdir::WalkDir::new(self.path(""))
            .into_iter()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_type().is_file());
        let names = all.map(|entry| {
            entry
                .path()
                .strip_prefix(self.path(""))
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        });
        names
            .filter(|name| !name.starts_with("_delta_log"))
            .collect()
    }

    pub(super) async fn optimize(&self) -> Optimized {
        let limits = Limits {
            threads: 2,
            memory: 64 << 20,
        };
        let cancelled = AtomicBool::new(false);
        optimize(&self.root, &limits, &cancelled).await.unwrap()
    }
}

/// Times and offsets of a file, as they stand in it; everything else is held against the offset.
pub(super) fn read(path: &Path) -> Vec<(Option<i64>, i64)> {
    let mut found = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap())
        .unwrap()
        .build()
        .unwrap()
    {
        let batch = batch.unwrap();
        assert_eq!(batch.num_columns(), columns().fields().len());
        let column = |name: &str| Arc::clone(batch.column_by_name(name).unwrap());
        let (times, offsets) = (column("stage_timestamp"), column("source_offset"));
        let (times, offsets) = (
            times.as_primitive::<TimestampMicrosecondType>(),
            offsets.as_primitive::<Int64Type>(),
        );
        let times: Vec<(Option<i64>, i64)> = times
            .iter()
            .zip(offsets.values().iter())
            .map(|(time, offset)| (time, *offset))
            .collect();
        let expected = rows(&times);
        for (name, found) in batch
            .schema()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), column(field.name())))
        {
            let wanted = expected.column_by_name(&name).unwrap();
            for row in 0..times.len() {
                let shown = |array: &ArrayRef| array_value_to_string(array, row).unwrap();
                assert_eq!(
                    (found.is_null(row), shown(&found)),
                    (wanted.is_null(row), shown(wanted)),
                    "{name}, row {row}"
                );
            }
        }
        found.extend(times);
    }
    found
}
