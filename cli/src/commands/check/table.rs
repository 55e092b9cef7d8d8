//! Findings on a screen: the worst first, grouped by query, one line a finding; then the queries
//! that found nothing, and those that the log cannot answer, with the reason.

use std::io::{self, Write};

use auditql_engine::{CheckStatus, Finding, QueryOutcome, format_time};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::report::{Report, reason, worst};
use crate::{
    commands::screen::paragraph,
    text::{counted, grouped, sanitize},
};

/// Findings of a query that a screen lists.
const MOST_LISTED: usize = 10;

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write, width: usize) -> io::Result<()> {
    let mut is_first = true;
    let mut begin = |out: &mut dyn Write| match std::mem::take(&mut is_first) {
        true => Ok(()),
        false => writeln!(out),
    };
    for outcome in report.worst_first() {
        begin(out)?;
        write_findings(report, outcome, out, width)?;
    }
    let quiet: Vec<&str> = report
        .with_status(CheckStatus::None)
        .map(|outcome| outcome.query.id.as_str())
        .collect();
    if !quiet.is_empty() {
        begin(out)?;
        paragraph(out, "no findings: ", 2, &quiet.join(", "), width)?;
    }
    for (status, name) in [
        (CheckStatus::NotEvaluable, "not evaluable"),
        (CheckStatus::Partly, "partly evaluable, no findings"),
        (CheckStatus::Error, "errors"),
    ] {
        let outcomes: Vec<_> = report.with_status(status).collect();
        if outcomes.is_empty() {
            continue;
        }
        begin(out)?;
        writeln!(out, "{name}: {}", outcomes.len())?;
        for outcome in outcomes {
            let first = format!("  {}: ", outcome.query.id);
            paragraph(out, &first, 4, &reason(outcome), width)?;
        }
    }
    Ok(())
}

fn write_findings(
    report: &Report<'_>,
    outcome: &QueryOutcome,
    out: &mut dyn Write,
    width: usize,
) -> io::Result<()> {
    let query = outcome.query;
    let accepted = outcome.findings.iter();
    let accepted = accepted
        .filter(|finding| report.is_accepted(finding))
        .count();
    let mut count = counted(outcome.found, "finding");
    if accepted > 0 {
        count.push_str(&format!(", {} accepted", grouped(accepted as u64)));
    }
    let first = format!("{}: ", worst(outcome).name());
    let title = format!("{} ({}): {count}", query.header.title, query.id);
    paragraph(out, &first, 2, &title, width)?;
    // What is accepted is no news, and comes last.
    let mut findings: Vec<&Finding> = outcome.findings.iter().collect();
    findings.sort_by_key(|finding| report.is_accepted(finding));
    for finding in findings.iter().take(MOST_LISTED) {
        let time = finding.time.map(format_time).unwrap_or_default();
        // To the minute: the other forms have it in full.
        let time = time.get(..16).unwrap_or_default().replace('T', " ");
        let accepted = if report.is_accepted(finding) {
            "accepted: "
        } else {
            ""
        };
        let message = sanitize(&finding.message, false);
        let line = format!("  {time:16}  {accepted}{message}");
        writeln!(out, "{}", cut(&line, width).trim_end())?;
    }
    let listed = outcome.findings.len().min(MOST_LISTED) as u64;
    if outcome.found > listed {
        let more = grouped(outcome.found - listed);
        writeln!(out, "  … and {more} more; -o jsonl lists them")?;
    }
    if !outcome.reason.is_empty() {
        paragraph(out, "  partly evaluable: ", 4, &reason(outcome), width)?;
    }
    Ok(())
}

/// The text, cut to so many columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let mut cut = String::new();
    for ch in text.chars() {
        let columns = ch.width().unwrap_or_default();
        if columns > left {
            break;
        }
        left -= columns;
        cut.push(ch);
    }
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_to_fit() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("日本語日本", 5), "日本…");
    }
}
