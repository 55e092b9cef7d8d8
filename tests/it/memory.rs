//! Memory is bounded whatever the input.
#![cfg(target_os = "linux")]

use std::{
    fs,
    io::{BufWriter, Write},
    process::Stdio,
};

use crate::bin::command;

/// Runs the command, which has to end with this code, while `feed` writes its stdin; the most memory
/// it held, in bytes.
fn peak(code: i32, args: &[&str], feed: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> u64 {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let stdin = child.stdin.take().unwrap();
    let watch = std::thread::spawn(move || {
        let mut most = 0;
        // The process is a zombie without the line once it has ended.
        while let Ok(text) = fs::read_to_string(&status) {
            let Some(line) = text.lines().find(|line| line.starts_with("VmHWM:")) else {
                break;
            };
            let kib: u64 = line
                .split_whitespace()
                .nth(1)
                .and_then(|kib| kib.parse().ok())
                .unwrap_or(0);
            most = most.max(kib << 10);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        most
    });
    let mut stdin = BufWriter::with_capacity(1 << 20, stdin);
    let fed = feed(&mut stdin).and_then(|()| stdin.flush());
    drop(stdin);
    let ended = child.wait().unwrap();
    fed.unwrap();
    assert_eq!(ended.code(), Some(code));
    watch.join().unwrap()
}

const LIMIT: u64 = 512 << 20;

#[test]
fn converting_5_gb_stays_under_512_mib() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("e.parquet");
    // The whole 5 GB takes minutes with unoptimised dependencies; memory that grows with the input
    // shows at 1 GB too.
    let bytes = if std::env::var_os("AUDITQL_TEST_FULL").is_some() {
        5_000_000_000
    } else {
        1_000_000_000
    };
    let most = peak(
        0,
        &["convert", "-q", "-i", "-", "--to", to.to_str().unwrap()],
        |mut out| auditql_benches::generate(&mut out, bytes, 7).map(|_| ()),
    );
    assert!(most < LIMIT, "{most} bytes");
}

#[test]
fn a_line_of_any_length_stays_under_512_mib() {
    // The line is a reject.
    let most = peak(
        3,
        &["sql", "-q", "SELECT count(*) FROM events", "-i", "-"],
        |out| {
            out.write_all(b"{\"kind\":\"Event\",\"requestObject\":\"")?;
            let part = vec![b'x'; 1 << 20];
            (0..1000).try_for_each(|_| out.write_all(&part))?;
            out.write_all(b"\"}\n")
        },
    );
    assert!(most < LIMIT, "{most} bytes");
}
