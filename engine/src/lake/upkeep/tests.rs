//! A small lake, written file by file and not through `convert`: what upkeep leaves of it, row by
//! row.

use std::{collections::BTreeSet, fs::File, path::Path, sync::atomic::AtomicBool};

use datafusion::{
    arrow::{
        array::{
            AsArray, ListBuilder, MapBuilder, MapFieldNames, StringBuilder,
            TimestampMicrosecondArray,
        },
        datatypes::{DataType, Int64Type, TimestampMicrosecondType},
        util::display::array_value_to_string,
    },
    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder,
};
use deltalake::{
    kernel::Action,
    protocol::{DeltaOperation, SaveMode},
};
use tempfile::TempDir;
use tokio::runtime::Handle;
use uuid::Uuid;

use super::*;
use crate::lake::delta::{Commit, Outcome, partition};
use crate::lake::evidence;
use crate::lake::expire::{EXPIRED, expire};
use crate::lake::optimize::{MAINTENANCE, optimize};
use crate::lake::vacuum::vacuum;
use crate::lake::writer::{Range, Statistics, folder_of};
use crate::schema::data_type;
use crate::session::Limits;
use crate::source::store::{StoreSettings, Stores};

/// 2026-11-01.
const FIRST: i32 = 20_758;
const DAY: i64 = 86_400_000_000;

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

struct UpkeepLake {
    folder: TempDir,
    root: Root,
}

impl UpkeepLake {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let stores = Stores::new(StoreSettings::default(), Handle::current());
        let root = Root::of(folder.path().to_str().unwrap(), &stores)
            .await
            .unwrap();
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
        Self { folder, root }
    }

    async fn table(&self) -> TableSnapshot {
        TableSnapshot::open(&self.root, EVENTS)
            .await
            .unwrap()
            .unwrap()
    }

    /// Commits a file of one day with events at these microseconds of it.
    async fn add(&self, day: Option<i32>, times: &[(i64, i64)]) {
        let at = |time: i64| day.map(|day| i64::from(day) * DAY + time);
        let times: Vec<(Option<i64>, i64)> = times
            .iter()
            .map(|(time, offset)| (at(*time), *offset))
            .collect();
        let mut statistics = Statistics {
            rows: times.len() as u64,
            ..Statistics::default()
        };
        let mut staged = Range::default();
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
                Outcome::Done(_)
            ) {
                return;
            }
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(EVENTS).join(name)
    }

    /// The files of the current version, in the order of their names.
    async fn files(&self) -> Vec<Add> {
        let mut adds = self.table().await.adds().unwrap();
        adds.sort_by(|one, other| one.path.cmp(&other.path));
        adds
    }

    /// All data files that are stored, below the table's folder.
    fn stored(&self) -> BTreeSet<String> {
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

    async fn optimize(&self) -> RecordBatch {
        optimize(
            &self.root,
            &Limits {
                threads: 2,
                memory: 64 << 20,
            },
            &AtomicBool::new(false),
        )
        .await
        .unwrap()
    }
}

/// Times and offsets of a file, as they stand in it; everything else is held against the offset.
fn read(path: &Path) -> Vec<(Option<i64>, i64)> {
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

fn cells<'b>(batch: &'b RecordBatch, name: &str) -> Vec<Option<&'b str>> {
    batch
        .column_by_name(name)
        .unwrap()
        .as_string::<i32>()
        .iter()
        .collect()
}

fn counts(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    batch
        .column_by_name(name)
        .unwrap()
        .as_primitive::<Int64Type>()
        .iter()
        .collect()
}

