//! `check`: saved queries asked of logs all at once; findings out, in as many forms as are wanted,
//! and an exit code that a pipeline can trust.
//!
//! Thin: what is asked, found and known to be hidden comes from the engine. Not responsible for: how
//! each form looks, one file a form.

mod accepted;
mod gate;
mod json;
mod junit;
mod markdown;
mod report;
mod sarif;
mod selection;
mod table;

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use auditql_engine::{Account, AtomicFile, CheckReport, CheckStatus, Engine, ErrorKind};

use crate::{
    args::{CheckArgs, ReportFormat, ReportTarget},
    run::{AccountOfRun, Session, conclude, note, status, stdout},
    settings::Settings,
    text::{counted, sanitize},
};

use accepted::AcceptedFindings;
use gate::Gate;
use report::Report;

pub(crate) async fn check(args: &CheckArgs, settings: &Settings) -> Result<u8> {
    let selection = selection::select(args)?;
    let targets = targets(args)?;
    let gate = Gate::new(&args.fail_on);
    let accepted = match &args.accept {
        Some(file) => AcceptedFindings::read(file, settings.now)?,
        None => AcceptedFindings::default(),
    };
    let session = Session::open(settings).await?;
    let (queries, least) = (selection.queries, selection.least);
    let work = async move |engine: &Engine, account: &Account| {
        engine.check(&queries, least, account).await
    };
    let (done, account) = session.work(work).await?;
    let is_interrupted = settings.interrupt.received().is_some()
        || matches!(&done, Err(error) if matches!(error.kind(), ErrorKind::Interrupted));
    let written = match &done {
        Ok(checked) if !is_interrupted => {
            let mut report = Report::new(checked, &accepted, &account, gate);
            if let Some(file) = &args.write_accept {
                accepted::write(file, &accepted, report.findings())?;
                report.accept_all();
            }
            let written = write(&report, &targets, settings);
            tell(&report, &targets, settings);
            match written {
                // A gate does not pass because nobody reads to its end.
                Err(error) if !status::is_broken_pipe(&error) => Err(error),
                _ => Ok(report.fails()),
            }
        }
        _ => Ok(false),
    };
    let (code, checked) = conclude(done, AccountOfRun::of(account), settings)?;
    let fails = written?;
    if is_interrupted {
        return Ok(status::INTERRUPTED);
    }
    Ok(exit_code(&checked, code, fails))
}

/// A gate never passes where a query failed or a part of the input could not be read, and says that
/// rather than what was found in the rest.
fn exit_code(checked: &CheckReport, of_account: u8, fails: bool) -> u8 {
    let mut outcomes = checked.outcomes.iter();
    if outcomes.any(|outcome| outcome.status == CheckStatus::Error) {
        return status::ERROR;
    }
    match (of_account, fails) {
        (status::OK, true) => status::FINDINGS,
        (code, _) => code,
    }
}

/// Where the report goes: a table on stdout unless something else is asked for.
fn targets(args: &CheckArgs) -> Result<Vec<ReportTarget>> {
    if args.output.is_empty() {
        return Ok(vec![ReportTarget {
            format: ReportFormat::Table,
            file: None,
        }]);
    }
    let on_stdout = args.output.iter().filter(|target| target.file.is_none());
    if on_stdout.count() > 1 {
        bail!("two outputs on stdout; give all but one a file: -o FORMAT=FILE");
    }
    Ok(args.output.clone())
}

fn write(report: &Report<'_>, targets: &[ReportTarget], settings: &Settings) -> Result<()> {
    for target in targets {
        match &target.file {
            None => {
                let mut out = stdout();
                write_form(report, target.format, &mut out, settings)?;
                out.flush()?;
            }
            Some(file) => {
                let write = || -> Result<()> {
                    let mut out = AtomicFile::create(file)?;
                    write_form(report, target.format, &mut out, settings)?;
                    out.finish()?;
                    Ok(())
                };
                write().with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
    }
    Ok(())
}

fn write_form(
    report: &Report<'_>,
    format: ReportFormat,
    out: &mut dyn Write,
    settings: &Settings,
) -> Result<()> {
    match format {
        ReportFormat::Table => Ok(table::write(report, out, super::screen::width(settings))?),
        ReportFormat::Json => json::write_document(report, out),
        ReportFormat::JsonLines => json::write_lines(report, out),
        ReportFormat::Sarif => sarif::write(report, out),
        ReportFormat::Junit => Ok(junit::write(report, out)?),
        ReportFormat::Markdown => Ok(markdown::write(report, out)?),
    }
}

/// What stands on stderr: what could not be answered, unless a table has just said it.
fn tell(report: &Report<'_>, targets: &[ReportTarget], settings: &Settings) {
    let is_table =
        |target: &ReportTarget| target.format == ReportFormat::Table && target.file.is_none();
    if !targets.iter().any(is_table) {
        let _ = tell_unanswered(report);
    }
    let expired = report.expired();
    if expired > 0 {
        note(
            settings,
            &format!(
                "{} accepted until a time that has passed",
                counted(expired, "finding")
            ),
        );
    }
}

/// Also where nothing is to be said: an answer that could not be given must not look like `none`.
fn tell_unanswered(report: &Report<'_>) -> io::Result<()> {
    let mut err = io::stderr().lock();
    for (status, what) in [
        (CheckStatus::Error, "error"),
        (CheckStatus::NotEvaluable, "not evaluable"),
        (CheckStatus::Partly, "partly evaluable"),
    ] {
        for outcome in report.with_status(status) {
            let line = format!("{what}: {}: {}", outcome.query.id, outcome.reason);
            writeln!(err, "{}", sanitize(&line, false))?;
        }
    }
    Ok(())
}
