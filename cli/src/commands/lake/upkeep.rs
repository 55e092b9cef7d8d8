//! The commands that answer with rows about a lake.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use auditql_engine::{LakeCommand, LakeOptions};

use super::message;
use crate::{
    output,
    run::{note, status, stopped, write_batch},
    settings::Settings,
};

/// Does the work on a thread of its own, since it blocks, and writes its rows.
pub(super) async fn run(lake: &str, work: LakeCommand, settings: &Settings) -> Result<u8> {
    let output = output::find(settings.output())?;
    let cancelled = Arc::new(AtomicBool::new(false));
    let cleans_up = work == LakeCommand::Optimize;
    let work = {
        let (options, lake) = (options(settings), lake.to_owned());
        let cancelled = Arc::clone(&cancelled);
        tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current()
                .block_on(auditql_engine::lake(&options, &lake, work, &cancelled))
        })
    };
    tokio::pin!(work);
    let done = tokio::select! {
        done = &mut work => done?,
        signal = stopped() => {
            signal?;
            cancelled.store(true, Ordering::Relaxed);
            if cleans_up {
                // It removes the files that it has written and not committed.
                let _ = work.await?;
            }
            return Ok(status::INTERRUPTED);
        }
    }?;
    let (message, findings) = (message::done(&done), done.findings);
    write_batch(&done.rows, output, settings)?;
    if let Some(message) = message {
        note(settings, &message);
    }
    Ok(if findings {
        status::FINDINGS
    } else {
        status::OK
    })
}

fn options(settings: &Settings) -> LakeOptions {
    let options = &settings.options;
    LakeOptions {
        stores: options.stores.clone(),
        threads: options.threads,
        memory: options.memory,
        as_of: options.as_of,
    }
}
