//! The account of a run: what was read, for people on stderr and for scripts in a file, however the
//! run ends.

use std::{
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result};
use auditql_engine::{AtomicFile, Counts, InputReport, ScanReport, Tally, Window, format_time};
use serde_json::{Value, json};

use super::{skipped, status};
use crate::{
    settings::Settings,
    text::{counted, grouped, sanitize},
};

/// Rejects that are listed one by one.
const MOST_LISTED: usize = 10;

/// What a run of one or several questions has read.
#[derive(Debug, Default)]
pub(crate) struct AccountOfRun(Option<ScanReport>);

impl AccountOfRun {
    /// Of a run of one question.
    pub(crate) fn of(report: ScanReport) -> Self {
        Self(Some(report))
    }

    /// Adds what another question has read: all read the same input, so the account is that of the
    /// one that saw more of it.
    pub(crate) fn add(&mut self, now: ScanReport) {
        let stays = |before: &ScanReport| {
            let (seen, more) = (before.total.read(), now.total.read());
            seen > more || (seen == more && !before.partial)
        };
        if !self.0.as_ref().is_some_and(stays) {
            self.0 = Some(now);
        }
    }

    /// Writes it to the file of `--summary`, with the error that ended the run.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn save(&self, error: Option<&str>, settings: &Settings) -> Result<()> {
        let nothing = ScanReport::default();
        match &settings.summary {
            Some(file) => save(self.0.as_ref().unwrap_or(&nothing), error, file),
            None => Ok(()),
        }
    }
}

/// Ends a run: prints its account on stderr, writes it to the file of `--summary`, and says which
/// exit code it means. A run that failed has an account, too.
///
/// # Errors
///
/// When the run failed, or the file cannot be written.
pub(crate) fn conclude<T, E: Into<anyhow::Error>>(
    done: Result<T, E>,
    account: AccountOfRun,
    settings: &Settings,
) -> Result<(u8, T)> {
    let done = done.map_err(Into::into);
    let code = account
        .0
        .as_ref()
        .map_or(status::OK, |report| tell(report, settings));
    let error = match (&done, settings.interrupt.received()) {
        (Err(error), _) => Some(status::words(error)),
        (Ok(_), Some(_)) => Some("interrupted".to_owned()),
        (Ok(_), None) => None,
    };
    let saved = account.save(error.as_deref(), settings);
    match (done, saved) {
        (Ok(done), Ok(())) => Ok((code, done)),
        (Ok(_), Err(error)) => Err(error),
        (Err(error), saved) => {
            if let Err(error) = saved {
                status::report(&error, settings.color);
            }
            Err(error)
        }
    }
}

/// Prints the account on stderr; the exit code it means.
pub(crate) fn tell(report: &ScanReport, settings: &Settings) -> u8 {
    if !settings.quiet {
        let _ = print(report, settings);
    }
    let is_about_nothing = report.is_about_nothing() && !settings.allow_empty;
    if is_about_nothing {
        let _ = print_nothing(report);
    }
    if report.is_clean() && !is_about_nothing {
        status::OK
    } else {
        status::PARTIAL
    }
}

fn print(report: &ScanReport, settings: &Settings) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let total = &report.total;
    let (faint, plain) = settings.color.faint();
    if report.inputs.is_empty() && total.read() == 0 {
        return Ok(());
    }
    print_rejects(report, &mut err)?;
    writeln!(
        err,
        "{faint}read {} records: {} events{}{}{}{plain}",
        grouped(total.read()),
        grouped(total.events),
        match total.objects {
            0 => String::new(),
            objects => format!(", {}", counted(objects, "RBAC object")),
        },
        by_reason("rejected", &total.rejects),
        by_reason("skipped", &total.skipped)
    )?;
    write!(err, "{faint}")?;
    skipped::print(report, &mut err)?;
    write!(err, "{plain}")?;
    if report.unchecked_files > 0 {
        writeln!(
            err,
            "{faint}{} of the lake written without checksums, so damage would go unnoticed; \
             `auditql lake optimize` adds them{plain}",
            counted(report.unchecked_files, "data file")
        )?;
    }
    if report.partial {
        writeln!(
            err,
            "{faint}partial: stopped before the end of the input{plain}"
        )?;
    } else if let Some((first, last)) = total.window
        && lies_outside(settings.options.window, first, last)
    {
        writeln!(
            err,
            "no events in the time window; the input has events from {} to {}",
            format_time(first),
            format_time(last)
        )?;
    }
    let Window { since, until } = settings.options.window;
    if total.without_time > 0 && (since.is_some() || until.is_some()) {
        let (have, them) = if total.without_time == 1 {
            ("has", "it")
        } else {
            ("have", "them")
        };
        writeln!(
            err,
            "{} {have} no time: the time window leaves {them} out",
            counted(total.without_time, "event")
        )?;
    }
    Ok(())
}

