//! `convert`: the events of the input in, one file or a lake out.

use std::{io::Write, sync::Arc};

use anyhow::{Result, bail};

use auditql_engine::is_lake;

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
    if !is_lake(&args.to) && !args.to.to_ascii_lowercase().ends_with(".parquet") {
        input.threads = Some(1);
    }
    let engine = open(&input).await?;
    let progress = Progress::start(&engine, input.quiet);
    let work = {
        let (engine, to) = (Arc::clone(&engine), args.to.clone());
        // Encoding blocks its thread: it gets one of its own.
        tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(auditql_engine::convert(&engine, &to))
        })
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
    let code = summary::finish(
        &report,
        input.options().window,
        input.summary.as_deref(),
        input.quiet,
        color,
    )?;
    let done = done?;
    if !input.quiet {
        let (faint, plain) = color.faint();
        let message = match done.version {
            None => format!(
                "wrote {} events, {} bytes, to {}",
                done.rows, done.bytes, args.to
            ),
            Some(version) => {
                let what = match (done.rows, done.known) {
                    (0, _) => "nothing new".to_owned(),
                    (rows, _) => format!(
                        "wrote {rows} events, {} bytes in {} files",
                        done.bytes, done.files
                    ),
                };
                let known = if done.known > 0 {
                    format!("; {} inputs were there already", done.known)
                } else {
                    String::new()
                };
                format!("{what}, to {}, version {version}{known}", args.to)
            }
        };
        let _ = writeln!(std::io::stderr(), "{faint}{message}{plain}");
    }
    debug_assert!(code == status::OK || code == status::PARTIAL);
    Ok(code)
}
