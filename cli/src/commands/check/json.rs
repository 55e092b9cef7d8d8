//! Findings as JSON: one document, or a finding a line. Every finding has every member, NULL is
//! `null`; `row` has the columns of the query.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{Counts, EvidenceLine, Finding, QueryOutcome, ScanReport, format_time};
use serde_json::{Value, json};

use super::report::Report;
use crate::{
    output::write_json,
    text::{Quoting, write_quoted},
};

/// One finding a line.
pub(super) fn write_lines(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    let mut line = Vec::new();
    for outcome in report.worst_first() {
        for finding in &outcome.findings {
            line.clear();
            write_finding(&mut line, finding, report)?;
            line.push(b'\n');
            out.write_all(&line)?;
        }
    }
    Ok(())
}

/// `{queries: […], findings: […], account: {…}}`.
pub(super) fn write_document(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    out.write_all(b"{\"queries\":[")?;
    for (index, outcome) in report.outcomes.iter().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let mut line = Vec::new();
        write_outcome(&mut line, outcome);
        out.write_all(&line)?;
    }
    out.write_all(b"\n],\n\"findings\":[")?;
    let mut is_first = true;
    for outcome in report.worst_first() {
        for finding in &outcome.findings {
            out.write_all(if std::mem::take(&mut is_first) {
                b"\n"
            } else {
                b",\n"
            })?;
            let mut line = Vec::new();
            write_finding(&mut line, finding, report)?;
            out.write_all(&line)?;
        }
    }
    writeln!(out, "\n],\n\"account\":{}}}", account_json(report.account))?;
    Ok(())
}

fn write_outcome(out: &mut Vec<u8>, outcome: &QueryOutcome) {
    let query = outcome.query;
    out.push(b'{');
    member(out, "id", Some(&query.id));
    member(out, "pack", Some(&query.pack));
    member(out, "severity", Some(query.header.severity.name()));
    member(out, "status", Some(outcome.status.name()));
    let (enough, looked_at) = (outcome.enough, outcome.looked_at);
    let counts = format!(
        "\"findings\":{},\"coverage\":{{\"enough\":{enough},\"looked_at\":{looked_at}}},",
        outcome.found
    );
    out.extend_from_slice(counts.as_bytes());
    let reason = Some(outcome.reason.as_str()).filter(|reason| !reason.is_empty());
    member(out, "reason", reason);
    close(out);
}

fn write_finding(out: &mut Vec<u8>, finding: &Finding, report: &Report<'_>) -> Result<()> {
    let query = finding.query;
    out.push(b'{');
    member(out, "query", Some(&query.id));
    member(out, "pack", Some(&query.pack));
    member(out, "title", Some(&query.header.title));
    member(out, "severity", Some(finding.severity.name()));
    member(out, "message", Some(&finding.message));
    member(out, "time", finding.time.map(format_time).as_deref());
    member(out, "principal", finding.principal.as_deref());
    out.extend_from_slice(b"\"evidence\":[");
    for (index, line) in finding.evidence.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_line(out, line);
    }
    let total = format!("],\"evidence_total\":{},", finding.evidence_total);
    out.extend_from_slice(total.as_bytes());
    member(out, "fingerprint", Some(&finding.fingerprint));
    let accepted = report.acceptance(finding);
    let accepted = accepted.map(|acceptance| acceptance.reason.as_str());
    member(out, "accepted", accepted);
    out.extend_from_slice(b"\"row\":{");
    let batch = &finding.row.batch;
    let schema = batch.schema();
    for (index, (field, array)) in schema.fields().iter().zip(batch.columns()).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_quoted(out, field.name(), Quoting::Json);
        out.push(b':');
        write_json(out, array, finding.row.index)?;
    }
    out.extend_from_slice(b"}}");
    Ok(())
}

fn write_line(out: &mut Vec<u8>, line: &EvidenceLine) {
    out.push(b'{');
    member(out, "audit_id", line.audit_id.as_deref());
    let time = line.stage_timestamp.map(format_time);
    member(out, "stage_timestamp", time.as_deref());
    member(out, "source_file", line.source_file.as_deref());
    let number = line
        .source_line
        .map_or("null".to_owned(), |line| line.to_string());
    out.extend_from_slice(format!("\"source_line\":{number}}}").as_bytes());
}

/// A member with a comma behind it.
fn member(out: &mut Vec<u8>, name: &str, value: Option<&str>) {
    write_quoted(out, name, Quoting::Json);
    out.push(b':');
    match value {
        Some(text) => write_quoted(out, text, Quoting::Json),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b',');
}

/// Ends an object whose last member has a comma behind it.
fn close(out: &mut Vec<u8>) {
    out.pop();
    out.push(b'}');
}

/// What the account of a run says, for a document.
fn account_json(account: &ScanReport) -> Value {
    let total = &account.total;
    let sum = |counts: &Counts| counts.values().sum::<u64>();
    json!({
        "read": total.read(),
        "events": total.events,
        "rejects": sum(&total.rejects),
        "skipped": sum(&total.skipped),
        "inputs": account.inputs.len(),
        "partial": account.partial,
    })
}
