//! Signals: whatever a run does, one of them ends it with its exit code, and nothing temporary is
//! left. What a killed run left is removed by the next.
//!
//! A run is known to work by the files it makes: its folder in TMPDIR, or a hidden output. Nothing
//! here measures time; a run that does not end fails after a minute.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::bin::command;

/// Its workers never yield, so nothing inside the runtime can stop it.
const ENDLESS: &str = "SELECT count(*) FROM (SELECT 1 FROM generate_series(1, 100000000) a(x) \
     CROSS JOIN generate_series(1, 100000000) b(y))";

/// A folder for temporary files, and runs that use it.
struct Room(TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn temporary(&self) -> PathBuf {
        let folder = self.path("tmp");
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = command();
        command
            .args(args)
            .env("TMPDIR", self.temporary())
            .current_dir(self.0.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn left(&self) -> Vec<PathBuf> {
        entries(&self.temporary())
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// Waits for something that the run does.
#[track_caller]
fn wait_until(child: &mut Child, has_begun: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if has_begun() {
            return;
        }
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("it has not begun");
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[track_caller]
fn code(mut child: Child) -> Option<i32> {
    for _ in 0..6_000 {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("it is still running");
}

/// Starts the run, sends it the signal when it is at work, and compares its exit code.
#[track_caller]
fn ends(room: &Room, mut command: Command, signal: &str, expected: i32) {
    let mut child = command.spawn().unwrap();
    wait_until(&mut child, || !room.left().is_empty());
    send(signal, &child);
    let shown = format!("{command:?}");
    assert_eq!(code(child), Some(expected), "{signal} {shown}");
    assert!(room.left().is_empty(), "{shown}: {:?}", room.left());
}

#[test]
fn a_query_whose_threads_never_yield() {
    for (signal, expected) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let room = Room::new();
        ends(&room, room.command(&["sql", ENDLESS]), signal, expected);
    }
}

#[test]
fn under_nohup_the_end_of_a_terminal_is_not_that_of_the_run() {
    let room = Room::new();
    let run = room.command(&["sql", ENDLESS]);
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .arg(run.get_program())
        .args(run.get_args())
        .env("TMPDIR", room.temporary());
    let mut child = command.spawn().unwrap();
    wait_until(&mut child, || !room.left().is_empty());
    // Elsewhere a program cannot ask what it ignores.
    if cfg!(target_os = "linux") {
        send("HUP", &child);
    }
    send("TERM", &child);
    assert_eq!(code(child), Some(143));
}

#[test]
fn rows_that_nobody_takes() {
    for output in ["csv", "jsonl", "yaml", "table", "arrow"] {
        let room = Room::new();
        let wide = "SELECT repeat('a', 100) FROM generate_series(1, 100000000)";
        let mut command = room.command(&["sql", wide, "-o", output]);
        // A pipe that nobody reads.
        command.stdout(Stdio::piped());
        ends(&room, command, "INT", 130);
    }
}

#[test]
fn one_huge_value() {
    let room = Room::new();
    let huge = "SELECT repeat(repeat('=a', 1000), 200000) FROM generate_series(1, 1000)";
    ends(&room, room.command(&["sql", huge, "-o", "csv"]), "INT", 130);
}

#[test]
fn a_stream_that_does_not_end() {
    for statements in [
        "SELECT count(*) FROM events",
        "SELECT 1; SELECT 2",
        "SELECT count(*) FROM events a JOIN events b ON a.audit_id = b.audit_id",
    ] {
        let room = Room::new();
        let mut command = room.command(&["sql", statements, "-i", "-"]);
        let (reader, mut writer) = std::io::pipe().unwrap();
        // More than the first bytes, which tell an archive from a log.
        writer.write_all(&[b' '; 4096]).unwrap();
        command.stdin(reader);
        ends(&room, command, "TERM", 143);
        drop(writer);
    }
}

#[test]
fn an_archive_that_is_being_unpacked() {
    let room = Room::new();
    let archive = fs::File::create(room.path("logs.tar.gz")).unwrap();
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(
        archive,
        flate2::Compression::fast(),
    ));
    let mut header = tar::Header::new_gnu();
    header.set_size(1 << 29);
    header.set_mode(0o600);
    header.set_cksum();
    let zeros = std::io::Read::take(std::io::repeat(0), 1 << 29);
    archive
        .append_data(&mut header, "audit.log", zeros)
        .unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    let statement = "SELECT count(*) FROM events";
    let command = room.command(&["sql", statement, "-i", "logs.tar.gz"]);
    ends(&room, command, "INT", 130);
}

#[test]
fn a_script_of_the_shell() {
    let room = Room::new();
    let mut command = room.command(&[]);
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer
        .write_all(format!("{ENDLESS};\nSELECT 1;\n").as_bytes())
        .unwrap();
    drop(writer);
    command.stdin(reader);
    ends(&room, command, "INT", 130);
}

#[test]
fn a_conversion_leaves_no_half_of_a_file() {
    for name in ["events.parquet", "events.jsonl"] {
        let room = Room::new();
        let mut log: Vec<u8> = Vec::new();
        auditql_benches::generate(&mut log, 40_000_000, 3).unwrap();
        fs::write(room.path("audit.log"), log).unwrap();
        let out = room.path("out");
        fs::create_dir(&out).unwrap();
        let to = format!("out/{name}");
        let mut child = room
            .command(&["convert", "-i", "audit.log", "--to", &to])
            .spawn()
            .unwrap();
        wait_until(&mut child, || !entries(&out).is_empty());
        send("INT", &child);
        assert_eq!(code(child), Some(130), "{name}");
        assert!(entries(&out).is_empty(), "{:?}", entries(&out));
        assert!(room.left().is_empty());
    }
}

/// Folders for their owner alone, and nothing of a stream in them.
#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let room = Room::new();
    let statements = format!("SELECT count(*) FROM events; {ENDLESS}");
    let mut command = room.command(&["sql", &statements, "-i", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    drop(child.stdin.take());
    wait_until(&mut child, || !room.left().is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    let left = room.left();
    assert_eq!(left.len(), 1, "{left:?}");
    let mode = left[0].metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let foreign = room.temporary().join("auditql-notes");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("notes"), "mine").unwrap();
    let next = room.command(&["sql", "SELECT 1"]).status().unwrap();
    assert!(next.success());
    assert_eq!(room.left(), [foreign]);
}
