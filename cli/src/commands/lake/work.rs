//! The commands that answer with rows about a lake.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use auditql_engine::arrow::array::RecordBatch;
use auditql_engine::{AsOf, Clock, FindingStatus, Lake, LakeOptions};

use super::message;
use crate::{
    output,
    run::{note, status, write_batch},
    settings::Settings,
};

/// What is done with a lake.
#[derive(Debug, Clone)]
pub(super) enum LakeWork {
    Sources {
        as_of: Option<AsOf>,
    },
    History {
        limit: Option<usize>,
    },
    Verify {
        originals: bool,
        inputs: Vec<String>,
    },
    Optimize,
    Expire {
        /// In microseconds since the epoch.
        before: i64,
        dry_run: bool,
    },
    Vacuum {
        /// In microseconds.
        older_than: i64,
        dry_run: bool,
    },
}

/// What came of it.
struct LakeOutcome {
    rows: RecordBatch,
    /// What was done, if there is something to say.
    message: Option<String>,
    /// Does the lake differ from its evidence?
    differs: bool,
}

/// Does the work on a thread of its own, since it blocks, and writes its rows.
pub(super) async fn run(lake: &str, work: LakeWork, settings: &Settings) -> Result<u8> {
    let output = output::find(settings.output())?;
    let cancelled = Arc::new(AtomicBool::new(false));
    let cleans_up = matches!(work, LakeWork::Optimize);
    let work = {
        let (options, lake) = (options(settings), lake.to_owned());
        let cancelled = Arc::clone(&cancelled);
        tokio::task::spawn_blocking(move || {
            let work = perform(&options, &lake, &work, &cancelled);
            tokio::runtime::Handle::current().block_on(work)
        })
    };
    tokio::pin!(work);
    let done = tokio::select! {
        done = &mut work => done?,
        _ = settings.interrupt.wait() => {
            cancelled.store(true, Ordering::Relaxed);
            if cleans_up {
                // It removes the files that it has written and not committed.
                let _ = work.await?;
            }
            return Ok(status::INTERRUPTED);
        }
    }?;
    write_batch(&done.rows, output, settings)?;
    if let Some(message) = done.message {
        note(settings, &message);
    }
    Ok(if done.differs {
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
        clock: Clock::system(),
    }
}

async fn perform(
    options: &LakeOptions,
    lake: &str,
    work: &LakeWork,
    cancelled: &AtomicBool,
) -> auditql_engine::Result<LakeOutcome> {
    let lake = Lake::open(options, lake).await?;
    let (rows, message) = match work {
        LakeWork::Sources { as_of } => (lake.sources(*as_of).await?.rows()?, None),
        LakeWork::History { limit } => (lake.history(*limit).await?.rows()?, None),
        LakeWork::Verify { originals, inputs } => {
            let verified = lake.verify(*originals, inputs).await?;
            return Ok(LakeOutcome {
                rows: verified.rows()?,
                message: Some(message::verified(&verified, lake.uri())),
                differs: verified.count(FindingStatus::Differs) > 0,
            });
        }
        LakeWork::Optimize => {
            let done = lake.optimize(cancelled).await?;
            (done.rows()?, Some(message::optimized(&done, lake.uri())))
        }
        LakeWork::Expire { before, dry_run } => {
            let done = lake.expire(*before, *dry_run).await?;
            (done.rows()?, Some(message::expired(&done, lake.uri())))
        }
        LakeWork::Vacuum {
            older_than,
            dry_run,
        } => {
            let done = lake.vacuum(*older_than, *dry_run).await?;
            (done.rows()?, Some(message::vacuumed(&done, lake.uri())))
        }
    };
    Ok(LakeOutcome {
        rows,
        message,
        differs: false,
    })
}
