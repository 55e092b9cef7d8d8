//! What a reader sees, as snapshots in `tests/snapshots/`: rows in the outputs for people, and each
//! command's `--help`, at 80 and 120 columns.
//!
//! A screen that differs fails. `INSTA_UPDATE=always cargo test -p auditql-tests --test it screens`
//! takes the screens as they are now; the difference is then there to review in the commit.

use std::{collections::BTreeSet, process::Command};

use crate::bin::{command, data, run};

const WIDTHS: [&str; 2] = ["80", "120"];
/// The outputs for people; the others are for programs, and `cli/outputs.rs` has their contents.
const OUTPUTS: [&str; 4] = ["table", "line", "yaml", "markdown"];

/// Questions to the sample: names, and SQL with an order.
const QUESTIONS: [(&str, &str); 3] = [
    (
        "every-type",
        "SELECT stage_timestamp, date, latency_ms, response_code, truncated, username, user_groups, user_extra, \
         annotations, request_object IS NULL AS no_body, impersonated_username \
         FROM requests WHERE username IS NOT NULL ORDER BY stage_timestamp, audit_id LIMIT 3",
    ),
    (
        "refusals",
        "SELECT actor, verb, resource, count(*) AS refused FROM requests WHERE authz_decision = 'forbid' \
         GROUP BY ALL ORDER BY refused DESC, actor, verb, resource LIMIT 8",
    ),
    (
        "odd-text",
        "SELECT * FROM (VALUES (1, E'tab\\tand\\nline', NULL), (2, E'\\x1b[31mred', 'a|b <i>'), \
         (3, 'weiß 日本語 👩‍👩‍👧', E'\\u202eright to left'), (4, '', '# - x: y')) AS t(n, text, other) ORDER BY n",
    ),
];

/// Compares a screen with its snapshot.
pub(crate) fn compare(name: &str, screen: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, screen));
}

fn arguments(question: &str, output: &str) -> Vec<String> {
    let sample = data("sample");
    [
        "sql",
        "-q",
        question,
        "-i",
        sample.to_str().unwrap(),
        "-o",
        output,
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
fn rows_in_a_pipe() {
    for (name, question) in QUESTIONS {
        for output in OUTPUTS {
            compare(
                &format!("rows-{name}-{output}"),
                &run(arguments(question, output)).text(0),
            );
        }
    }
}

/// Only tables know how wide the terminal is.
#[test]
#[cfg_attr(not(python), ignore = "python3 is not installed")]
fn rows_on_a_terminal() {
    for (name, question) in QUESTIONS {
        for columns in WIDTHS {
            // The environment of the tests' other runs.
            let under_test = command();
            let ran = Command::new("python3")
                .arg(data("../terminal.py"))
                .arg(columns)
                .arg(under_test.get_program())
                .args(arguments(question, "table"))
                .env_remove("AUDITQL_INPUT")
                .envs(
                    under_test
                        .get_envs()
                        .filter_map(|(name, value)| Some((name, value?))),
                )
                .output()
                .unwrap();
            let screen = String::from_utf8(ran.stdout).unwrap();
            assert!(
                ran.status.success(),
                "{}",
                String::from_utf8_lossy(&ran.stderr)
            );
            compare(&format!("rows-{name}-table-{columns}"), &screen);
        }
    }
}

fn help(path: &[String], columns: &str) -> String {
    let ran = command()
        .args(path)
        .arg("--help")
        .env("COLUMNS", columns)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{path:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// The commands that a help lists.
fn commands(help: &str) -> BTreeSet<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| line.starts_with(' '))
        // A command stands two columns in; its description may go on below.
        .filter_map(|line| {
            line.strip_prefix("  ")
                .filter(|line| !line.starts_with(' '))
        })
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_help() {
    let mut waiting: Vec<Vec<String>> = vec![Vec::new()];
    let mut shown = 0;
    while let Some(path) = waiting.pop() {
        for columns in WIDTHS {
            let name = [&["auditql".to_owned()], path.as_slice()]
                .concat()
                .join("-");
            compare(&format!("help-{name}-{columns}"), &help(&path, columns));
        }
        shown += 1;
        for command in commands(&help(&path, "120")) {
            waiting.push([path.as_slice(), &[command]].concat());
        }
    }
    assert!(shown > 10, "{shown} commands");
}

/// A screen that no test shows any more has no snapshot.
#[test]
fn no_snapshot_is_left_over() {
    let rows = QUESTIONS.iter().flat_map(|(name, _)| {
        OUTPUTS
            .iter()
            .map(|output| (*output).to_owned())
            .chain(WIDTHS.map(|columns| format!("table-{columns}")))
            .map(move |screen| format!("rows-{name}-{screen}.snap"))
    });
    let expected: BTreeSet<String> = rows.collect();
    let found: BTreeSet<String> = std::fs::read_dir(data("../snapshots"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("rows-"))
        .collect();
    assert_eq!(found, expected);
}
