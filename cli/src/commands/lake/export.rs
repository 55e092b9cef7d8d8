//! `lake export`: a lake in, the original events as JSON lines out.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{Account, Engine, ErrorKind};

use super::message;
use crate::{
    args::ExportArgs,
    run::{AccountOfRun, Session, conclude, note},
    settings::Settings,
};

pub(super) async fn export(args: &ExportArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open_lake(&args.name.lake, settings).await?;
    let (to, source) = (args.to.clone(), args.source.clone());
    let (done, report) = session
        .work(async move |engine, account| write(engine, account, &to, source.as_deref()).await)
        .await?;
    let (code, (events, bytes)) = conclude(done, AccountOfRun::of(report), settings)?;
    note(settings, &message::exported(events, bytes, &args.to));
    Ok(code)
}

/// Writes the events; how many there were, and the bytes of the file if it is one.
async fn write(
    engine: &Engine,
    account: &Account,
    to: &str,
    source: Option<&str>,
) -> auditql_engine::Result<(u64, Option<u64>)> {
    if to != "-" {
        let done = engine.export(to, source, account).await?;
        return Ok((done.rows, Some(done.bytes)));
    }
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout());
    let rows = engine.export_to(&mut out, source, account).await?;
    out.flush().map_err(|source| ErrorKind::Output {
        path: "stdout".to_owned(),
        source,
    })?;
    Ok((rows, None))
}
