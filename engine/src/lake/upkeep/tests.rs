//! What upkeep leaves of a lake, row by row.

mod fixture;

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, SystemTime};

use datafusion::arrow::array::AsArray;

use super::*;
use crate::error::{ErrorKind, Hint};
use crate::file::atomic::AtomicFile;
use crate::lake::delta::AsOf;
use crate::lake::expire::{EXPIRED, expire};
use crate::lake::history::history;
use crate::lake::optimize::MAINTENANCE;
use crate::lake::upkeep::tests::fixture::{DAY, FIRST, NOW, UpkeepLake, read};
use crate::lake::vacuum::vacuum;

fn dates(partitions: &[PartitionUpkeep]) -> Vec<Option<&str>> {
    partitions.iter().map(|one| one.date.as_deref()).collect()
}

fn outcomes(partitions: &[PartitionUpkeep]) -> Vec<UpkeepOutcome> {
    partitions.iter().map(|one| one.outcome).collect()
}

#[test]
fn partitions_are_rows() {
    let partition = |outcome| PartitionUpkeep {
        table: EVENTS,
        date: None,
        files_before: 3,
        files_after: 1,
        bytes_before: 7,
        bytes_after: 5,
        rows: Some(5),
        outcome,
    };
    let partitions = [
        partition(UpkeepOutcome::Committed { version: 2 }),
        partition(UpkeepOutcome::Contended),
        partition(UpkeepOutcome::DryRun),
        partition(UpkeepOutcome::Undated),
    ];
    assert_eq!(sum(&partitions, |one| one.files_before), 6);
    let rows = batch(&partitions).unwrap();
    let done = rows.column_by_name("done").unwrap();
    let done: Vec<&str> = done.as_string::<i32>().iter().flatten().collect();
    assert_eq!(done, ["yes", "no", DRY_RUN, "no"]);
    let columns: Vec<String> = rows
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(
        columns.join(" "),
        "table date files_before files_after bytes_before bytes_after rows done message"
    );
}

