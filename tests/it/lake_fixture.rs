//! What the tests of lakes share: logs that are made event by event, a lake with the commands that
//! act on it, and comparison by identity: the same events as JSON values, each as often as in the
//! log, never only as many.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::{bin::Ran, stores::command_in};

/// A made-up cluster: each of its events differs from all others, and is the same in every run.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    /// What its audit ids begin with, before a hyphen.
    name: String,
    /// Events lie on the first 28 days of this month, one day after the other.
    month: &'static str,
    per_day: usize,
}

impl Cluster {
    /// 50 events a day in November 2026.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            month: "2026-11",
            per_day: 50,
        }
    }

    pub(crate) fn month(self, month: &'static str) -> Self {
        Self { month, ..self }
    }

    pub(crate) fn per_day(self, per_day: usize) -> Self {
        Self { per_day, ..self }
    }

    /// Two after each other are the stages of one request.
    pub(crate) fn event(&self, number: usize) -> Value {
        const VERBS: [&str; 4] = ["get", "list", "create", "delete"];
        const CODES: [u16; 4] = [200, 403, 201, 404];
        const USERS: [&str; 4] = [
            "alice",
            "bob@example.com",
            "system:serviceaccount:ns:builder",
            "zoë \"z\" <b>",
        ];
        let (request, complete) = (number / 2, number % 2 == 1);
        let day = 1 + number / self.per_day % 28;
        let second = (number % self.per_day) / 2 * 2 * 86_000 / self.per_day;
        let time = |micros: usize| {
            format!(
                "{}-{day:02}T{:02}:{:02}:{:02}.{micros:06}Z",
                self.month,
                second / 3600,
                second / 60 % 60,
                second % 60
            )
        };
        let received = time(request % 500_000);
        let staged = if complete {
            time(request % 500_000 + 250_000)
        } else {
            received.clone()
        };
        let mut event = json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("{}-{request:06}", self.name),
            "stage": if complete { "ResponseComplete" } else { "RequestReceived" },
            "requestURI": format!("/api/v1/namespaces/ns-{}/pods?limit={request}", request % 7), "verb": VERBS[request % 4],
            "user": {"username": USERS[request / 4 % 4], "groups": ["system:authenticated"]}, "sourceIPs": ["10.0.0.1", "192.168.7.9"],
            "userAgent": "kubectl/v1.36.2 (linux/amd64) kubernetes/98b3519",
            "objectRef": {"resource": "pods", "namespace": format!("ns-{}", request % 7), "apiVersion": "v1"},
            "requestReceivedTimestamp": received, "stageTimestamp": staged,
        });
        if complete {
            event["responseStatus"] = json!({"metadata": {}, "code": CODES[request % 4]});
            event["annotations"] = json!({"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""});
        }
        if complete && request.is_multiple_of(3) {
            event["level"] = json!("Request");
            event["requestObject"] = json!({"kind": "Pod", "metadata": {"name": format!("p-{request}"), "labels": {"a": "ü\n\u{1F980}"}}});
        }
        event
    }

    /// An event as a line of a log.
    pub(crate) fn line(&self, number: usize) -> String {
        format!("{}\n", self.event(number))
    }

    /// Some of the events, as a log.
    pub(crate) fn log(&self, numbers: Range<usize>) -> String {
        numbers.map(|number| self.line(number)).collect()
    }
}

/// The events of a log as texts that are equal where the events are equal as JSON values, in a
/// fixed order.
pub(crate) fn identities(log: &str) -> Vec<String> {
    let lines = log.lines().filter(|line| !line.trim().is_empty());
    let mut events: Vec<String> = lines
        .map(|line| ordered(serde_json::from_str(line).unwrap()).to_string())
        .collect();
    events.sort();
    events
}

fn ordered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members
                .into_iter()
                .map(|(name, value)| (name, ordered(value)))
                .collect();
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(ordered).collect()),
        other => other,
    }
}

/// Both hold the same, each as often.
#[track_caller]
pub(crate) fn assert_same(got: &[String], want: &[String]) {
    let mut missing: BTreeMap<&str, i64> = BTreeMap::new();
    for one in want {
        *missing.entry(one.as_str()).or_default() += 1;
    }
    for one in got {
        *missing.entry(one.as_str()).or_default() -= 1;
    }
    let of = |wanted: bool| {
        missing
            .iter()
            .filter(|(_, count)| **count != 0 && (**count > 0) == wanted)
            .collect::<Vec<_>>()
    };
    let (lost, extra) = (of(true), of(false));
    assert!(
        lost.is_empty() && extra.is_empty(),
        "{} instead of {}; {} lost, such as {:#?}; {} too many, such as {:#?}",
        got.len(),
        want.len(),
        lost.len(),
        &lost[..lost.len().min(2)],
        extra.len(),
        &extra[..extra.len().min(2)]
    );
}

/// Adds to the end of a file, which need not be there.
pub(crate) fn append(path: &Path, content: impl AsRef<[u8]>) {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .unwrap();
    file.write_all(content.as_ref()).unwrap();
}

/// The files below a folder, and what is in them.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}

pub(crate) fn sum(counts: &Value) -> u64 {
    counts
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum()
}

fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    ran(command.output().unwrap())
}

