//! The binary under test: arguments in; stdout, stderr and exit code out.

use std::{
    ffi::OsStr,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

/// The folder of the test data.
pub(crate) fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(path)
}

/// The command, in an environment without settings of the user's.
pub(crate) fn command() -> Command {
    // A binary that was built otherwise can be tested, too.
    let binary = std::env::var_os("AUDITQL_TEST_BINARY");
    let built = env!("CARGO_BIN_EXE_auditql-under-test").into();
    let mut command = Command::new(binary.unwrap_or(built));
    command
        .env_remove("AUDITQL_INPUT")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

/// Runs the binary.
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Ran {
    run_with(args, None)
}

/// Runs the binary with this on its stdin.
pub(crate) fn run_with<A: AsRef<OsStr>>(
    args: impl IntoIterator<Item = A>,
    stdin: Option<&[u8]>,
) -> Ran {
    let mut command = command();
    command
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if stdin.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().unwrap();
    let writer = stdin.map(|bytes| {
        let mut pipe = child.stdin.take().unwrap();
        let bytes = bytes.to_vec();
        // The program may stop reading before the end.
        std::thread::spawn(move || drop(pipe.write_all(&bytes)))
    });
    let output = child.wait_with_output().unwrap();
    if let Some(writer) = writer {
        writer.join().unwrap();
    }
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Stdout as text; the run has to have ended with this code.
    #[track_caller]
    pub(crate) fn text(&self, code: i32) -> String {
        let text = String::from_utf8_lossy(&self.stdout).into_owned();
        assert_eq!(self.code, code, "stdout: {text}\nstderr: {}", self.stderr);
        text
    }

    /// Stdout as JSON lines.
    #[track_caller]
    pub(crate) fn rows(&self, code: i32) -> Vec<Value> {
        self.text(code)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The answer to an SQL question as JSON rows; everything has to be readable.
#[track_caller]
pub(crate) fn sql(question: &str, input: &std::path::Path) -> Vec<Value> {
    run([
        OsStr::new("sql"),
        OsStr::new(question),
        OsStr::new("-i"),
        input.as_os_str(),
        OsStr::new("-o"),
        OsStr::new("jsonl"),
    ])
    .rows(0)
}