/// Files of `events` that `vacuum` removed.
fn removed(batch: &RecordBatch) -> i64 {
    counts(batch, "files_before")[0].unwrap() - counts(batch, "files_after")[0].unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_put_in_order_once() {
    let lake = UpkeepLake::new().await;
    for part in 0..3 {
        let times: Vec<(i64, i64)> = (0..500)
            .map(|row| ((row * 3 + part) * 1_000_003 % (DAY - 7), row * 3 + part))
            .collect();
        lake.add(Some(FIRST), &times).await;
    }
    lake.add(Some(FIRST + 1), &[(5, 2), (5, 1), (3, 9)]).await;
    lake.add(None, &[(0, 2), (0, 4)]).await;
    lake.add(None, &[(0, 1), (0, 3)]).await;
    let before = lake.table().await.version();
    let done = lake.optimize().await;
    assert_eq!(
        cells(&done, "date"),
        [None, Some("2026-11-01"), Some("2026-11-02")]
    );
    assert_eq!(cells(&done, "done"), [Some(DONE); 3]);
    assert_eq!(counts(&done, "files_before"), [Some(2), Some(3), Some(1)]);
    assert_eq!(counts(&done, "files_after"), [Some(1); 3]);
    assert_eq!(counts(&done, "rows"), [Some(4), Some(1500), Some(3)]);
    let table = lake.table().await;
    assert_eq!(table.version(), before + 3);
    assert_eq!(
        table.progress(MAINTENANCE).await.unwrap(),
        i64::try_from(table.version()).ok()
    );
    let files = lake.files().await;
    assert_eq!(files.len(), 3);
    for file in &files {
        let found = read(&lake.path(&file.path));
        assert!(found.is_sorted(), "{}", file.path);
        let known = data_file(file);
        let times: Vec<i64> = found.iter().filter_map(|(time, _)| *time).collect();
        // To the millisecond.
        let is_near = |known: (i64, i64)| {
            (0..1000).contains(&(times[0] - known.0))
                && (0..1000).contains(&(known.1 - times[times.len() - 1]))
        };
        assert!(
            known.times.map_or(times.is_empty(), is_near),
            "{}: {known:?}",
            file.path
        );
        assert_eq!(
            (known.rows, known.size),
            (
                Some(found.len() as u64),
                std::fs::metadata(lake.path(&file.path)).unwrap().len()
            )
        );
        let mut offsets: Vec<i64> = found.iter().map(|(_, offset)| *offset).collect();
        offsets.sort_unstable();
        let expected: Vec<i64> = match found.len() {
            1500 => (0..1500).collect(),
            4 => vec![1, 2, 3, 4],
            _ => vec![1, 2, 9],
        };
        assert_eq!(offsets, expected);
    }
    // It is known to be in order.
    assert_eq!(lake.optimize().await.num_rows(), 0);
    assert_eq!(lake.table().await.version(), before + 3);
    // One more is put in order with what is as small as it, and only of its day.
    lake.add(Some(FIRST + 1), &[(4, 7), (1, 8)]).await;
    let done = lake.optimize().await;
    assert_eq!(cells(&done, "date"), [Some("2026-11-02")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_faster_loses_nothing() {
    let lake = UpkeepLake::new().await;
    for offset in 0..8 {
        lake.add(
            Some(FIRST),
            &[(offset * 1000, offset), (DAY - 1 - offset, 100 + offset)],
        )
        .await;
    }
    let more = async {
        for offset in 8..16 {
            lake.add(
                Some(FIRST),
                &[(offset * 1000, offset), (DAY - 1 - offset, 100 + offset)],
            )
            .await;
        }
    };
    let (_, _, ()) = tokio::join!(lake.optimize(), lake.optimize(), more);
    let mut offsets: Vec<i64> = Vec::new();
    for file in lake.files().await {
        offsets.extend(
            read(&lake.path(&file.path))
                .into_iter()
                .map(|(_, offset)| offset),
        );
    }
    offsets.sort_unstable();
    assert_eq!(offsets, (0..16).chain(100..116).collect::<Vec<i64>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn days_go_as_a_whole() {
    let lake = UpkeepLake::new().await;
    for day in 0..3 {
        lake.add(Some(FIRST + day), &[(1, 1)]).await;
        lake.add(Some(FIRST + day), &[(DAY - 1, 2), (7, 3)]).await;
    }
    lake.add(None, &[(0, 1)]).await;
    let version = lake.table().await.version();
    // In the middle of the third day.
    let cutoff = i64::from(FIRST + 2) * DAY + DAY / 2;
    let told = expire(&lake.root, cutoff, true).await.unwrap();
    assert_eq!(
        cells(&told, "date"),
        [Some("2026-11-01"), Some("2026-11-02"), None]
    );
    assert_eq!(
        cells(&told, "done"),
        [Some(DRY_RUN), Some(DRY_RUN), Some(NOT_DONE)]
    );
    assert_eq!(
        (lake.table().await.version(), lake.files().await.len()),
        (version, 7)
    );
    let done = expire(&lake.root, cutoff, false).await.unwrap();
    assert_eq!(counts(&done, "rows"), [Some(3), Some(3), Some(0)]);
    let table = lake.table().await;
    assert_eq!(table.version(), version + 1);
    assert_eq!(
        table.progress(EXPIRED).await.unwrap(),
        Some(i64::from(FIRST + 2))
    );
    assert_eq!(
        table.info(table.version()).await.unwrap().unwrap()["expired"],
        "2026-11-03"
    );
    assert_eq!(lake.files().await.len(), 3);
    // What comes later is let go of again, and what was expired is not taken back.
    expire(&lake.root, cutoff, false).await.unwrap();
    assert_eq!(lake.table().await.version(), version + 1);
    lake.add(Some(FIRST), &[(1, 1)]).await;
    expire(&lake.root, cutoff - DAY, false).await.unwrap();
    assert_eq!(lake.files().await.len(), 3);
    assert_eq!(
        lake.table().await.progress(EXPIRED).await.unwrap(),
        Some(i64::from(FIRST + 2))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_needs_is_cleared_away() {
    let lake = UpkeepLake::new().await;
    for offset in 0..3 {
        lake.add(Some(FIRST), &[(offset, offset)]).await;
    }
    lake.optimize().await;
    let optimized = lake.table().await.version();
    let orphan = lake.path("date=2026-11-01/part-orphan.parquet");
    std::fs::copy(lake.path(&lake.files().await[0].path), &orphan).unwrap();
    std::fs::write(lake.path("date=2026-11-01/.part-1.parquet.tmp"), "half").unwrap();
    std::fs::write(lake.path("_delta_log/_commit_1.json.tmp"), "{}").unwrap();
    std::fs::write(lake.path("notes.txt"), "mine").unwrap();
    let stored = lake.stored();
    assert_eq!(stored.len(), 3 + 1 + 1 + 1 + 1);
    // All of it is young.
    let told = vacuum(&lake.root, 7 * DAY, false).await.unwrap();
    assert_eq!(
        cells(&told, "table"),
        [Some("events"), Some("rejects"), Some("sources")]
    );
    assert_eq!((removed(&told), counts(&told, "kept")[0]), (0, Some(6)));
    assert_eq!(
        (
            counts(&told, "unknown")[0],
            counts(&told, "oldest_version")[0]
        ),
        (Some(1), Some(0))
    );
    let told = vacuum(&lake.root, 0, true).await.unwrap();
    assert_eq!(
        (removed(&told), cells(&told, "done")[0]),
        (6, Some(DRY_RUN))
    );
    assert_eq!(lake.stored(), stored);
    let done = vacuum(&lake.root, 0, false).await.unwrap();
    assert_eq!((removed(&done), cells(&done, "done")[0]), (6, Some(DONE)));
    assert_eq!(
        counts(&done, "oldest_version")[0],
        i64::try_from(optimized).ok()
    );
    let live: BTreeSet<String> = lake
        .files()
        .await
        .into_iter()
        .map(|file| file.path)
        .chain(["notes.txt".to_owned()])
        .collect();
    assert_eq!(lake.stored(), live);
    assert!(!lake.path("_delta_log/_commit_1.json.tmp").exists());
    assert_eq!(read(&lake.path(&lake.files().await[0].path)).len(), 3);
    // What was gone before is known to be.
    let told = vacuum(&lake.root, 7 * DAY, false).await.unwrap();
    assert_eq!(
        counts(&told, "oldest_version")[0],
        i64::try_from(optimized).ok()
    );
}
