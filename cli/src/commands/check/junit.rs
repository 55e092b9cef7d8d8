//! Findings as JUnit XML, which CI servers read: a suite a pack, a test a query. A test fails where
//! the run does, and is skipped where the log cannot answer.

use std::io::{self, Write};

use auditql_engine::{CheckStatus, EvidenceLine, Finding, QueryOutcome, format_time};

use super::report::{Report, reason};
use crate::text::{counted, sanitize};

/// Findings that a test lists.
const MOST_LISTED: usize = 100;

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<&QueryOutcome> = report.outcomes.iter().collect();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuites name=\"auditql check\" {}>",
        counts(report, &all)
    )?;
    let mut packs: Vec<&str> = all
        .iter()
        .map(|outcome| outcome.query.pack.as_str())
        .collect();
    packs.sort_unstable();
    packs.dedup();
    for pack in packs {
        let of_pack = all.iter().filter(|outcome| outcome.query.pack == pack);
        let of_pack: Vec<&QueryOutcome> = of_pack.copied().collect();
        let counts = counts(report, &of_pack);
        writeln!(out, "  <testsuite name=\"{}\" {counts}>", escaped(pack))?;
        for outcome in of_pack {
            write_test(report, outcome, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn counts(report: &Report<'_>, outcomes: &[&QueryOutcome]) -> String {
    let count =
        |is: &dyn Fn(&QueryOutcome) -> bool| outcomes.iter().filter(|outcome| is(outcome)).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        outcomes.len(),
        count(&|outcome| report.fails_for_query(outcome)),
        count(&|outcome| outcome.status == CheckStatus::Error),
        count(&is_skipped),
    )
}

fn is_skipped(outcome: &QueryOutcome) -> bool {
    matches!(
        outcome.status,
        CheckStatus::NotEvaluable | CheckStatus::Partly
    )
}

fn write_test(report: &Report<'_>, outcome: &QueryOutcome, out: &mut dyn Write) -> io::Result<()> {
    let query = outcome.query;
    writeln!(
        out,
        "    <testcase classname=\"auditql.{}\" name=\"{}\">",
        escaped(&query.pack),
        escaped(&query.id)
    )?;
    if outcome.status == CheckStatus::Error {
        writeln!(
            out,
            "      <error message=\"{}\"/>",
            escaped(&outcome.reason)
        )?;
    } else if is_skipped(outcome) {
        let why = format!("{}: {}", outcome.status.name(), reason(outcome));
        writeln!(out, "      <skipped message=\"{}\"/>", escaped(&why))?;
    }
    if report.fails_for_query(outcome) {
        let failing = outcome.findings.iter();
        let failing: Vec<_> = failing
            .filter(|finding| report.fails_for(finding))
            .collect();
        let unlisted = outcome.unlisted.values().sum::<u64>();
        let found = counted(failing.len() as u64 + unlisted, "finding");
        let severity = super::report::worst(outcome).name();
        let title = format!("{}: {found}", query.header.title);
        write!(
            out,
            "      <failure type=\"{severity}\" message=\"{}\">",
            escaped(&title)
        )?;
        for finding in failing.iter().take(MOST_LISTED) {
            writeln!(out, "{}", escaped(&line(finding)))?;
        }
        writeln!(out, "</failure>")?;
    }
    let others = outcome.findings.iter();
    let others: Vec<_> = others
        .filter(|finding| !report.fails_for(finding))
        .collect();
    if !others.is_empty() {
        write!(out, "      <system-out>")?;
        for finding in others.iter().take(MOST_LISTED) {
            let accepted = if report.is_accepted(finding) {
                " (accepted)"
            } else {
                ""
            };
            writeln!(out, "{}{accepted}", escaped(&line(finding)))?;
        }
        writeln!(out, "</system-out>")?;
    }
    writeln!(out, "    </testcase>")
}

/// `high: alice did it, 2026-11-22T10:14:31Z, audit.log:12`
fn line(finding: &Finding) -> String {
    let mut line = format!("{}: {}", finding.severity.name(), finding.message);
    if let Some(time) = finding.time {
        line.push_str(&format!(", {}", format_time(time)));
    }
    if let Some(place) = finding.evidence.first().and_then(place) {
        line.push_str(&format!(", {place}"));
    }
    line
}

/// `audit.log:12`
pub(super) fn place(line: &EvidenceLine) -> Option<String> {
    let file = line.source_file.as_deref()?;
    Some(match line.source_line {
        Some(number) => format!("{file}:{number}"),
        None => file.to_owned(),
    })
}

/// Text in XML. Control characters, which XML 1.0 has none for (§2.2), are shown as escapes.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for ch in sanitize(text, false).chars() {
        match ch {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            ch => safe.push(ch),
        }
    }
    safe
}
