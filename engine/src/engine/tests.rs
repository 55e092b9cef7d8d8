//! Many questions to one engine at once, and conversions in several transactions.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use futures::StreamExt;

use super::*;
use std::path::Path;

/// The bundled sample log.
fn sample() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/sample/audit.log");
    std::fs::read_to_string(path).expect("tests/data/sample/audit.log is a part of the repository")
}

/// So many copies of the sample, no two events alike, each with a line that is no event behind it.
fn copies(count: usize) -> String {
    let sample = sample();
    let copy = |copy| {
        let text = sample.replace("\"auditID\":\"", &format!("\"auditID\":\"{copy}-"));
        text + "no event\n"
    };
    (0..count).map(copy).collect()
}

async fn open(input: &Path) -> Engine {
    let options = Options {
        inputs: vec![input.display().to_string()],
        threads: 2,
        ..Options::default()
    };
    Engine::open(options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_question_has_an_account_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    std::fs::write(&log, copies(40)).unwrap();
    let engine = open(&log).await;
    let expected = {
        let answer = engine.sql("SELECT count(*) FROM events").await.unwrap();
        let account = answer.account().clone();
        answer.collect().await.unwrap();
        account.report()
    };
    assert!(!expected.partial);
    assert_eq!(expected.total.rejects.values().sum::<u64>(), 40);

    let wide = "SELECT * FROM events";
    let mut first = engine.sql(wide).await.unwrap();
    let second = engine.sql(wide).await.unwrap();
    // Both have begun; then one is cancelled.
    assert!(first.next().await.unwrap().is_ok());
    let account = first.account().clone();
    account.cancel();
    let error = loop {
        match first.next().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error,
            None => panic!("it was cancelled"),
        }
    };
    assert!(matches!(error.kind(), ErrorKind::Interrupted));
    assert!(first.next().await.is_none());
    let stopped = account.report();
    assert!(stopped.partial && stopped.total.read() > 0);

    // The other goes on to its end, and a third can be asked meanwhile.
    let (second_account, third) = (
        second.account().clone(),
        engine.sql("SELECT count(*) FROM requests").await.unwrap(),
    );
    let third_account = third.account().clone();
    let (second, third) = tokio::join!(second.collect(), third.collect());
    let rows: usize = second.unwrap().iter().map(|batch| batch.num_rows()).sum();
    assert_eq!(rows as u64, expected.total.events);
    third.unwrap();
    for account in [second_account, third_account] {
        let report = account.report();
        assert!(!report.partial);
        assert_eq!(report.total.read(), expected.total.read());
        assert_eq!(report.total.rejects, expected.total.rejects);
        assert_eq!(report.total.events, expected.total.events);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_shown_a_row_finds_it_in_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    std::fs::write(&log, copies(40)).unwrap();
    let engine = open(&log).await;
    let answer = engine
        .sql("SELECT audit_id FROM events LIMIT 1")
        .await
        .unwrap();
    let account = answer.account().clone();
    answer.collect().await.unwrap();
    let report = account.report();
    assert!(report.total.events >= 1, "{report:?}");
    assert_eq!(
        report.total.read(),
        report.total.events
            + report.total.rejects.values().sum::<u64>()
            + report.total.skipped.values().sum::<u64>()
    );
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_is_read_by_one_question_or_copied_for_all() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let text = copies(20);
    let events = {
        let log = folder.path().join("audit.log");
        std::fs::write(&log, &text).unwrap();
        number(&log, "SELECT count(*) FROM events").await
    };
    let write = |text: String| {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, text).unwrap())
    };
    // Copied: many questions at once, each sees all of it.
    // Opening looks at the first bytes, so that the writer has to be there.
    let writer = write(text.clone());
    let engine = open(&pipe).await;
    engine.spool_streams().unwrap();
    writer.join().unwrap();
    let ask = || async {
        let rows = engine.sql("SELECT count(*) FROM events").await.unwrap();
        first_number(&rows.collect().await.unwrap())
    };
    let (one, two) = tokio::join!(ask(), ask());
    assert_eq!((one, two), (events, events));
    // Not copied: one question reads it, and the next is told so instead of getting a part.
    let writer = write(text);
    let engine = open(&pipe).await;
    let rows = engine.sql("SELECT count(*) FROM events").await.unwrap();
    assert_eq!(first_number(&rows.collect().await.unwrap()), events);
    writer.join().unwrap();
    let again = engine.sql("SELECT count(*) FROM events").await.unwrap();
    let account = again.account().clone();
    again.collect().await.unwrap();
    let report = account.report();
    assert!(!report.is_clean(), "{report:?}");
    let message = &report.inputs[0].tally.samples[0].message;
    assert!(message.contains("read by an earlier question"), "{message}");
}

