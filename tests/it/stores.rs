//! Inputs in stores, against emulators of S3, Cloud Storage and Azure and against servers that
//! misbehave on purpose: the same rows as from local files, whatever happens on the way, and a
//! message at once where there is nothing to be had.
//!
//! `tests/emulators/emulators.py` installs the emulators into the folder that `AUDITQL_EMULATORS`
//! names; without it the tests that need them are ignored. Nothing is to be stopped: the emulators
//! end with this process, whose pipe they read.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{LazyLock, Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::bin::{Ran, command, data};

/// Everything that could differ, in a fixed order.
const ROWS: &str = "SELECT audit_id, stage, verb, request_uri, username, response_code, request_object, source_line, source_offset, \
    event_bytes FROM events ORDER BY audit_id, stage, source_offset, event_bytes";

const COUNT: &str = "SELECT count(*) n, count(DISTINCT audit_id) ids FROM events";

/// The emulators, and the stores that they are.
struct Emulators {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    running: Vec<Store>,
    _process: Child,
}

/// An emulated store.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// As `emulators.py` calls it.
    pub(crate) name: String,
    scheme: &'static str,
    /// What points a program to it.
    pub(crate) env: Vec<(String, String)>,
}

static EMULATORS: LazyLock<Mutex<Emulators>> = LazyLock::new(|| {
    let cache = std::env::var_os("AUDITQL_EMULATORS").expect("the folder of the emulators");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("emulators/emulators.py");
    let mut process = Command::new("python3")
        .arg(script)
        .args(["start", "--cache"])
        .arg(cache)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = process.stdin.take().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let started = line(&mut output);
    let mut running = Vec::new();
    for (name, scheme) in [("s3", "s3"), ("gcs", "gs"), ("azure", "az")] {
        assert_eq!(started[name]["error"], Value::Null, "{name} does not run");
        running.push(Store {
            name: name.to_owned(),
            scheme,
            env: variables(&started[name]),
        });
    }
    Mutex::new(Emulators {
        input,
        output,
        running,
        _process: process,
    })
});

fn line(output: &mut BufReader<ChildStdout>) -> Value {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
}

fn variables(object: &Value) -> Vec<(String, String)> {
    object
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
        .collect()
}

/// All stores.
pub(crate) fn stores() -> Vec<Store> {
    let emulators = EMULATORS.lock().unwrap_or_else(PoisonError::into_inner);
    emulators.running.clone()
}

pub(crate) fn store(name: &str) -> Store {
    let mut stores = stores().into_iter();
    stores.find(|store| store.name == name).unwrap()
}

/// Has the emulators do something.
pub(crate) fn tell(words: &Value) -> Value {
    let mut emulators = EMULATORS.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(emulators.input, "{words}").unwrap();
    let answer = line(&mut emulators.output);
    assert_eq!(answer["error"], Value::Null, "{words}");
    answer
}

pub(crate) fn upload(bucket: &str, folder: &Path, prefix: &str) {
    tell(&json!({"do": "upload", "bucket": bucket, "folder": folder, "prefix": prefix}));
}

/// A server with faults, and how to see what it did.
pub(crate) struct Faulty {
    url: String,
    store: Option<Store>,
}

impl Faulty {
    /// In front of a store.
    pub(crate) fn before(store: &Store, mut faults: Value) -> Self {
        faults["do"] = json!("faults");
        faults["upstream"] = json!(store.name);
        let started = tell(&faults);
        let store = Store {
            env: variables(&started["env"]),
            ..store.clone()
        };
        Self {
            url: started["url"].as_str().unwrap().to_owned(),
            store: Some(store),
        }
    }

