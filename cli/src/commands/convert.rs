//! `convert`: the events of the input in, one file out.

use std::{io::Write, sync::Arc};

use anyhow::{Result, bail};

use super::open;
use crate::{
    args::{Convert, Input},
    progress::Progress,
    status, summary,
    terminal::Color,
};

pub(super) async fn convert(args: &Convert, input: &Input, color: Color) -> Result<u8> {
    let mut input = input.clone();
    if input.options().inputs.is_empty() {
        bail!("convert needs an input: -i FILE, folder, glob, or - for stdin");
    }
    // Lines are written by one thread, so one is enough to keep them in order.
    if !args.to.to_ascii_lowercase().ends_with(".parquet") {
        input.threads = Some(1);
    }
    let engine = open(&input).await?;
    let progress = Progress::start(&engine, input.quiet);
    let work = {
        let (engine, to) = (Arc::clone(&engine), args.to.clone());
        // Encoding blocks its thread: it gets one of its own.
        tokio::task::spawn_blocking(move || tokio::runtime::Handle::current().block_on(auditql_engine::convert(&engine, &to)))
    };
    tokio::pin!(work);
    let done = tokio::select! {
        done = &mut work => done?,
        signal = super::stopped() => {
            signal?;
            engine.cancel();
            // The temporary file is removed on the way out.
            work.await?
        }
    };
    drop(progress);
    let report = engine.report();
    let code = summary::finish(&report, input.options().window, input.summary.as_deref(), input.quiet, color)?;
    let done = done?;
    if !input.quiet {
        let (faint, plain) = color.faint();
        let _ = writeln!(std::io::stderr(), "{faint}wrote {} events, {} bytes, to {}{plain}", done.rows, done.bytes, args.to);
    }
    debug_assert!(code == status::OK || code == status::PARTIAL);
    Ok(code)
}
