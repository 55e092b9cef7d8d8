//! `sql` and `run`: questions in, rows on stdout, the account on stderr.

use std::io::Write;

use anyhow::{Context, Result, bail};
use auditql_engine::{Level, SavedQuery, ScanReport};

use super::{Ended, open, stdout, write};
use crate::{
    args::{Input, Run, Sql},
    output::View,
    progress::Progress,
    status, summary,
    terminal::{self, Color},
};

pub(super) async fn sql(args: &Sql, input: &Input, color: Color) -> Result<u8> {
    let text = match (&args.sql, &args.file) {
        (Some(sql), _) => sql.clone(),
        (None, Some(file)) if file.as_os_str() == "-" => std::io::read_to_string(std::io::stdin())?,
        (None, Some(file)) => std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?,
        (None, None) => bail!("no SQL given"),
    };
    let statements = auditql_engine::statements(&text);
    if statements.is_empty() {
        bail!("there is no SQL statement in the input");
    }
    let engine = open(input).await?;
    if statements.len() > 1 {
        engine.spool_streams()?;
    }
    let mut out = stdout();
    let mut account: Option<ScanReport> = None;
    let mut code = status::OK;
    for statement in &statements {
        let progress = Progress::start(&engine, input.quiet);
        let answer = engine.sql(statement).await?;
        let ended = write(
            answer,
            &args.format.output,
            View {
                width: terminal::width(),
            },
            &mut out,
        )
        .await;
        drop(progress);
        out.flush()?;
        let ended = ended?;
        account = Some(further(account, engine.report()));
        if let Ended::Interrupted = ended {
            code = status::INTERRUPTED;
            break;
        }
    }
    account_for(&account.unwrap_or_default(), input, color, code)
}

/// Of the accounts of several statements over one input, the one that saw most of it.
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

pub(super) async fn run(args: &Run, input: &Input, color: Color) -> Result<u8> {
    let query = SavedQuery::find(&args.query)?;
    let engine = open(input).await?;
    let mut out = stdout();
    let progress = Progress::start(&engine, input.quiet);
    let answer = engine.run(query, &args.params).await?;
    let ended = write(
        answer,
        &args.format.output,
        View {
            width: terminal::width(),
        },
        &mut out,
    )
    .await;
    drop(progress);
    out.flush()?;
    let code = if let Ended::Interrupted = ended? {
        status::INTERRUPTED
    } else {
        status::OK
    };
    let report = engine.report();
    if !input.quiet
        && let Some(note) = not_evaluable(query, &report)
    {
        let _ = writeln!(std::io::stderr(), "{note}");
    }
    account_for(&report, input, color, code)
}

/// Rows that cannot be there are not the same as rows that are not there.
pub(crate) fn not_evaluable(query: &SavedQuery, report: &ScanReport) -> Option<String> {
    let needed = match query.header.level {
        Level::Request => 1,
        Level::RequestResponse => 2,
        _ => return None,
    };
    let enough: u64 = report.total.levels[needed..3].iter().sum();
    let less: u64 = report.total.levels[..needed].iter().sum();
    let level = query.header.level.name();
    match (enough, less) {
        (_, 0) => None,
        (0, _) => Some(format!(
            "not evaluable: `{}` needs events of level {level}, and the input has none",
            query.id
        )),
        (_, less) => Some(format!(
            "`{}` needs events of level {level}: {less} of {} have less and cannot show what it asks for",
            query.id,
            less + enough
        )),
    }
}

fn account_for(report: &ScanReport, input: &Input, color: Color, code: u8) -> Result<u8> {
    let window = input.options().window;
    let partial = summary::finish(report, window, input.summary.as_deref(), input.quiet, color)?;
    Ok(match (code, partial) {
        (status::OK, partial) => partial,
        (code, _) => code,
    })
}