/// The rows of a file, which are in order and what the log says of them.
#[track_caller]
fn in_order(lake: &UpkeepLake, file: &Add) -> Vec<(Option<i64>, i64)> {
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
    found
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
    let table = lake.table().await;
    let told: Vec<_> = done
        .partitions
        .iter()
        .map(|one| {
            (
                one.date.as_deref(),
                one.files_before,
                one.files_after,
                one.rows,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (None, 2, 1, Some(4)),
            (Some("2026-11-01"), 3, 1, Some(1500)),
            (Some("2026-11-02"), 1, 1, Some(3)),
        ]
    );
    assert_eq!((done.files_before(), done.files_after()), (6, 3));
    let versions = (1..=3).map(|step| UpkeepOutcome::Committed {
        version: before + step,
    });
    let outcomes = done.partitions.iter().map(|one| one.outcome);
    assert!(outcomes.eq(versions));
    assert_eq!(table.version(), before + 3);
    assert_eq!(
        table.progress(MAINTENANCE).await.unwrap(),
        i64::try_from(table.version()).ok()
    );
    let files = lake.files().await;
    assert_eq!(files.len(), 3);
    for file in &files {
        let found = in_order(&lake, file);
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
    assert_eq!(lake.optimize().await.partitions, []);
    assert_eq!(lake.table().await.version(), before + 3);
    // One more is put in order with what is as small as it, and only of its day.
    lake.add(Some(FIRST + 1), &[(4, 7), (1, 8)]).await;
    let done = lake.optimize().await;
    assert_eq!(dates(&done.partitions), [Some("2026-11-02")]);
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
        dates(&told.partitions),
        [Some("2026-11-01"), Some("2026-11-02"), None]
    );
    assert_eq!(
        outcomes(&told.partitions),
        [
            UpkeepOutcome::DryRun,
            UpkeepOutcome::DryRun,
            UpkeepOutcome::Undated
        ]
    );
    assert_eq!((told.files(), told.removed_rows()), (4, 6));
    assert_eq!(
        (lake.table().await.version(), lake.files().await.len()),
        (version, 7)
    );
    let done = expire(&lake.root, cutoff, false).await.unwrap();
    let table = lake.table().await;
    assert_eq!(table.version(), version + 1);
    let committed = UpkeepOutcome::Committed {
        version: version + 1,
    };
    assert_eq!(
        outcomes(&done.partitions),
        [committed, committed, UpkeepOutcome::Undated]
    );
    assert_eq!((done.files(), done.removed_rows()), (4, 6));
    assert_eq!(
        table.progress(EXPIRED).await.unwrap(),
        Some(i64::from(FIRST + 2))
    );
    assert_eq!(
        table.info(table.version()).await.unwrap().unwrap()["expired"],
        "2026-11-03"
    );
    assert_eq!(lake.files().await.len(), 3);
    // What comes later expires again, and what has expired is not taken back.
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
    // What a killed run leaves of a file that it has not finished.
    let unfinished = AtomicFile::create(&lake.path("date=2026-11-01/part-2.parquet")).unwrap();
    std::fs::write(lake.path("_delta_log/_commit_1.json.tmp"), "{}").unwrap();
    std::fs::write(lake.path("notes.txt"), "mine").unwrap();
    let stored = lake.stored();
    assert_eq!(stored.len(), 3 + 1 + 1 + 1 + 1 + 1);
    // All of it is as old as the clock of the lake says.
    let written = SystemTime::UNIX_EPOCH + Duration::from_micros(NOW as u64);
    for file in stored
        .iter()
        .map(String::as_str)
        .chain(["_delta_log/_commit_1.json.tmp"])
    {
        let file = File::options().write(true).open(lake.path(file)).unwrap();
        file.set_modified(written).unwrap();
    }
    lake.clock.set(NOW + 7 * DAY - 1);
    let told = vacuum(&lake.root, 7 * DAY, false).await.unwrap();
    let names: Vec<&str> = told.tables.iter().map(|table| table.table).collect();
    assert_eq!(names, ["events", "rejects", "sources"]);
    let events = &told.tables[0];
    assert_eq!((told.files(), events.kept), (0, 7));
    assert_eq!((events.unknown, events.oldest_version), (1, 0));
    lake.clock.set(NOW + 7 * DAY);
    let told = vacuum(&lake.root, 7 * DAY, true).await.unwrap();
    assert_eq!((told.files(), told.dry_run), (7, true));
    assert_eq!(lake.stored(), stored);
    let done = vacuum(&lake.root, 7 * DAY, false).await.unwrap();
    assert_eq!((done.files(), done.dry_run), (7, false));
    assert_eq!(done.tables[0].oldest_version, optimized);
    let live = lake.files().await.into_iter().map(|file| file.path);
    let live: BTreeSet<String> = live.chain(["notes.txt".to_owned()]).collect();
    assert_eq!(lake.stored(), live);
    assert!(!lake.path("_delta_log/_commit_1.json.tmp").exists());
    assert_eq!(read(&lake.path(&lake.files().await[0].path)).len(), 3);
    // What was gone before is known to be.
    let told = vacuum(&lake.root, 7 * DAY, false).await.unwrap();
    assert_eq!(told.tables[0].oldest_version, optimized);
    drop(unfinished);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_dated_by_the_clock() {
    let lake = UpkeepLake::new().await;
    for (offset, days) in [0, 1, 3].into_iter().enumerate() {
        lake.clock.set(NOW + days * DAY);
        lake.add(Some(FIRST), &[(0, offset as i64)]).await;
    }
    let table = lake.table().await;
    let newest = table.version();
    for (at, version) in [
        (NOW - 1000, newest - 3),
        (NOW, newest - 2),
        (NOW + DAY, newest - 1),
        (NOW + 3 * DAY - 1000, newest - 1),
        (NOW + 4 * DAY, newest),
    ] {
        assert_eq!(table.version_at(at).await.unwrap(), Some(version), "{at}");
    }
    let commits = history(&table, Some(1)).await.unwrap().commits;
    assert_eq!(commits[0].committed_at, Some(NOW + 3 * DAY));
    assert!(
        commits[0]
            .engine
            .as_deref()
            .unwrap()
            .starts_with("delta-rs")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn any_clock_will_do() {
    let lake = UpkeepLake::new().await;
    for now in [i64::MIN, -1, i64::MAX] {
        lake.clock.set(now);
        lake.add(Some(FIRST), &[(0, 1), (1, 2)]).await;
        assert_eq!(lake.optimize().await.files_after(), 1);
        vacuum(&lake.root, 7 * DAY, false).await.unwrap();
        expire(&lake.root, i64::from(FIRST) * DAY, false)
            .await
            .unwrap();
        let commits = history(&lake.table().await, None).await.unwrap().commits;
        let at = lake.clock.now().div_euclid(1000) * 1000;
        assert_eq!(commits[0].committed_at, Some(at));
    }
    let expired = expire(&lake.root, lake.clock.now(), false).await.unwrap();
    assert_eq!(expired.files(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_fails_as_a_lake() {
    let lake = UpkeepLake::new().await;
    let shown = lake.root.shown.clone();
    let error = lake.table().await.at(AsOf::Version(9)).await.unwrap_err();
    let message = format!("{shown}: there is no version 9; the newest is 0");
    assert_eq!(error.to_string(), message);
    assert_eq!(error.hint(), Some(&Hint::ListVersions { lake: shown }));
    std::fs::write(lake.path("_delta_log/00000000000000000000.json"), "{").unwrap();
    let error = TableSnapshot::open(&lake.root, EVENTS).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Lake { .. }), "{error}");
}
