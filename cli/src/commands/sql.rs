//! `sql`: statements in, rows on stdout, the account of the run on stderr.

use anyhow::{Context, Result, bail};
use auditql_engine::ScanReport;

use crate::{
    args::SqlArgs,
    output,
    run::{Ended, Question, Session, account, status},
    settings::Settings,
};

pub(crate) async fn sql(args: &SqlArgs, settings: &Settings) -> Result<u8> {
    let statements = auditql_engine::statements(&text(args)?);
    if statements.is_empty() {
        bail!("no SQL statement given");
    }
    let output = output::find(settings.output())?;
    let session = Session::open(settings).await?;
    if statements.len() > 1 {
        session.keep_streams()?;
    }
    let mut report: Option<ScanReport> = None;
    let mut is_interrupted = false;
    for statement in &statements {
        let shown = session.show(&Question::Sql(statement), output).await?;
        is_interrupted = shown.ended? == Ended::Interrupted;
        report = Some(further(report, shown.report));
        if is_interrupted {
            break;
        }
    }
    let code = account(&report.unwrap_or_default(), settings)?;
    Ok(if is_interrupted {
        status::INTERRUPTED
    } else {
        code
    })
}

/// The text of the statements.
fn text(args: &SqlArgs) -> Result<String> {
    match (&args.sql, &args.file) {
        (Some(sql), _) => Ok(sql.clone()),
        (None, Some(file)) if file.as_os_str() == "-" => {
            Ok(std::io::read_to_string(std::io::stdin())?)
        }
        (None, Some(file)) => {
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
        }
        (None, None) => Ok(String::new()),
    }
}

/// The report that saw more of the input, of those of several statements.
fn further(before: Option<ScanReport>, now: ScanReport) -> ScanReport {
    match before {
        Some(before)
            if before.total.read() > now.total.read()
                || (before.total.read() == now.total.read() && !before.partial) =>
        {
            before
        }
        _ => now,
    }
}
