//! The emulators of stores: started at the first use, asked over their stdin to do something.
//!
//! `tests/emulators/emulators.py` installs the emulators into the folder that `AUDITQL_EMULATORS`
//! names; without it the tests that need them are ignored. Nothing is to be stopped: the emulators
//! end with this process, whose pipe they read.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{LazyLock, Mutex, PoisonError},
};

use serde_json::{Value, json};

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
    pub(super) scheme: &'static str,
    /// What points a program to it.
    pub(crate) env: Vec<(String, String)>,
}

impl Store {
    pub(crate) fn url(&self, bucket: &str, key: &str) -> String {
        format!("{}://{bucket}/{key}", self.scheme)
    }
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

pub(super) fn variables(object: &Value) -> Vec<(String, String)> {
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
