//! Converters that are killed at any moment, or cannot write: readers see whole commits only, and
//! the next run goes on as if nothing had been.
#![cfg(unix)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    lake_fixture::{Cluster, Lake, append, files, run},
    packers::gzip,
};

/// Marsaglia's xorshift: the same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as u32 % limit
    }
}

/// So often, or so often when there is time.
fn times(usually: u32, full: u32) -> u32 {
    if std::env::var_os("AUDITQL_TEST_FULL").is_some() {
        full
    } else {
        usually
    }
}

/// Starts a command of which nobody will hear.
fn start(command: &mut Command) -> Child {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// SIGKILL, and waits for the end.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A log as an apiserver writes and rotates it, and what of it a reader may have seen.
struct Logs {
    folder: PathBuf,
    random: Random,
    /// Of the log that is being written: its number, its events so far, and how much of the last
    /// line is there.
    number: u32,
    written: usize,
    begun: usize,
    /// All whole lines.
    all: String,
    /// The numbers of events that each log had when a converter was started; whatever is committed
    /// is one of them.
    seen: BTreeMap<String, BTreeSet<u64>>,
}

impl Logs {
    fn new(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        let random = Random(0x2545_F491_4F6C_DD1D);
        Self {
            folder: folder.to_owned(),
            random,
            number: 0,
            written: 0,
            begun: 0,
            all: String::new(),
            seen: BTreeMap::new(),
        }
    }

    fn name(&self) -> String {
        format!("log{}", self.number)
    }

    fn line(&self) -> String {
        Cluster::new(self.name()).per_day(120).line(self.written)
    }

    fn active(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    /// The rest of the line that was begun, some more lines, and the beginning of another.
    fn grow(&mut self) {
        for _ in 0..1 + self.random.below(60) {
            let line = self.line();
            append(&self.active(), &line.as_bytes()[self.begun..]);
            self.all.push_str(&line);
            (self.written, self.begun) = (self.written + 1, 0);
        }
        self.begun = self.random.below(3) as usize * 77;
        append(&self.active(), &self.line().as_bytes()[..self.begun]);
        self.seen
            .entry(self.name())
            .or_default()
            .insert(self.written as u64);
    }

    /// Rotates, and compresses some of what was rotated.
    fn rotate(&mut self) {
        let line = self.line();
        if self.begun > 0 {
            append(&self.active(), &line.as_bytes()[self.begun..]);
            self.all.push_str(&line);
            (self.written, self.begun) = (self.written + 1, 0);
            self.seen
                .entry(self.name())
                .or_default()
                .insert(self.written as u64);
        }
        let rotated = self.folder.join(format!("audit-{}.log", self.number));
        fs::rename(self.active(), &rotated).unwrap();
        if self.random.below(2) == 0 {
            fs::write(
                self.folder.join(format!("audit-{}.log.gz", self.number)),
                gzip(&fs::read(&rotated).unwrap()),
            )
            .unwrap();
            fs::remove_file(rotated).unwrap();
        }
        (self.number, self.written) = (self.number + 1, 0);
    }

    /// A reader sees each log as it was when some converter read it, and nothing twice.
    #[track_caller]
    fn check(&self, lake: &Lake) {
        let question = "SELECT split_part(audit_id, '-', 1) log, count(*) n, count(DISTINCT event_hash) hashes FROM events GROUP BY 1";
        for row in lake.ask(question, &[]) {
            let log = row["log"].as_str().unwrap();
            let events = row["n"].as_u64().unwrap();
            assert_eq!(row["hashes"], events, "{row}");
            assert!(
                self.seen[log].contains(&events),
                "{row}: a converter saw {:?}",
                self.seen[log]
            );
        }
    }
}

#[test]
fn killed_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mut logs = Logs::new(&folder.path().join("logs"));
    let inputs = [logs.folder.clone()];
    let lake = Lake::in_folder(folder.path().join("lake"));
    logs.grow();
    lake.take(&inputs);
    logs.grow();
    let began = Instant::now();
    lake.take(&inputs);
    let whole = began.elapsed();
    for round in 0..times(40, 300) {
        if round % 7 == 6 {
            logs.rotate();
        }
        logs.grow();
        let first = start(&mut lake.converter(&inputs));
        let second = match round % 5 {
            0 | 3 => Some(start(&mut lake.converter(&inputs))),
            1 => Some(start(&mut lake.verb("optimize", &[]))),
            _ => None,
        };
        std::thread::sleep(whole * logs.random.below(1000) / 1000);
        if round % 4 == 3 {
            logs.check(&lake);
        }
        match (second, round % 10) {
            // One that is not killed gets through, whatever becomes of the other.
            (Some(mut second), 0 | 1) => {
                kill(first);
                let ended = second.wait().unwrap();
                assert!(ended.success(), "{ended}");
            }
            (second, _) => {
                kill(first);
                second.into_iter().for_each(kill);
            }
        }
        logs.check(&lake);
    }
    logs.rotate();
    lake.take(&inputs);
    logs.check(&lake);
    lake.holds(&logs.all);
    lake.rows_of("verify", &[], 0);
    // Files that no commit knows of are what is left of those who were killed.
    lake.rows_of("vacuum", &["--older-than", "0s"], 0);
    assert_eq!(lake.stored(), lake.live());
    lake.holds(&logs.all);
    lake.rows_of("verify", &[], 0);
    let account = lake.take(&inputs);
    assert_eq!(
        (&account["events"], &account["rejects"]),
        (&json!(0), &json!({}))
    );
}

#[test]
fn killed_while_the_lake_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let text = Cluster::new("first").log(0..120);
    fs::write(&log, &text).unwrap();
    let began = Instant::now();
    assert_eq!(
        Lake::in_folder(folder.path().join("measured")).added(&[&log]),
        120
    );
    let whole = began.elapsed();
    let rounds = times(10, 60);
    for round in 0..rounds {
        let lake = Lake::in_folder(folder.path().join(format!("lake-{round}")));
        let converter = start(&mut lake.converter(&[&log]));
        std::thread::sleep(whole * round / rounds);
        kill(converter);
        // There may be no lake yet; what there is of one is no answer that is wrong.
        let ran = lake.asked("SELECT count(*) n FROM events", &[]);
        match ran.code {
            0 => assert_eq!(ran.rows(0)[0], json!({"n": 120})),
            // There is a lake, and no event in it yet.
            3 => assert_eq!(ran.rows(3)[0], json!({"n": 0})),
            code => assert_eq!(code, 2, "{}", ran.stderr),
        }
        lake.take(&[&log]);
        lake.holds(&text);
        if round.is_multiple_of(3) {
            lake.rows_of("verify", &[], 0);
        }
    }
}