fn first_number(rows: &[datafusion::arrow::array::RecordBatch]) -> i64 {
    rows[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// One number that SQL gives.
async fn number(input: &std::path::Path, sql: &str) -> i64 {
    let options = Options {
        inputs: vec![input.display().to_string()],
        ..Options::default()
    };
    let rows = Engine::open(options)
        .await
        .unwrap()
        .sql(sql)
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    rows[0].column(0).as_primitive::<Int64Type>().value(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_longer_than_a_transaction() {
    let sample =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/sample/audit.log");
    let Ok(sample) = std::fs::read_to_string(sample) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (log, lake) = (folder.path().join("audit.log"), folder.path().join("lake"));
    let mut text = String::new();
    for copy in 0..12 {
        // No two events alike; and something between them that is none.
        text.push_str(&sample.replace("\"auditID\":\"", &format!("\"auditID\":\"{copy}-")));
        text.push_str("no event\n");
    }
    std::fs::write(&log, &text).unwrap();
    let options = || Options {
        inputs: vec![log.display().to_string()],
        transaction: 1 << 20,
        ..Options::default()
    };
    let engine = Engine::open(options()).await.unwrap();
    let account = engine.account();
    let done = engine
        .convert(&lake.display().to_string(), &account)
        .await
        .unwrap();
    let events = number(&log, "SELECT count(*) FROM events").await;
    assert_eq!(done.rows as i64, events);
    assert!(done.version > Some(3), "{done:?}");
    assert_eq!(done.known, 0);
    assert_eq!(account.report().total.rejects.values().sum::<u64>(), 12);
    let question = "SELECT count(DISTINCT event_hash) FROM events";
    assert_eq!(number(&lake, question).await, events);
    assert_eq!(number(&lake, "SELECT count(*) FROM rejects").await, 12);
    assert_eq!(
        number(&lake, "SELECT count(DISTINCT source_id) FROM sources").await,
        1
    );
    assert_eq!(
        number(&lake, "SELECT max(to_offset) FROM sources").await,
        text.len() as i64
    );
    // The lines are those of the whole file.
    let lines = "SELECT sum(source_line) FROM events";
    assert_eq!(number(&lake, lines).await, number(&log, lines).await);
    let engine = Engine::open(options()).await.unwrap();
    let again = engine
        .convert(&lake.display().to_string(), &engine.account())
        .await
        .unwrap();
    assert_eq!((again.rows, again.known), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_changes_under_a_question_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let text = copies(40);
    std::fs::write(&log, &text).unwrap();
    let ask = async |engine: &Engine| {
        let answer = engine.sql("SELECT count(*) FROM events").await.unwrap();
        let account = answer.account().clone();
        answer.collect().await.unwrap();
        let rejects = account.report().total.rejects;
        rejects.get("unreadable").copied().unwrap_or(0)
    };
    let engine = open(&log).await;
    assert_eq!(ask(&engine).await, 0);
    // It grows: that is the next question's.
    std::fs::write(&log, text.clone() + &copies(1)).unwrap();
    assert_eq!(ask(&engine).await, 0);
    // `copytruncate`, then as long as before with other events, then another file of its name.
    std::fs::write(&log, &text[..100]).unwrap();
    assert_eq!(ask(&engine).await, 1);
    std::fs::write(
        &log,
        copies(41).replace("audit.k8s.io/v1", "audit.k8s.io/v1beta1"),
    )
    .unwrap();
    assert_eq!(ask(&engine).await, 1);
    std::fs::write(&log, &text).unwrap();
    assert_eq!(ask(&engine).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wide_rows_are_sorted_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    // Events of 20 kB, in an order that is not that of the question.
    let mut text = String::new();
    for number in 0..1500_u32 {
        let id = number.wrapping_mul(2_654_435_761) % 1_000_003;
        let body = "x".repeat(20_000);
        text += &format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"{id:07}","stage":"ResponseComplete","requestURI":"/api/v1/pods","verb":"create","requestObject":{{"kind":"Pod","spec":"{body}"}},"stageTimestamp":"2026-11-01T00:00:00.000000Z"}}"#
        );
        text.push('\n');
    }
    std::fs::write(&log, text).unwrap();
    let options = Options {
        inputs: vec![log.display().to_string()],
        threads: 2,
        memory: 16 << 20,
        ..Options::default()
    };
    let engine = Engine::open(options).await.unwrap();
    let answer = engine
        .sql("SELECT * FROM events ORDER BY audit_id")
        .await
        .unwrap();
    let (mut rows, mut last) = (0, String::new());
    for batch in answer.collect().await.unwrap() {
        let ids = batch.column_by_name("audit_id").unwrap().as_string_view();
        for id in ids.iter().flatten() {
            assert!(last.as_str() <= id);
            last = id.to_owned();
            rows += 1;
        }
    }
    assert_eq!(rows, 1500);
}
