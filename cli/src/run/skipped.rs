//! What was skipped, by example: the report of a run in; a few lines for people, and the same for
//! scripts, out.
//!
//! Not responsible for: the counts by reason (`account`).

use std::io::{self, Write};

use auditql_engine::{ScanReport, Tally};
use serde_json::{Value, json};

use crate::text::{counted, grouped, sanitize};

/// Kinds of records that are shown.
const MOST_KINDS: usize = 3;
/// Files that are named.
const MOST_FILES: usize = 3;
/// The width of a terminal that everybody has.
const WIDTH: usize = 80;
/// Reasons for which a whole object is skipped: each counts one.
const OF_FILES: [&str; 3] = ["not an audit log", "not a file", "broken link"];

/// Prints what the skipped records look like, and which files they are.
pub(super) fn print(report: &ScanReport, err: &mut impl Write) -> io::Result<()> {
    let kinds = report.total.passed_over.kinds();
    for kind in kinds.iter().take(MOST_KINDS) {
        let looks_like = match kind.example {
            Some(example) => format!("{}, such as `{example}`", kind.looks_like),
            None => kind.looks_like.to_owned(),
        };
        line(
            err,
            &format!("skipped {}: {looks_like}", grouped(kind.count)),
        )?;
    }
    if kinds.len() > MOST_KINDS {
        let rest = kinds[MOST_KINDS..].iter().map(|kind| kind.count).sum();
        let more = counted(rest, "record");
        line(err, &format!("skipped {more} of other kinds"))?;
    }
    for reason in OF_FILES {
        let files: Vec<&str> = report
            .inputs
            .iter()
            .filter(|input| input.tally.skipped.contains_key(reason))
            .map(|input| name_of(&input.uri))
            .collect();
        if files.is_empty() {
            continue;
        }
        let mut named: Vec<&str> = files.iter().copied().take(MOST_FILES).collect();
        let rest = grouped((files.len() - named.len()) as u64) + " more";
        if files.len() > named.len() {
            named.push(&rest);
        }
        let named = named.join(", ");
        line(err, &format!("skipped as {reason}: {named}"))?;
    }
    Ok(())
}

/// The same as JSON, with all kinds that are known.
pub(super) fn examples(tally: &Tally) -> Value {
    let kinds = tally.passed_over.kinds();
    let kinds = kinds.iter().map(|kind| {
        let mut object = json!({"looks_like": kind.looks_like, "count": kind.count});
        if let Some(example) = kind.example {
            object["example"] = json!(example);
        }
        object
    });
    kinds.collect()
}

/// The last part of a path or URL.
fn name_of(uri: &str) -> &str {
    let name = uri.trim_end_matches('/').rsplit(['/', '\\']).next();
    name.filter(|name| !name.is_empty()).unwrap_or(uri)
}

/// One line that fits a terminal.
fn line(err: &mut impl Write, text: &str) -> io::Result<()> {
    let text = sanitize(text, false);
    match text.char_indices().nth(WIDTH - 1) {
        Some((end, _)) if text.chars().count() > WIDTH => writeln!(err, "{}…", &text[..end]),
        _ => writeln!(err, "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_the_terminal_and_a_file_has_its_name() {
        let mut out = Vec::new();
        line(&mut out, &"ü".repeat(WIDTH)).unwrap();
        line(&mut out, &"ü".repeat(WIDTH + 1)).unwrap();
        line(&mut out, "a\u{1b}[0m").unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0].chars().count(), WIDTH);
        assert_eq!(lines[1].chars().count(), WIDTH);
        assert!(lines[1].ends_with("ü…") && !lines[2].contains('\u{1b}'));
        assert_eq!(name_of("s3://bucket/a/b.png"), "b.png");
        assert_eq!(name_of("b.png"), "b.png");
    }
}