/// What is killed between the commit of the events and that of the evidence leaves the evidence to
/// the next run, whatever that reads.
#[test]
fn evidence_is_caught_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("one.log"), Cluster::new("one").log(0..30)).unwrap();
    fs::write(path("two.log"), Cluster::new("two").log(0..40)).unwrap();
    fs::write(
        path("three.log"),
        Cluster::new("three").log(0..10) + "garbage\n",
    )
    .unwrap();
    let lake = Lake::in_folder(path("lake"));
    assert_eq!(lake.added(&[path("one.log")]), 30);
    let kept = files(&path("lake/sources"));
    assert_eq!(lake.added(&[path("two.log"), path("three.log")]), 50);
    // As if it had been killed there: the table is as it was before.
    for file in files(&path("lake/sources"))
        .into_keys()
        .filter(|file| !kept.contains_key(file))
    {
        fs::remove_file(file).unwrap();
    }
    assert_eq!(lake.count(), 80);
    lake.take(&[path("one.log")]);
    let evidence = lake.ask(
        "SELECT count(*) n, sum(events) events, sum(rejects) rejects FROM sources",
        &[],
    );
    assert_eq!(evidence, [json!({"n": 3, "events": 80, "rejects": 1})]);
    lake.take(&[path("three.log"), path("two.log"), path("one.log")]);
    assert_eq!(
        lake.ask("SELECT count(*) n, sum(events) events FROM sources", &[]),
        [json!({"n": 3, "events": 80})]
    );
    lake.holds(
        &(Cluster::new("one").log(0..30)
            + &Cluster::new("two").log(0..40)
            + &Cluster::new("three").log(0..10)),
    );
    lake.rows_of("verify", &[], 0);
}

