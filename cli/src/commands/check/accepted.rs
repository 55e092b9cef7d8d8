//! Accepted findings: a file of JSON lines in, which findings do not count and until when out; and
//! such a file, written from findings.
//!
//! `{"fingerprint": "…", "reason": "…", "until": "2027-01-01"}`: other members are for people. Empty
//! lines, and those that begin with `#`, say nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use auditql_engine::{AtomicFile, Finding, parse_time};
use serde_json::{Map, Value};

use crate::text::{Quoting, write_quoted};

/// Why a finding is accepted.
#[derive(Debug, Clone)]
pub(super) struct Acceptance {
    pub(super) reason: String,
    /// The line that says so.
    line: String,
}

/// The findings that a file accepts, by fingerprint.
#[derive(Debug, Default)]
pub(super) struct AcceptedFindings {
    holding: BTreeMap<String, Acceptance>,
    expired: BTreeSet<String>,
}

impl AcceptedFindings {
    /// # Errors
    ///
    /// When the file cannot be read, or a line of it says something else: what is not understood
    /// must not accept anything.
    pub(super) fn read(file: &Path, now: i64) -> Result<Self> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
        let mut accepted = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let added = accepted.add(line, now);
            added.map_err(|message| anyhow!("{shown}:{}: {message}", number + 1))?;
        }
        Ok(accepted)
    }

    fn add(&mut self, line: &str, now: i64) -> Result<(), String> {
        let entry: Map<String, Value> = serde_json::from_str(line)
            .map_err(|error| format!("expected a JSON object on one line: {error}"))?;
        let text = |name: &str| match entry.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(format!("`{name}` is not a text")),
        };
        let fingerprint = text("fingerprint")?.ok_or("there is no `fingerprint`")?;
        let reason = text("reason")?.unwrap_or_default();
        if reason.trim().is_empty() {
            return Err("there is no `reason`".to_owned());
        }
        let until = match text("until")? {
            None => i64::MAX,
            Some(until) => parse_time(until)
                .ok_or_else(|| format!("`until` is no date such as 2027-01-01: {until}"))?,
        };
        if until <= now {
            self.expired.insert(fingerprint.to_owned());
            return Ok(());
        }
        let acceptance = Acceptance {
            reason: reason.to_owned(),
            line: line.to_owned(),
        };
        self.holding.insert(fingerprint.to_owned(), acceptance);
        Ok(())
    }

    pub(super) fn of(&self, fingerprint: &str) -> Option<&Acceptance> {
        self.holding.get(fingerprint)
    }

    /// Was it accepted until a time that has passed, and not again?
    pub(super) fn has_expired(&self, fingerprint: &str) -> bool {
        self.expired.contains(fingerprint) && !self.holding.contains_key(fingerprint)
    }
}

/// Writes what was accepted before and still holds, and what was found, once each.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn write<'f>(
    file: &Path,
    accepted: &AcceptedFindings,
    findings: impl Iterator<Item = &'f Finding>,
) -> Result<()> {
    let mut lines: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for (fingerprint, acceptance) in &accepted.holding {
        lines.insert(fingerprint, acceptance.line.clone().into_bytes());
    }
    for finding in findings {
        lines.entry(&finding.fingerprint).or_insert_with(|| {
            let mut line = b"{\"fingerprint\":".to_vec();
            let members = [
                ("query", finding.query.id.as_str()),
                ("message", &finding.message),
                ("reason", "found when the file was written"),
            ];
            write_quoted(&mut line, &finding.fingerprint, Quoting::Json);
            for (name, text) in members {
                line.extend_from_slice(format!(",\"{name}\":").as_bytes());
                write_quoted(&mut line, text, Quoting::Json);
            }
            line.extend_from_slice(b",\"until\":null}");
            line
        });
    }
    let write = || {
        let mut out = AtomicFile::create(file)?;
        for line in lines.values() {
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
        out.finish()
    };
    write().with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}
