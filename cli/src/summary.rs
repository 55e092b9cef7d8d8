//! The account of a run: what was read, for people on stderr and for scripts in a file.

use std::{io::Write, path::Path};

use anyhow::{Context, Result};
use auditql_engine::{Counts, ScanReport, Window};
use serde_json::{Value, json};

use crate::{
    status,
    terminal::{Color, sanitize},
};

/// Rejects that are told one by one.
const MOST_TOLD: usize = 10;

/// Tells the account on stderr and writes it to `file`; the exit code it means.
pub(crate) fn finish(
    report: &ScanReport,
    window: Window,
    file: Option<&Path>,
    quiet: bool,
    color: Color,
) -> Result<u8> {
    if !quiet {
        let _ = tell(report, window, color);
    }
    if let Some(file) = file {
        write(report, file)?;
    }
    Ok(if report.is_clean() {
        status::OK
    } else {
        status::PARTIAL
    })
}

fn tell(report: &ScanReport, window: Window, color: Color) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    let total = &report.total;
    let (faint, plain) = color.faint();
    if report.inputs.is_empty() && total.read() == 0 {
        return Ok(());
    }
    let mut told = 0;
    for input in &report.inputs {
        for reject in &input.tally.samples {
            if told == MOST_TOLD {
                break;
            }
            told += 1;
            let line = reject.line.map_or_else(
                || format!("byte {}", reject.offset),
                |line| line.to_string(),
            );
            writeln!(
                err,
                "{}:{line}: {}: {}",
                sanitize(&input.uri, false),
                reject.reason,
                sanitize(&reject.message, false)
            )?;
        }
    }
    let rejected: u64 = total.rejects.values().sum();
    if rejected > told as u64 && told > 0 {
        writeln!(
            err,
            "… and {} more; `SELECT * FROM rejects` shows all",
            grouped(rejected - told as u64)
        )?;
    }
    let mut text = format!(
        "read {} records: {} events",
        grouped(total.read()),
        grouped(total.events)
    );
    text.push_str(&counted("rejected", &total.rejects));
    text.push_str(&counted("skipped", &total.skipped));
    writeln!(err, "{faint}{text}{plain}")?;
    if report.partial {
        writeln!(
            err,
            "{faint}partial: stopped before the end of the input{plain}"
        )?;
    }
    if let (true, Some((first, last))) = (window.is_bounded(), total.window) {
        let outside = window.until.is_some_and(|until| first >= until)
            || window.since.is_some_and(|since| last < since);
        if outside && !report.partial {
            writeln!(
                err,
                "no event lies in the time window: the input has {} to {}",
                time(first),
                time(last)
            )?;
        }
    }
    Ok(())
}

fn counted(what: &str, counts: &Counts) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let by: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{reason} {}", grouped(*count)))
        .collect();
    format!(
        ", {} {what} ({})",
        grouped(counts.values().sum()),
        by.join(", ")
    )
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn time(micros: i64) -> String {
    auditql_engine::format_time(micros)
}

fn write(report: &ScanReport, file: &Path) -> Result<()> {
    let counts = |counts: &Counts| {
        Value::Object(
            counts
                .iter()
                .map(|(reason, count)| ((*reason).to_owned(), json!(count)))
                .collect(),
        )
    };
    let account = |tally: &auditql_engine::Tally| {
        json!({
            "read": tally.read(),
            "events": tally.events,
            "rejects": counts(&tally.rejects),
            "skipped": counts(&tally.skipped),
            "first": tally.window.map(|(first, _)| time(first)),
            "last": tally.window.map(|(_, last)| time(last)),
        })
    };
    let mut summary = account(&report.total);
    summary["partial"] = if report.partial {
        json!("stopped")
    } else {
        Value::Null
    };
    summary["version"] = json!(env!("CARGO_PKG_VERSION"));
    summary["inputs"] = report
        .inputs
        .iter()
        .map(|input| {
            let mut object = account(&input.tally);
            object["uri"] = json!(input.uri);
            object["bytes"] = json!(input.size);
            object["compression"] = json!(input.compression);
            object["format"] = json!(input.tally.format);
            object["decompressed_bytes"] = json!(input.tally.bytes);
            object["first_rejects"] = input
                .tally
                .samples
                .iter()
                .map(|reject| json!({"line": reject.line, "offset": reject.offset, "reason": reject.reason, "message": reject.message}))
                .collect();
            object
        })
        .collect();
    let text = serde_json::to_string_pretty(&summary)?;
    std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
}