/// The command, which can write files of so many blocks of 512 bytes only: what it meets is what a
/// full disk is to it.
fn limited(blocks: u32, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args([
        "-c",
        r#"trap "" XFSZ; ulimit -f "$1"; shift; exec "$@""#,
        "sh",
        &blocks.to_string(),
    ]);
    limited.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

#[test]
fn when_no_more_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let lake = Lake::in_folder(folder.path().join("lake"));
    let cluster = Cluster::new("full").per_day(60);
    let (mut before, mut failed) = (0, 0);
    for blocks in [0, 1, 2, 4, 8, 16, 32, 64, 128, 100_000] {
        append(&log, cluster.log(before..before + 100));
        before += 100;
        let ran = run(&mut limited(blocks, &lake.converter(&[&log])));
        if ran.code == 0 {
            assert_eq!(lake.count(), before as u64, "{blocks} blocks");
            continue;
        }
        failed += 1;
        assert_eq!(ran.code, 2, "{blocks} blocks: {}", ran.stderr);
        assert!(
            ran.stderr.contains("error") && ran.stderr.contains(&lake.uri),
            "{blocks} blocks: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
        if blocks == 4 {
            // What could be written in the end is there once.
            lake.take(&[&log]);
            lake.holds(&cluster.log(0..before));
        }
    }
    assert!((3..10).contains(&failed), "{failed} runs failed");
    assert_eq!(lake.added(&[&log]), 0);
    lake.holds(&cluster.log(0..before));
    lake.rows_of("verify", &[], 0);
    lake.rows_of("vacuum", &["--older-than", "0s"], 0);
    lake.holds(&cluster.log(0..before));
}

#[test]
fn when_nothing_may_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let cluster = Cluster::new("locked");
    append(&path("audit.log"), cluster.log(0..20));
    let lake = Lake::in_folder(path("lake"));
    assert_eq!(lake.added(&[path("audit.log")]), 20);
    append(&path("audit.log"), cluster.log(20..40));
    let set = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap()
    };
    let mut folders: BTreeSet<PathBuf> = BTreeSet::from([path("lake"), path("closed")]);
    for file in files(&path("lake")).into_keys() {
        folders.extend(
            file.ancestors()
                .skip(1)
                .take_while(|above| above.starts_with(path("lake")))
                .map(Path::to_path_buf),
        );
    }
    fs::create_dir(path("closed")).unwrap();
    folders.iter().for_each(|folder| set(folder, 0o500));
    // Nothing is closed to root.
    let is_root = fs::write(path("closed/probe"), "").is_ok();
    let try_to = |lake: &Lake| {
        let converter = lake.converter(&[path("audit.log")]);
        run(&mut if is_root {
            without_privileges(&converter)
        } else {
            converter
        })
    };
    let ran = try_to(&lake);
    let new = try_to(&Lake::in_folder(path("closed/lake")));
    let read = lake.asked("SELECT count(*) n FROM events", &[]);
    folders.iter().for_each(|folder| set(folder, 0o700));
    for ran in [ran, new] {
        assert!(
            ran.code == 2 && ran.stderr.contains("ermission denied"),
            "{}: {}",
            ran.code,
            ran.stderr
        );
    }
    assert_eq!(read.rows(0), [json!({"n": 20})]);
    assert_eq!(lake.added(&[path("audit.log")]), 20);
    lake.holds(&cluster.log(0..40));
}

/// The command as root to whom permissions apply.
fn without_privileges(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped
        .arg("--bounding-set=-dac_override,-dac_read_search")
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}

/// A run that takes long is stopped in an orderly way, too.
#[test]
fn stopped_by_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let mut text: Vec<u8> = Vec::new();
    let made = auditql_benches::generate(&mut text, 20_000_000, 3).unwrap();
    fs::write(&log, text).unwrap();
    let stopped_after = |round: u64| {
        let lake = Lake::in_folder(folder.path().join(format!("lake-{round}")));
        let mut child = start(&mut lake.converter(&[&log]));
        std::thread::sleep(Duration::from_millis(25 * round));
        let sent = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        (child.wait().unwrap().code() == Some(143)).then_some(lake)
    };
    // The first ones are stopped before they can take notice.
    let lake = (1..=80).find_map(stopped_after).unwrap();
    lake.take(&[&log]);
    assert_eq!(lake.count(), made.events);
    assert_eq!(lake.added(&[&log]), 0);
}
