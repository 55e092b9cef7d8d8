//! The ```` ```console ```` blocks of the documents, run as a reader would run them.
//!
//! In: the documents; out: a failure for every command that fails, and for every one whose output is
//! not what the document shows. A block is run in a shell, in a folder of its document that has
//! `tests/` in it; what one block writes is there for the next. Output is compared as it is, stdout
//! before stderr. Only these liberties are taken:
//!
//! - where a block shows no output at all, its commands only have to succeed;
//! - a line `…` stands for any number of lines;
//! - `cargo run --release --` is the binary under test.
//!
//! Blocks that cannot be run are in [`NOT_RUN`], each with the reason.

use std::{fs, path::Path, process::Stdio};

use crate::bin::command;

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "tests/data/README.md",
    "queries/README.md",
    "benches/README.md",
];

/// A document, the first command of the block, and why it is not run.
const NOT_RUN: &[(&str, &str, &str)] = &[
    ("README.md", "cargo test --workspace", "it runs this test"),
    (
        "CONTRIBUTING.md",
        "cargo build --workspace",
        "it builds everything, and then runs this test",
    ),
    (
        "CONTRIBUTING.md",
        "python3 tests/oracle/compare.py target/release/auditql tests/data/sample/audit.log",
        "it needs a release build; CI runs the comparison on a debug build",
    ),
    (
        "CONTRIBUTING.md",
        "cd fuzz",
        "it needs a nightly compiler, and runs until it is stopped",
    ),
    (
        "CONTRIBUTING.md",
        "cargo bench -p auditql-benches",
        "it takes long",
    ),
    (
        "benches/README.md",
        "cargo run --release -p auditql-benches -- generate --profile large --bytes 1GB --seed 7 --out large.log",
        "it needs a release build, and measures for minutes",
    ),
    (
        "benches/README.md",
        "python3 benches/compare.py target/release/auditql --profiles --bytes 1GB --runs 4",
        "it needs a release build, and measures for minutes",
    ),
    (
        "benches/README.md",
        "python3 benches/lake.py target/release/auditql --profiles --bytes 1GB --work DIR --incremental --sizes",
        "it needs a release build, and measures for minutes",
    ),
    (
        "benches/README.md",
        "python3 benches/lake.py target/release/auditql --profiles cluster --events 1e7 --work DIR --upkeep --runs 2",
        "it measures a release build for hours",
    ),
    (
        "benches/README.md",
        "python3 benches/check.py target/release/auditql --profiles --bytes 1GB",
        "it needs a release build, and measures for minutes",
    ),
    (
        "benches/README.md",
        "python3 benches/old_new.py OLD NEW --profiles --bytes 500MB --pairs 7 --limit 1.05",
        "it needs a release build, and measures for minutes",
    ),
    (
        "benches/README.md",
        "python3 benches/envelopes.py target/release/auditql LOG",
        "it needs a release build, and measures for minutes",
    ),
];

/// A command, and what the document shows of its output.
struct Step {
    command: String,
    output: Vec<String>,
}

/// A block; `line` is that of its first command.
struct Block {
    line: usize,
    steps: Vec<Step>,
}