/// Says that there is nothing to ask about, and what is there instead. Also where the account is
/// not wanted: an empty answer looks like a good one.
fn print_nothing(report: &ScanReport) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let there = what_is_there(report);
    if report.lacks_objects() {
        writeln!(
            err,
            "no RBAC objects in the input: {}",
            sanitize(&there, false)
        )?;
        writeln!(
            err,
            "hint: add -i FILE with what `kubectl get clusterroles,roles,clusterrolebindings,\
             rolebindings -A -o json` prints, or a folder of manifests"
        )?;
    }
    if !report.lacks_events() {
        return Ok(());
    }
    writeln!(
        err,
        "no audit events in the input: {}",
        sanitize(&there, false)
    )?;
    writeln!(
        err,
        "hint: check -i; `auditql formats` lists what can be read, and --allow-empty accepts an \
         input without events"
    )
}

/// `2 empty files, a.json: other records (an object with the members items and kind)`.
fn what_is_there(report: &ScanReport) -> String {
    let is_empty = |input: &&InputReport| input.tally.read() == 0;
    let (empty, full): (Vec<_>, Vec<_>) = report.inputs.iter().partition(is_empty);
    let mut there = Vec::new();
    match (empty.as_slice(), full.is_empty()) {
        ([], true) => there.push("there are no files".to_owned()),
        ([one], _) => there.push(format!("{} is empty", one.uri)),
        ([], false) => {}
        (many, _) => there.push(counted(many.len() as u64, "empty file")),
    }
    const MOST: usize = 3;
    for input in full.iter().take(MOST) {
        let kinds = input.tally.passed_over.kinds();
        let what = match kinds.first() {
            _ if !input.tally.rejects.is_empty() => "what could not be read".to_owned(),
            Some(kind) => match kind.example {
                Some(example) => format!("other records (`{example}`)"),
                None => format!("other records ({})", kind.looks_like),
            },
            None => by_reason_only(&input.tally.skipped),
        };
        there.push(format!("{}: {what}", input.uri));
    }
    if full.len() > MOST {
        there.push(format!(
            "and so on in {}",
            counted((full.len() - MOST) as u64, "file")
        ));
    }
    there.join(", ")
}

/// `not an audit log`.
fn by_reason_only(counts: &Counts) -> String {
    let reasons: Vec<&str> = counts.keys().copied().collect();
    reasons.join(", ")
}

/// Lists the first rejects, one a line, with file and line.
fn print_rejects(report: &ScanReport, err: &mut impl Write) -> io::Result<()> {
    let rejects = report.inputs.iter().flat_map(|input| {
        let samples = input.tally.samples.iter();
        samples.map(|reject| (&input.uri, reject))
    });
    let mut listed = 0;
    for (uri, reject) in rejects.take(MOST_LISTED) {
        listed += 1;
        let place = reject.line.map_or_else(
            || format!("byte {}", reject.offset),
            |line| line.to_string(),
        );
        writeln!(
            err,
            "{}:{place}: {}: {}",
            sanitize(uri, false),
            reject.reason,
            sanitize(&reject.message, false)
        )?;
    }
    let rejected: u64 = report.total.rejects.values().sum();
    if listed > 0 && rejected > listed {
        writeln!(
            err,
            "… and {} more; `SELECT * FROM rejects` lists all",
            grouped(rejected - listed)
        )?;
    }
    Ok(())
}

/// Does everything in the input lie before or after the window?
fn lies_outside(window: Window, first: i64, last: i64) -> bool {
    window.until.is_some_and(|until| first >= until)
        || window.since.is_some_and(|since| last < since)
}

/// `, 3 rejected (invalid JSON 2, too large 1)`; nothing if there are none.
fn by_reason(what: &str, counts: &Counts) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let reasons: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{reason} {}", grouped(*count)))
        .collect();
    format!(
        ", {} {what} ({})",
        grouped(counts.values().sum()),
        reasons.join(", ")
    )
}

fn save(report: &ScanReport, error: Option<&str>, file: &Path) -> Result<()> {
    let mut summary = counts_and_times(&report.total);
    summary["partial"] = if report.partial {
        json!("stopped")
    } else {
        Value::Null
    };
    summary["error"] = json!(error);
    summary["version"] = json!(env!("CARGO_PKG_VERSION"));
    summary["inputs"] = report
        .inputs
        .iter()
        .map(|input| {
            let mut object = counts_and_times(&input.tally);
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
    let write = || {
        let mut out = AtomicFile::create(file)?;
        writeln!(out, "{text}")?;
        out.finish()
    };
    write().with_context(|| format!("cannot write {}", file.display()))?;
    Ok(())
}

fn counts_and_times(tally: &Tally) -> Value {
    let counts = |counts: &Counts| {
        let counts = counts.iter();
        Value::Object(
            counts
                .map(|(reason, count)| ((*reason).to_owned(), json!(count)))
                .collect(),
        )
    };
    json!({
        "read": tally.read(),
        "events": tally.events,
        "rejects": counts(&tally.rejects),
        "skipped": counts(&tally.skipped),
        "skipped_examples": skipped::examples(tally),
        "events_without_time": tally.without_time,
        "first": tally.window.map(|(first, _)| format_time(first)),
        "last": tally.window.map(|(_, last)| format_time(last)),
    })
}
