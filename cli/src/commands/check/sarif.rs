//! Findings as SARIF 2.1.0 (OASIS, 27 March 2020): a rule a query, a result a finding with the file
//! and line of its evidence.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{
    CheckStatus, EvidenceLine, Finding, QueryOutcome, SavedQuery, Severity, format_time,
};
use serde_json::{Value, json};

use super::report::{Report, reason};
use crate::text::{safe_json, unwrapped};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> Result<()> {
    let rules: Vec<Value> = report
        .outcomes
        .iter()
        .map(|outcome| rule(outcome.query))
        .collect();
    let mut results = Vec::new();
    for (index, outcome) in report.outcomes.iter().enumerate() {
        let findings = outcome.findings.iter();
        results.extend(findings.map(|finding| result(finding, index, report)));
    }
    let failed = report.with_status(CheckStatus::Error).next().is_some();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "auditql",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            }},
            "columnKind": "utf16CodeUnits",
            "invocations": [{
                "executionSuccessful": !failed && !report.account.partial,
                "toolExecutionNotifications": notifications(report),
            }],
            "results": results,
        }],
    });
    let text = serde_json::to_string(&document)?;
    // Escaped again: text of the log must not move the cursor of a terminal.
    writeln!(out, "{}", safe_json(&text))?;
    Ok(())
}

fn rule(query: &SavedQuery) -> Value {
    let header = &query.header;
    let help = [
        ("", header.question.as_str()),
        ("False positives: ", &header.false_positives),
        ("Limits: ", &header.limits),
    ];
    let help = help.into_iter().filter(|(_, text)| !text.is_empty());
    let help: Vec<String> = help
        .map(|(name, text)| format!("{name}{}", message(&unwrapped(text))))
        .collect();
    let tags = [&header.controls, &header.attack].into_iter().flatten();
    let tags: Vec<&str> = [query.pack.as_str(), "security"]
        .into_iter()
        .chain(tags.map(String::as_str))
        .collect();
    json!({
        "id": query.id,
        "shortDescription": {"text": message(&header.title)},
        "fullDescription": {"text": message(&unwrapped(&header.description))},
        "help": {"text": help.join("\n\n")},
        "defaultConfiguration": {"level": level(header.severity)},
        "properties": {
            "tags": tags,
            "security-severity": score(header.severity),
        },
    })
}

fn result(finding: &Finding, rule: usize, report: &Report<'_>) -> Value {
    let mut lines = finding.evidence.iter();
    let first: Vec<Value> = lines.next().map(location).into_iter().collect();
    let related: Vec<Value> = lines.map(location).collect();
    let mut result = json!({
        "ruleId": finding.query.id,
        "ruleIndex": rule,
        "level": level(finding.severity),
        "message": {"text": message(&finding.message)},
        "locations": first,
        "relatedLocations": related,
        "partialFingerprints": {"auditql/v1": finding.fingerprint},
        "properties": {
            "severity": finding.severity.name(),
            "principal": finding.principal,
            "time": finding.time.map(format_time),
            "evidenceTotal": finding.evidence_total,
            "auditIds": audit_ids(finding),
        },
    });
    if report.is_accepted(finding) {
        let acceptance = report.acceptance(finding);
        let why = acceptance.map(|acceptance| message(&acceptance.reason));
        let mut suppression = json!({"kind": "external", "status": "accepted"});
        if let Some(why) = why {
            suppression["justification"] = json!(why);
        }
        result["suppressions"] = json!([suppression]);
    }
    result
}

fn audit_ids(finding: &Finding) -> Vec<&str> {
    let ids = finding.evidence.iter();
    let mut ids: Vec<&str> = ids.filter_map(|line| line.audit_id.as_deref()).collect();
    ids.dedup();
    ids
}

fn location(line: &EvidenceLine) -> Value {
    let mut physical = json!({});
    if let Some(file) = &line.source_file {
        physical["artifactLocation"] = json!({"uri": uri(file)});
    }
    if let Some(number) = line.source_line.filter(|number| *number > 0) {
        physical["region"] = json!({"startLine": number});
    }
    json!({"physicalLocation": physical})
}

/// The name of a file as a URI reference (RFC 3986): what is not allowed in one is encoded.
fn uri(file: &str) -> String {
    let is_url = file.contains("://");
    let mut uri = if file.starts_with('/') { "file://" } else { "" }.to_owned();
    for (at, byte) in file.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
        // A colon in the first part of a path would make it a scheme.
        let is_colon = byte == b':' && (is_url || file[..at].contains('/'));
        let is_of_url = is_url && b"?%".contains(&byte);
        if is_plain || is_colon || is_of_url {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// What could not be asked.
fn notifications(report: &Report<'_>) -> Vec<Value> {
    let notification = |outcome: &QueryOutcome| {
        let level = match outcome.status {
            CheckStatus::Error => "error",
            CheckStatus::NotEvaluable | CheckStatus::Partly => "warning",
            CheckStatus::Findings | CheckStatus::None => return None,
        };
        let id = &outcome.query.id;
        let text = format!("{id}: {}: {}", outcome.status.name(), reason(outcome));
        Some(json!({
            "level": level,
            "message": {"text": message(&text)},
            "associatedRule": {"id": id},
        }))
    };
    report.outcomes.iter().filter_map(notification).collect()
}

/// Text of a message: braces are placeholders there, and brackets links (§3.11.5, §3.11.6).
fn message(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '{' | '}' => safe.extend([ch, ch]),
            '[' | ']' | '\\' => safe.extend(['\\', ch]),
            _ => safe.push(ch),
        }
    }
    safe
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        _ => "note",
    }
}

/// The score that code scanning sorts by: that of CVSS in the middle of each rating.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        _ => "0.0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_uri_references() {
        for (file, expected) in [
            ("logs/audit.log", "logs/audit.log"),
            ("/var/log/a b.log", "file:///var/log/a%20b.log"),
            ("c:x", "c%3Ax"),
            ("a/b:c#d?", "a/b:c%23d%3F"),
            ("s3://bucket/a:b%20c", "s3://bucket/a:b%20c"),
            ("ä.log", "%C3%A4.log"),
        ] {
            assert_eq!(uri(file), expected);
        }
    }

    #[test]
    fn messages_hold_no_links_and_no_placeholders() {
        assert_eq!(message("[a](b) {0} \\"), "\\[a\\](b) {{0}} \\\\");
    }
}
