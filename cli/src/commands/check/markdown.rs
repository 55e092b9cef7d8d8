//! Findings as Markdown, for the summary of a job or a ticket: a section a query, a row a finding.

use std::io::{self, Write};

use auditql_engine::{CheckStatus, QueryOutcome, format_time};

use super::{
    junit::place,
    report::{Report, reason, worst},
};
use crate::{output::markdown_text, text::counted};

/// Findings that a section lists.
const MOST_LISTED: usize = 100;

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# auditql check\n")?;
    writeln!(out, "| query | severity | answer | findings |")?;
    writeln!(out, "|---|---|---|---:|")?;
    for outcome in report.outcomes {
        let query = outcome.query;
        let (severity, status) = (query.header.severity.name(), outcome.status.name());
        let id = markdown_text(&query.id);
        writeln!(out, "| {id} | {severity} | {status} | {} |", outcome.found)?;
    }
    for outcome in report.worst_first() {
        write_findings(report, outcome, out)?;
    }
    for (status, heading) in [
        (CheckStatus::Error, "Errors"),
        (CheckStatus::NotEvaluable, "Not evaluable"),
        (CheckStatus::Partly, "Partly evaluable"),
    ] {
        let mut is_first = true;
        for outcome in report.with_status(status) {
            if std::mem::take(&mut is_first) {
                writeln!(out, "\n## {heading}\n")?;
            }
            let (id, why) = (
                markdown_text(&outcome.query.id),
                markdown_text(&reason(outcome)),
            );
            writeln!(out, "- {id}: {why}")?;
        }
    }
    Ok(())
}

fn write_findings(
    report: &Report<'_>,
    outcome: &QueryOutcome,
    out: &mut dyn Write,
) -> io::Result<()> {
    let title = markdown_text(&outcome.query.header.title);
    let found = counted(outcome.found, "finding");
    writeln!(out, "\n## {title}: {found}, {}\n", worst(outcome).name())?;
    if !outcome.reason.is_empty() {
        writeln!(out, "{}\n", markdown_text(&reason(outcome)))?;
    }
    writeln!(
        out,
        "| severity | finding | time | evidence | fingerprint |"
    )?;
    writeln!(out, "|---|---|---|---|---|")?;
    for finding in outcome.findings.iter().take(MOST_LISTED) {
        let mut severity = finding.severity.name().to_owned();
        if report.is_accepted(finding) {
            severity.push_str(", accepted");
        }
        let mut evidence = finding.evidence.first().and_then(place).unwrap_or_default();
        if finding.evidence_total > 1 {
            evidence.push_str(&format!(" and {} more", finding.evidence_total - 1));
        }
        writeln!(
            out,
            "| {severity} | {} | {} | {} | {} |",
            markdown_text(&finding.message),
            finding.time.map(format_time).unwrap_or_default(),
            markdown_text(&evidence),
            finding.fingerprint
        )?;
    }
    let listed = outcome.findings.len().min(MOST_LISTED) as u64;
    if outcome.found > listed {
        writeln!(out, "\n… and {} more", outcome.found - listed)?;
    }
    Ok(())
}
