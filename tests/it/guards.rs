//! Outputs that would destroy something: an input, another output or a part of a lake, under any
//! name. They are refused before anything is read, and files stay as they are.

use std::fs;
use std::path::Path;

use crate::bin::{Ran, command, data};

/// A folder with a log that has several names, and a lake.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::copy(data("sample").join("audit.log"), path("audit.log")).unwrap();
    fs::hard_link(path("audit.log"), path("hard.log")).unwrap();
    fs::create_dir(path("sub")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("audit.log", path("soft.log")).unwrap();
        std::os::unix::fs::symlink("../soft.log", path("sub/softer.log")).unwrap();
        std::os::unix::fs::symlink("new.jsonl", path("dangling.jsonl")).unwrap();
    }
    let made = run_in(
        folder.path(),
        &["convert", "-i", "audit.log", "--to", "lake/"],
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    folder
}

fn run_in(folder: &Path, args: &[&str]) -> Ran {
    let output = command().args(args).current_dir(folder).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Every file below a folder, with its content.
fn contents(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else if path.exists() {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[track_caller]
fn is_refused(folder: &Path, says: &str, args: &[&str]) {
    let before = contents(folder);
    let ran = run_in(folder, args);
    assert_eq!(ran.code, 2, "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.contains(says), "{args:?}: {}", ran.stderr);
    assert!(ran.stdout.is_empty(), "{args:?}");
    assert!(!ran.stderr.contains(" records"), "{args:?}: {}", ran.stderr);
    assert!(contents(folder) == before, "{args:?} changed a file");
}

/// The names of the log in [`folder`].
fn names() -> Vec<&'static str> {
    let mut names = vec!["audit.log", "./sub/../audit.log", "hard.log"];
    if cfg!(unix) {
        names.extend(["soft.log", "sub/softer.log"]);
    }
    names
}

#[test]
fn an_output_is_never_an_input() {
    let folder = folder();
    let folder = folder.path();
    let says = "is an input, too";
    for name in names() {
        is_refused(
            folder,
            says,
            &["sql", "SELECT 1", "-i", "audit.log", "--summary", name],
        );
        is_refused(
            folder,
            says,
            &["sql", "SELECT 1", "-i", name, "--summary", "audit.log"],
        );
        is_refused(
            folder,
            says,
            &["sql", "SELECT 1", "-i", "*.log", "--summary", name],
        );
        is_refused(folder, says, &["-i", "audit.log", "--summary", name]);
        is_refused(
            folder,
            says,
            &["run", "slow-requests", "-i", "audit.log", "--summary", name],
        );
        is_refused(folder, says, &["convert", "-i", "audit.log", "--to", name]);
        let to = [
            "convert",
            "-i",
            "audit.log",
            "--to",
            "x.jsonl",
            "--summary",
            name,
        ];
        is_refused(folder, says, &to);
        for statement in [
            format!("COPY (SELECT 1 AS one) TO '{name}' STORED AS CSV"),
            format!("EXPLAIN ANALYZE COPY (SELECT 1 AS one) TO '{name}' STORED AS CSV"),
        ] {
            let copy = ["sql", &statement, "-i", "audit.log", "--allow-writes"];
            is_refused(folder, says, &copy);
        }
    }
    // Stdin is a file as well.
    let stdin = fs::File::open(folder.join("audit.log")).unwrap();
    let mut run = command();
    run.args(["sql", "SELECT 1", "-i", "-", "--summary", "hard.log"])
        .current_dir(folder)
        .stdin(stdin);
    if cfg!(unix) {
        assert_eq!(run.output().unwrap().status.code(), Some(2));
    }
    fs::write(folder.join("x.sql"), "SELECT 1").unwrap();
    is_refused(
        folder,
        "--summary",
        &["sql", "-f", "x.sql", "--summary", "./x.sql"],
    );
}

#[test]
fn two_outputs_are_never_one_file() {
    let folder = folder();
    let folder = folder.path();
    let says = "is written twice";
    let mut pairs = vec![("x.jsonl", "x.jsonl"), ("x.jsonl", "sub/../X.jsonl")];
    if cfg!(unix) {
        pairs.push(("new.jsonl", "dangling.jsonl"));
    }
    for (to, summary) in pairs {
        is_refused(
            folder,
            says,
            &[
                "convert",
                "-i",
                "audit.log",
                "--to",
                to,
                "--summary",
                summary,
            ],
        );
        is_refused(
            folder,
            says,
            &["lake", "export", "lake", "--to", to, "--summary", summary],
        );
        // The account of a statement that is refused is an account all the same.
        let statement = format!("COPY (SELECT 1 AS one) TO '{to}' STORED AS CSV");
        let copy = ["sql", &statement, "--allow-writes", "--summary", summary];
        let ran = run_in(folder, &copy);
        assert!(ran.code == 2 && ran.stderr.contains(says), "{}", ran.stderr);
        assert!(
            fs::read_to_string(folder.join(summary))
                .unwrap()
                .contains(says)
        );
        // Whichever of the names the file system took.
        for name in [to, "X.jsonl"] {
            let _ = fs::remove_file(folder.join(name));
        }
    }
}

#[test]
fn nothing_is_written_into_a_lake_but_by_it() {
    let folder = folder();
    let folder = folder.path();
    let says = "lies in a lake";
    for file in [
        "lake/x.jsonl",
        "lake/events/_delta_log/00000000000000000000.json",
    ] {
        is_refused(
            folder,
            says,
            &["sql", "SELECT 1", "-i", "audit.log", "--summary", file],
        );
        is_refused(folder, says, &["lake", "export", "lake", "--to", file]);
    }
    let args = [
        "convert",
        "-i",
        "audit.log",
        "--to",
        "new/",
        "--summary",
        "new/run.json",
    ];
    is_refused(folder, says, &args);
}

/// A file that a statement writes is whole or absent, readable by its owner alone, and behind a
/// link it is the file that is replaced.
#[cfg(unix)]
#[test]
fn what_is_written_is_whole() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let folder = folder.path();
    let entries = || fs::read_dir(folder).unwrap().count();
    let before = entries();
    let copy = |select: &str| {
        let statement = format!("COPY ({select}) TO 'out.csv'");
        run_in(
            folder,
            &["sql", &statement, "-i", "audit.log", "--allow-writes"],
        )
    };
    let failing = copy("SELECT CAST(username AS INT) AS n FROM events");
    assert_eq!(failing.code, 2);
    assert_eq!(entries(), before, "nothing is left of it");
    assert_eq!(copy("SELECT 1 AS one").code, 0);
    let out = folder.join("out.csv");
    assert_eq!(fs::read_to_string(&out).unwrap(), "one\n1\n");
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(entries(), before + 1);

    std::os::unix::fs::symlink("out.csv", folder.join("link.json")).unwrap();
    let summary = ["sql", "SELECT 1", "--summary", "link.json"];
    assert_eq!(run_in(folder, &summary).code, 0);
    assert!(fs::read_to_string(&out).unwrap().contains("\"read\": 0"));
    assert!(
        folder
            .join("link.json")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );

    for device in ["/dev/null", "/dev/stderr"] {
        let ran = run_in(folder, &["sql", "SELECT 1", "--summary", device, "-q"]);
        assert_eq!(ran.code, 0, "{device}: {}", ran.stderr);
        assert_eq!(ran.stderr.contains("\"read\": 0"), device == "/dev/stderr");
    }
}