/// Runs commands at the same time.
pub(crate) fn at_once(commands: Vec<Command>) -> Vec<Ran> {
    let start = |mut command: Command| {
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let running: Vec<Child> = commands.into_iter().map(start).collect();
    running
        .into_iter()
        .map(|child| ran(child.wait_with_output().unwrap()))
        .collect()
}

/// A lake in a folder or in a store; it need not be there yet.
#[derive(Debug)]
pub(crate) struct Lake {
    pub(crate) uri: String,
    /// What leads to the store.
    env: Vec<(String, String)>,
}

impl Lake {
    pub(crate) fn in_folder(folder: impl AsRef<Path>) -> Self {
        Self {
            uri: folder.as_ref().to_str().unwrap().to_owned(),
            env: Vec::new(),
        }
    }

    pub(crate) fn in_store(uri: String, env: &[(String, String)]) -> Self {
        Self {
            uri,
            env: env.to_vec(),
        }
    }

    /// The binary, with these arguments.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: &[A]) -> Command {
        let mut command = command_in(&self.env);
        command.args(args);
        command
    }

    /// `convert` of these inputs into the lake.
    pub(crate) fn converter<I: AsRef<OsStr>>(&self, inputs: &[I]) -> Command {
        let mut command = self.command(&["convert"]);
        for input in inputs {
            command.arg("-i").arg(input);
        }
        command.arg("--to").arg(&self.uri);
        command
    }

    pub(crate) fn convert<I: AsRef<OsStr>>(&self, inputs: &[I]) -> Ran {
        run(&mut self.converter(inputs))
    }

    /// Converts these inputs, which has to end well; the account of the run, which has to add up.
    #[track_caller]
    pub(crate) fn take<I: AsRef<OsStr>>(&self, inputs: &[I]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let summary = folder.path().join("summary.json");
        let ran = run(self.converter(inputs).arg("--summary").arg(&summary));
        assert!(matches!(ran.code, 0 | 3), "{}: {}", ran.code, ran.stderr);
        let account: Value = serde_json::from_slice(&fs::read(&summary).unwrap()).unwrap();
        let rejected = sum(&account["rejects"]);
        assert_eq!(
            account["read"],
            account["events"].as_u64().unwrap() + rejected + sum(&account["skipped"]),
            "{account}"
        );
        assert_eq!(
            ran.code,
            if rejected == 0 { 0 } else { 3 },
            "{account}: {}",
            ran.stderr
        );
        account
    }

    /// Converts these inputs; how many events were new.
    #[track_caller]
    pub(crate) fn added<I: AsRef<OsStr>>(&self, inputs: &[I]) -> u64 {
        self.take(inputs)["events"].as_u64().unwrap()
    }

    /// Asks the lake.
    pub(crate) fn asked(&self, question: &str, more: &[&str]) -> Ran {
        run(self
            .command(&["sql", question, "-i", &self.uri, "-o", "jsonl"])
            .args(more))
    }

    /// What the lake answers.
    #[track_caller]
    pub(crate) fn ask(&self, question: &str, more: &[&str]) -> Vec<Value> {
        self.asked(question, more).rows(0)
    }

    #[track_caller]
    pub(crate) fn count(&self) -> u64 {
        self.ask("SELECT count(*) n FROM events", &[])[0]["n"]
            .as_u64()
            .unwrap()
    }

    /// `lake VERB LAKE …`.
    pub(crate) fn verb(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = self.command(&["lake", verb, &self.uri, "-o", "jsonl"]);
        command.args(more);
        command
    }

    /// Runs `lake VERB LAKE …`, which has to end with this code; its rows.
    #[track_caller]
    pub(crate) fn rows_of(&self, verb: &str, more: &[&str], code: i32) -> Vec<Value> {
        run(&mut self.verb(verb, more)).rows(code)
    }

    /// The original events, as `lake export` writes them.
    #[track_caller]
    pub(crate) fn exported(&self, more: &[&str]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("events.jsonl");
        run(self
            .command(&["lake", "export", &self.uri, "--to"])
            .arg(&file)
            .args(more))
        .text(0);
        fs::read_to_string(file).unwrap()
    }

    /// The lake holds the events of this log, each as often as the log.
    #[track_caller]
    pub(crate) fn holds(&self, log: &str) {
        assert_same(&identities(&self.exported(&[])), &identities(log));
    }

    pub(crate) fn folder(&self) -> &Path {
        Path::new(&self.uri)
    }

    /// The commits of the lake's events, oldest first, as Delta's protocol has them.
    fn commits(&self) -> Vec<String> {
        let log = self.folder().join("events/_delta_log");
        let is_commit = |name: &str| {
            name.strip_suffix(".json")
                .is_some_and(|number| number.len() == 20)
        };
        let names = fs::read_dir(&log)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names: BTreeSet<String> = names.filter(|name| is_commit(name)).collect();
        names
            .iter()
            .map(|name| fs::read_to_string(log.join(name)).unwrap())
            .collect()
    }

    /// The version of the table of the events.
    pub(crate) fn version(&self) -> usize {
        self.commits().len() - 1
    }

    /// The data files that the events are in, below the table's folder.
    pub(crate) fn live(&self) -> BTreeSet<String> {
        let mut live = BTreeSet::new();
        for commit in self.commits() {
            for action in commit.lines() {
                let action: Value = serde_json::from_str(action).unwrap();
                if let Some(path) = action["remove"]["path"].as_str() {
                    live.remove(path);
                }
                if let Some(path) = action["add"]["path"].as_str() {
                    live.insert(path.to_owned());
                }
            }
        }
        live
    }

    /// All data files that lie there.
    pub(crate) fn stored(&self) -> BTreeSet<String> {
        let table = self.folder().join("events");
        let below = files(&table).into_keys().map(|path| {
            path.strip_prefix(&table)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        });
        below
            .filter(|path| !path.starts_with("_delta_log"))
            .collect()
    }
}