    /// For the files of a folder.
    fn of(folder: &Path, mut faults: Value) -> Self {
        faults["do"] = json!("faults");
        faults["root"] = json!(folder);
        Self {
            url: tell(&faults)["url"].as_str().unwrap().to_owned(),
            store: None,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// What it has done so far: `requests`, `failed`, `cut`, `bytes`.
    pub(crate) fn seen(&self, what: &str) -> u64 {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(host).unwrap();
        write!(
            connection,
            "GET /.faults HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap()[what]
            .as_u64()
            .unwrap()
    }
}

impl Store {
    pub(crate) fn url(&self, bucket: &str, key: &str) -> String {
        format!("{}://{bucket}/{key}", self.scheme)
    }
}

/// An environment that knows of no store.
const NOWHERE: &[(String, String)] = &[];

/// The command, in an environment that says nothing of stores but this.
pub(crate) fn command_in(env: &[(String, String)]) -> Command {
    static HOME: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    let mut command = command();
    for (name, _) in std::env::vars_os() {
        let is_setting = [
            "AWS_",
            "AZURE_",
            "GOOGLE_",
            "GCE_",
            "IDENTITY_",
            "CLOUDSDK_",
            "STORAGE_",
            "SERVICE_ACCOUNT",
        ]
        .iter()
        .any(|prefix| name.to_string_lossy().starts_with(prefix));
        if is_setting {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", HOME.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command
}

/// Asks about an input, in such an environment.
fn ask(env: &[(String, String)], question: &str, input: &str, more: &[&str]) -> Ran {
    let output = command_in(env)
        .args(["sql", question, "-i", input, "-o", "jsonl"])
        .args(more)
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The input in the store gives the rows that the local one gives.
#[track_caller]
fn same(store: &Store, url: &str, local: &Path, more: &[&str]) {
    same_in(&store.env, url, local, more);
}

#[track_caller]
fn same_in(env: &[(String, String)], url: &str, local: &Path, more: &[&str]) {
    let want = ask(NOWHERE, ROWS, local.to_str().unwrap(), more).rows(0);
    let got = ask(env, ROWS, url, more).rows(0);
    assert!(!want.is_empty(), "{} has no events", local.display());
    assert!(
        got == want,
        "{url}: {} rows instead of {}",
        got.len(),
        want.len()
    );
}

fn event(id: &str, time: &str) -> String {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": id, "stage": "ResponseComplete",
        "requestURI": "/api/v1/namespaces/ns/pods", "verb": "list", "user": {"username": "alice"}, "sourceIPs": ["10.0.0.1"],
        "objectRef": {"resource": "pods", "namespace": "ns", "apiVersion": "v1"}, "responseStatus": {"metadata": {}, "code": 200},
        "requestReceivedTimestamp": time, "stageTimestamp": time,
    })
    .to_string()
        + "\n"
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A log of so many bytes and more, whose events can be told apart and hardly compressed.
fn long_log(bytes: usize) -> String {
    let mut log = String::new();
    let mut state: u64 = 1;
    while log.len() < bytes {
        let mut id = String::new();
        for _ in 0..40 {
            // Knuth's linear congruential generator.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            id.push_str(&format!("{state:016x}"));
        }
        log.push_str(&event(&id, "2026-11-22T10:00:00.000000Z"));
    }
    log
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn objects_folders_and_globs_give_the_rows_of_files() {
    let running = stores();
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "audit.log",
        "audit-2026-11-22T10-28-28.612.log.gz",
        "webhook-00001.json",
    ] {
        write(
            folder.path(),
            &format!("one/{name}"),
            fs::read(data("sample").join(name)).unwrap(),
        );
    }
    write(
        folder.path(),
        "one/two/three four+five=six.log",
        event("nested", "2026-11-22T10:00:00.000000Z"),
    );
    write(
        folder.path(),
        "one/two/pct%20x.log",
        event("percent", "2026-11-22T10:00:00.000000Z"),
    );
    write(folder.path(), "one/two/empty", "");
    write(
        folder.path(),
        "one-not/other.log",
        event("other", "2026-11-22T10:00:00.000000Z"),
    );
    upload("objects-and-folders", folder.path(), "");
    let local = |path: &str| folder.path().join(path);
    for store in running {
        let url = |key: &str| store.url("objects-and-folders", key);
        for key in [
            "one/audit.log",
            "one/audit-2026-11-22T10-28-28.612.log.gz",
            "one/two/three four+five=six.log",
            "one/two/pct%20x.log",
        ] {
            same(&store, &url(key), &local(key), &[]);
        }
        same(&store, &url(""), &local(""), &[]);
        same(&store, &url("one"), &local("one"), &[]);
        same(&store, &url("one/"), &local("one"), &[]);
        same(&store, &url("one/two/"), &local("one/two"), &[]);
        for glob in ["one/*.json", "o*/audit*", "one/**/*.log", "one/two*", "*"] {
            same(&store, &url(glob), &local(glob), &[]);
        }
        let rows = ask(
            &store.env,
            "SELECT DISTINCT source_file FROM events",
            &url("one/two/"),
            &[],
        )
        .rows(0);
        assert!(
            rows.contains(&json!({"source_file": url("one/two/pct%20x.log")})),
            "{rows:?}"
        );
        for (missing, why) in [
            ("none", "no such object or folder"),
            ("none/", "no object in this folder"),
            ("none*", "no object matches"),
        ] {
            let ran = ask(&store.env, COUNT, &url(missing), &[]);
            assert!(
                ran.code == 2 && ran.stderr.contains(why),
                "{} {missing}: {} {}",
                store.name,
                ran.code,
                ran.stderr
            );
        }
        let ran = ask(
            &store.env,
            COUNT,
            &store.url("there-is-no-such-bucket", "x"),
            &[],
        );
        assert!(
            ran.code == 2 && ran.stderr.contains("there-is-no-such-bucket"),
            "{}: {} {}",
            store.name,
            ran.code,
            ran.stderr
        );
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn objects_of_several_members_are_read_to_the_end() {
    let running = stores();
    let folder = tempfile::tempdir().unwrap();
    let one = |number: usize| {
        event(&format!("member-{number}"), "2026-11-22T10:00:00.000000Z").into_bytes()
    };
    let members = |pack: &dyn Fn(&[u8]) -> Vec<u8>| {
        (0..50)
            .flat_map(|number| pack(&one(number)))
            .collect::<Vec<u8>>()
    };
    write(folder.path(), "gzip", members(&gzip));
    write(
        folder.path(),
        "zstd",
        members(&|bytes| zstd::encode_all(bytes, 1).unwrap()),
    );
    // Members that lie across the border of what is asked for at once.
    let long = long_log(26 << 20);
    let halves: Vec<u8> = long
        .as_bytes()
        .chunks(1 << 20)
        .flat_map(|part| zstd::encode_all(part, -7).unwrap())
        .collect();
    write(folder.path(), "zstd-long", halves);
    upload("several-members", folder.path(), "");
    for store in running {
        for name in ["gzip", "zstd", "zstd-long"] {
            let want = ask(
                NOWHERE,
                COUNT,
                folder.path().join(name).to_str().unwrap(),
                &[],
            )
            .rows(0);
            assert_eq!(
                ask(&store.env, COUNT, &store.url("several-members", name), &[]).rows(0),
                want,
                "{} {name}",
                store.name
            );
        }
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_thousand_small_objects() {
    let running = stores();
    let objects: serde_json::Map<String, Value> = (0..1000)
        .map(|number| {
            (
                format!("p/{}/{number:04}.log", number % 7),
                json!(event(
                    &format!("id-{number}"),
                    "2026-11-22T10:00:00.000000Z"
                )),
            )
        })
        .collect();
    tell(&json!({"do": "upload", "bucket": "a-thousand", "objects": objects}));
    for store in running {
        let rows = ask(&store.env, COUNT, &store.url("a-thousand", "p/"), &[]).rows(0);
        assert_eq!(rows, [json!({"n": 1000, "ids": 1000})], "{}", store.name);
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_server_that_fails_now_and_then_costs_nothing() {
    let running = stores();
    let folder = tempfile::tempdir().unwrap();
    for number in 0..60 {
        let content = event(&format!("id-{number}"), "2026-11-22T10:00:00.000000Z");
        write(
            folder.path(),
            &format!("small/{number}"),
            if number % 2 == 0 {
                content.into_bytes()
            } else {
                gzip(content.as_bytes())
            },
        );
    }
    write(folder.path(), "long/plain.log", long_log(9 << 20));
    write(
        folder.path(),
        "long/packed.log.zst",
        zstd::encode_all(long_log(1 << 20).as_bytes(), 1).unwrap(),
    );
    upload("now-and-then", folder.path(), "");
    for store in running {
        let failing = Faulty::before(
            &store,
            json!({"fail_every": 3, "fail_with": "503,reset,500"}),
        );
        same(
            failing.store(),
            &store.url("now-and-then", "small/"),
            &folder.path().join("small"),
            &[],
        );
        assert!(
            failing.seen("failed") > 20,
            "{}: {} failures",
            store.name,
            failing.seen("failed")
        );
        // Bodies and pages that end half way. A window makes it list the folders one by one.
        for only in ["objects", "lists"] {
            let cutting = Faulty::before(&store, json!({"cut_every": 2, "only": only}));
            same(
                cutting.store(),
                &store.url("now-and-then", ""),
                folder.path(),
                &["--since", "2026-01-01"],
            );
            assert!(cutting.seen("cut") > 0, "{} {only}", store.name);
        }
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_slow_server_is_waited_for() {
    let store = store("s3");
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "audit.log",
        fs::read(data("sample/audit.log")).unwrap(),
    );
    upload("slow-server", folder.path(), "");
    // It takes three seconds.
    let slow = Faulty::before(
        &store,
        json!({"slow": 170_000, "latency": 0.5, "only": "objects"}),
    );
    same(
        slow.store(),
        &store.url("slow-server", "audit.log"),
        &folder.path().join("audit.log"),
        &[],
    );
    let slow = Faulty::of(folder.path(), json!({"slow": 170_000, "no_etag": true}));
    same_in(
        NOWHERE,
        &format!("{}/audit.log", slow.url),
        &folder.path().join("audit.log"),
        &[],
    );
}

#[test]
fn a_dead_server_is_told() {
    // Nothing listens on a port that was just given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}");
    let set = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
    };
    let keys = [
        ("AWS_ACCESS_KEY_ID", "hush-hush"),
        ("AWS_SECRET_ACCESS_KEY", "hush-hush"),
    ];
    let azure = format!("AccountName=acc;AccountKey=aHVzaA==;BlobEndpoint={url}/acc");
    let web = format!("{url}/x.log?token=hush-hush");
    for (env, input) in [
        (
            set(&[("AWS_ENDPOINT_URL", url.as_str()), keys[0], keys[1]]),
            "s3://bucket/x",
        ),
        (
            set(&[
                ("GOOGLE_BASE_URL", url.as_str()),
                ("GOOGLE_SKIP_SIGNATURE", "true"),
            ]),
            "gs://bucket/x/",
        ),
        (
            set(&[("AZURE_STORAGE_CONNECTION_STRING", azure.as_str())]),
            "az://bucket/x",
        ),
        (set(&[]), web.as_str()),
    ] {
        let ran = ask(&env, COUNT, input, &[]);
        assert!(
            ran.code == 2 && ran.stderr.contains("cannot be reached"),
            "{input}: {} {}",
            ran.code,
            ran.stderr
        );
        assert!(
            !ran.stderr.contains("hush-hush") && !ran.stderr.contains("aHVzaA"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn a_store_that_only_fails_is_given_up() {
    for store in stores() {
        let dead = Faulty::before(&store, json!({"fail_first": 1_000_000}));
        let ran = ask(
            &dead.store().env,
            COUNT,
            &store.url("any-bucket", "x/"),
            &[],
        );
        assert!(
            ran.code == 2 && ran.stderr.contains("503"),
            "{}: {} {}",
            store.name,
            ran.code,
            ran.stderr
        );
        let requests = dead.seen("requests");
        assert!((2..=20).contains(&requests), "{}: {requests}", store.name);
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn keys_that_cannot_be_addressed_are_reported() {
    let running = stores();
    let text = |id: &str| event(id, "2026-11-22T10:00:00.000000Z");
    tell(&json!({"do": "upload", "bucket": "odd-keys", "objects": {
        "p/fine.log": text("fine"), "p/a b+c=d:e#f?.log": text("special"), "p/marker/": "", "p//double.log": text("double"),
        "p/./dot.log": text("dot"), "/lead.log": text("lead"),
    }}));
    for store in running {
        let url = |key: &str| store.url("odd-keys", key);
        let rows = ask(
            &store.env,
            "SELECT audit_id FROM events ORDER BY 1",
            &url("p/"),
            &[],
        )
        .rows(3);
        assert_eq!(
            rows,
            [json!({"audit_id": "fine"}), json!({"audit_id": "special"})],
            "{}",
            store.name
        );
        let rejects = "SELECT source_file, message FROM rejects ORDER BY 1";
        let (flat, by_folder): (&[&str], &[&str]) = (&[], &["--since", "2026-11-01"]);
        for more in [flat, by_folder] {
            let rows = ask(&store.env, rejects, &url("p/"), more).rows(3);
            let files: Vec<&str> = rows
                .iter()
                .map(|row| row["source_file"].as_str().unwrap())
                .collect();
            assert_eq!(
                files,
                [url("p/./dot.log"), url("p//double.log")],
                "{}",
                store.name
            );
            assert!(
                rows.iter().all(|row| row["message"]
                    .as_str()
                    .unwrap()
                    .contains("cannot be addressed")),
                "{rows:?}"
            );
        }
        let rows = ask(&store.env, rejects, &url(""), &[]).rows(3);
        assert!(
            rows.iter()
                .any(|row| row["source_file"] == url("/lead.log")),
            "{}: {rows:?}",
            store.name
        );
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn of_a_window_only_its_days_are_fetched() {
    let running = stores();
    let aks = "insights/resourceId=/SUBSCRIPTIONS/S/RESOURCEGROUPS/G/PROVIDERS/MICROSOFT.CONTAINERSERVICE/MANAGEDCLUSTERS/C";
    let folder = tempfile::tempdir().unwrap();
    let mut number = 0;
    for (month, days) in [(9, 1..=30), (10, 1..=31)] {
        for day in days {
            let time = format!("2026-{month:02}-{day:02}T07:30:00.000000Z");
            for name in [
                format!(
                    "gcs/cloudaudit.googleapis.com/activity/2026/{month:02}/{day:02}/07:00:00_07:59:59_S0.json"
                ),
                format!("aks/{aks}/y=2026/m={month:02}/d={day:02}/h=07/m=00/PT1H.json"),
                format!(
                    "firehose/2026/{month:02}/{day:02}/07/stream-1-2026-{month:02}-{day:02}-07-00-00-abc"
                ),
                format!("hive/date=2026-{month:02}-{day:02}/part-0.json"),
            ] {
                number += 1;
                write(folder.path(), &name, event(&format!("id-{number}"), &time));
            }
        }
    }
    upload("days-of-a-window", folder.path(), "");
    let window = ["--since", "2026-10-10", "--until", "2026-10-12"];
    for store in running {
        for layout in ["gcs/", "aks/", "firehose/", "hive/"] {
            let watched = Faulty::before(&store, json!({"only": "objects"}));
            same(
                watched.store(),
                &store.url("days-of-a-window", layout),
                &folder.path().join(layout),
                &window,
            );
            // Two days, and one on each side; an object may be asked for more than once, the others
            // never.
            let asked = watched.seen("requests");
            assert!(
                (4..=16).contains(&asked),
                "{} {layout}: {asked} requests for objects",
                store.name
            );
            let watched = Faulty::before(&store, json!({"only": "lists"}));
            same(
                watched.store(),
                &store.url("days-of-a-window", layout),
                &folder.path().join(layout),
                &window,
            );
            let asked = watched.seen("requests");
            assert!(
                asked <= 20,
                "{} {layout}: {asked} requests for listings",
                store.name
            );
        }
        // Without a window it is all there.
        same(
            &store,
            &store.url("days-of-a-window", "aks/"),
            &folder.path().join("aks"),
            &[],
        );
    }
}

#[test]
fn without_credentials_it_says_so() {
    let nothing = tempfile::tempdir().unwrap();
    let nothing = nothing.path().to_str().unwrap().to_owned();
    // No command line of a cloud on the path, and no metadata service.
    let base = [
        ("PATH", nothing.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("GCE_METADATA_IP", "127.0.0.1:1"),
        ("GCE_METADATA_HOST", "127.0.0.1:1"),
    ];
    for (input, account, why) in [
        ("s3://bucket/x", "", "set AWS_ACCESS_KEY_ID"),
        ("gs://bucket/x", "", "gcloud auth application-default login"),
        ("az://container/x", "acc", "az login"),
        ("az://container/x", "", "AZURE_STORAGE_ACCOUNT_NAME"),
    ] {
        let mut env: Vec<(String, String)> = base
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        env.push(("AZURE_STORAGE_ACCOUNT_NAME".to_owned(), account.to_owned()));
        let ran = ask(&env, COUNT, input, &[]);
        assert!(
            ran.code == 2 && ran.stderr.contains(why),
            "{input}: {} {}",
            ran.code,
            ran.stderr
        );
    }
    let env = [("AWS_PROFILE".to_owned(), "nobody".to_owned())];
    let ran = ask(&env, COUNT, "s3://bucket/x", &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("the AWS profile `nobody`"),
        "{} {}",
        ran.code,
        ran.stderr
    );
}

#[cfg(unix)]
#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn profiles_and_connection_strings_lead_to_the_store() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "logs/audit.log",
        event("one", "2026-11-22T10:00:00.000000Z"),
    );
    let logs = folder.path().join("logs");
    let get = |store: &Store, name: &str| {
        store
            .env
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            .unwrap()
    };
    {
        let store = store("s3");
        upload("by-profile", &logs, "");
        let printed = r#"{"Version":1,"AccessKeyId":"testing","SecretAccessKey":"testing","Expiration":"2099-01-01T00:00:00Z"}"#;
        write(folder.path(), "keys", printed);
        let (endpoint, keys) = (
            get(&store, "AWS_ENDPOINT_URL"),
            folder.path().join("keys").display().to_string(),
        );
        let config = format!(
            "[profile keys]\nregion = us-east-1\nendpoint_url = {endpoint}\n\
             [profile tool]\nservices = here\nregion = us-east-1\ncredential_process = /bin/cat \"{keys}\"\n\
             [services here]\ns3 =\n  endpoint_url = {endpoint}\n"
        );
        write(folder.path(), ".aws/config", config);
        write(
            folder.path(),
            ".aws/credentials",
            "[keys]\naws_access_key_id = testing\naws_secret_access_key = testing\n",
        );
        let home = folder.path().display().to_string();
        for profile in ["keys", "tool"] {
            let env = [
                ("HOME".to_owned(), home.clone()),
                ("AWS_PROFILE".to_owned(), profile.to_owned()),
            ];
            same_in(&env, "s3://by-profile/", &logs, &[]);
        }
    }
    {
        let store = store("azure");
        upload("by-connection-string", &logs, "");
        let (account, key) = (
            get(&store, "AZURE_STORAGE_ACCOUNT_NAME"),
            get(&store, "AZURE_STORAGE_ACCOUNT_KEY"),
        );
        let url = get(&store, "AZURITE_BLOB_STORAGE_URL");
        let text = format!(
            "DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={url}/{account};"
        );
        same_in(
            &[("AZURE_STORAGE_CONNECTION_STRING".to_owned(), text)],
            "az://by-connection-string/",
            &logs,
            &[],
        );
        let env = [
            ("AZURE_STORAGE_ACCOUNT".to_owned(), account.clone()),
            ("AZURE_STORAGE_KEY".to_owned(), key),
            (
                "AZURE_STORAGE_ENDPOINT".to_owned(),
                format!("{url}/{account}/"),
            ),
        ];
        same_in(
            &env,
            &format!("abfss://by-connection-string@{account}.dfs.core.windows.net/"),
            &logs,
            &[],
        );
    }
    {
        let store = store("gcs");
        upload("by-emulator-host", &logs, "");
        let host = get(&store, "GOOGLE_BASE_URL").replace("http://", "");
        same_in(
            &[("STORAGE_EMULATOR_HOST".to_owned(), host)],
            "gs://by-emulator-host/",
            &logs,
            &[],
        );
    }
}

#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn files_and_folders_of_web_servers() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "logs/audit.log",
        fs::read(data("sample/audit.log")).unwrap(),
    );
    write(
        folder.path(),
        "logs/long.log.gz",
        gzip(long_log(9 << 20).as_bytes()),
    );
    write(
        folder.path(),
        "logs/2026/11/21/a b.log",
        event("old", "2026-11-21T10:00:00.000000Z"),
    );
    write(
        folder.path(),
        "logs/2026/11/25/new.log",
        event("new", "2026-11-25T10:00:00.000000Z"),
    );
    let local = |path: &str| folder.path().join(path);
    for faults in [
        json!({}),
        json!({"cut_every": 2}),
        json!({"fail_every": 3, "fail_with": "503,reset"}),
        json!({"no_range": true}),
        json!({"no_range": true, "no_etag": true, "fail_every": 4}),
    ] {
        let server = Faulty::of(folder.path(), faults.clone());
        for path in ["logs/audit.log", "logs/long.log.gz"] {
            same_in(
                NOWHERE,
                &format!("{}/{path}", server.url),
                &local(path),
                &[],
            );
        }
        same_in(
            NOWHERE,
            &format!("{}/logs/audit.log?token=hush&name=x", server.url),
            &local("logs/audit.log"),
            &[],
        );
    }
    let server = Faulty::of(folder.path(), json!({}));
    let url = |path: &str| format!("{}/{path}", server.url);
    same_in(
        NOWHERE,
        &url("logs/2026/11/21/a%20b.log"),
        &local("logs/2026/11/21/a b.log"),
        &[],
    );
    same_in(NOWHERE, &url("logs/"), &local("logs"), &[]);
    same_in(
        NOWHERE,
        &url("logs/2026/"),
        &local("logs/2026"),
        &["--since", "2026-11-25"],
    );
    let rows = ask(
        NOWHERE,
        "SELECT DISTINCT source_file FROM events",
        &url("logs/audit.log?token=hush&name=x"),
        &[],
    )
    .rows(0);
    assert_eq!(
        rows,
        [json!({"source_file": url("logs/audit.log?token=…&name=x")})]
    );
    let ran = ask(NOWHERE, COUNT, &url("logs/none.log"), &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("no such file"),
        "{} {}",
        ran.code,
        ran.stderr
    );
    let plain = Faulty::of(folder.path(), json!({"no_webdav": true}));
    let ran = ask(NOWHERE, COUNT, &format!("{}/logs/", plain.url), &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("does not list folders"),
        "{} {}",
        ran.code,
        ran.stderr
    );
}