/// The console blocks of a document.
fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    // The indentation of the block that is open: blocks stand in lists, too.
    let mut open: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        match open {
            None if trimmed == "```console" => {
                open = Some(line.len() - trimmed.len());
                blocks.push(Block {
                    line: number + 2,
                    steps: Vec::new(),
                });
            }
            None => {}
            Some(_) if trimmed == "```" => open = None,
            Some(indent) => {
                let line = line.get(indent..).unwrap_or_default();
                let steps = &mut blocks.last_mut().unwrap().steps;
                push(steps, line);
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Adds a line of a block to its steps: a command, the rest of one, or output.
fn push(steps: &mut Vec<Step>, line: &str) {
    if let Some(command) = line.strip_prefix("$ ") {
        steps.push(Step {
            command: command.to_owned(),
            output: Vec::new(),
        });
        return;
    }
    let step = steps
        .last_mut()
        .expect("a console block begins with a command");
    if step.output.is_empty() && is_unfinished(&step.command) {
        step.command.push('\n');
        step.command.push_str(line);
    } else {
        step.output.push(line.to_owned());
    }
}

/// Whether the shell would wait for more: a quote is open, or the line ends with a backslash.
fn is_unfinished(command: &str) -> bool {
    let (mut quote, mut escaped) = (None, false);
    for ch in command.chars() {
        match (quote, ch) {
            _ if escaped => escaped = false,
            (None | Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => quote = Some(ch),
            (Some(open), ch) if open == ch => quote = None,
            _ => {}
        }
    }
    escaped || quote.is_some()
}

/// Runs a command line in a shell; what a terminal would show, if it ended well.
fn run(command_line: &str, folder: &Path) -> Result<String, String> {
    let shell = command_line.replace("cargo run --release --", "auditql");
    let path = std::env::join_paths(
        std::iter::once(folder.join("bin"))
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    )
    .unwrap();
    // The environment of the tests' other runs, for the shell.
    let mut settings = command();
    let output = std::process::Command::new("sh")
        .args(["-c", &shell])
        .current_dir(folder)
        .env_remove("AUDITQL_INPUT")
        .envs(
            settings
                .env("PATH", path)
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let shown = text(&output.stdout) + &text(&output.stderr);
    if output.status.success() {
        Ok(shown)
    } else {
        Err(format!("{}: {shown}", output.status))
    }
}

/// Whether these lines are what is shown, where `…` stands for any number of lines.
fn matches(shown: &[String], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "…" => {
            (0..=lines.len()).any(|left_out| matches(rest, &lines[left_out..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| first == line && matches(rest, lines)),
    }
}

/// Runs a block; what is wrong with it.
fn check(block: &Block, folder: &Path) -> Result<(), String> {
    let shows_output = block.steps.iter().any(|step| !step.output.is_empty());
    for step in &block.steps {
        let got = run(&step.command, folder).map_err(|why| format!("$ {}\n{why}", step.command))?;
        let lines: Vec<&str> = got.lines().map(str::trim_end).collect();
        if shows_output && !matches(&step.output, &lines) {
            return Err(format!(
                "$ {}\nshows:\n{}\nprints:\n{got}",
                step.command,
                step.output.join("\n")
            ));
        }
    }
    Ok(())
}

#[test]
fn console_blocks_do_what_they_show() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut failures, mut not_run) = (Vec::new(), 0);
    let mut ran = 0;
    for document in DOCUMENTS {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        std::os::unix::fs::symlink(
            env!("CARGO_BIN_EXE_auditql-under-test"),
            folder.path().join("bin/auditql"),
        )
        .unwrap();
        std::os::unix::fs::symlink(root.join("tests"), folder.path().join("tests")).unwrap();
        for block in blocks(&fs::read_to_string(root.join(document)).unwrap()) {
            let first = block.steps[0].command.as_str();
            if NOT_RUN
                .iter()
                .any(|(name, command, _)| *name == document && *command == first)
            {
                not_run += 1;
                continue;
            }
            ran += 1;
            if let Err(why) = check(&block, folder.path()) {
                failures.push(format!("{document}:{}: {why}", block.line));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(ran > 0);
    assert_eq!(
        not_run,
        NOT_RUN.len(),
        "the list names blocks that are not there"
    );
}

#[test]
fn how_blocks_are_read() {
    let text = "```console\n$ a \"b\n  c\" \\\n  d\nout\n\n$ e 'f\\'\n```\n- x\n\n  ```console\n  $ g\n  …\n  h\n  ```\n";
    let found = blocks(text);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].line, 2);
    assert_eq!(found[0].steps[0].command, "a \"b\n  c\" \\\n  d");
    assert_eq!(found[0].steps[0].output, ["out", ""]);
    assert_eq!(found[0].steps[1].command, "e 'f\\'");
    assert_eq!(found[1].steps[0].output, ["…", "h"]);
    let shown = ["a", "…", "d"].map(str::to_owned);
    assert!(matches(&shown, &["a", "b", "c", "d"]));
    assert!(matches(&shown, &["a", "d"]));
    assert!(!matches(&shown, &["a", "b"]));
    assert!(!matches(&shown[..1], &["a", "b"]));
}
