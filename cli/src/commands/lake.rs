//! `lake`: what is done with a lake besides filling and asking it.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Result, bail};
use auditql_engine::{LakeCommand as Work, Options};

use super::{Ended, stdout, stopped, write};
use crate::{
    args::Input,
    args_lake::{Export, Lake, LakeCommand, Place},
    output::View,
    progress::Progress,
    status, summary,
    terminal::{self, Color},
};

pub(super) async fn lake(args: &Lake, input: &Input, color: Color) -> Result<u8> {
    let (place, name, work) = match &args.command {
        LakeCommand::Export(args) => return export(args, input, color).await,
        LakeCommand::Sources(place) => (place, "sources", Work::Sources),
        LakeCommand::History(args) => (&args.place, "history", Work::History { limit: args.limit }),
        LakeCommand::Verify(args) => {
            if args.no_originals && !input.input.is_empty() {
                bail!(
                    "-i names originals, and --no-originals leaves them out; give one of the two"
                );
            }
            (
                &args.place,
                "verify",
                Work::Verify {
                    originals: !args.no_originals,
                    inputs: input.input.clone(),
                },
            )
        }
        LakeCommand::Optimize(place) => (place, "optimize", Work::Optimize),
        LakeCommand::Expire(args) => {
            let before = crate::args::now().saturating_sub(args.older_than);
            (
                &args.place,
                "expire",
                Work::Expire {
                    before,
                    dry_run: args.dry_run,
                },
            )
        }
        LakeCommand::Vacuum(args) => (
            &args.place,
            "vacuum",
            Work::Vacuum {
                older_than: args.older_than,
                dry_run: args.dry_run,
            },
        ),
    };
    if input.since.is_some() || input.until.is_some() {
        bail!("`lake {name}` is about the whole lake; leave out --since and --until");
    }
    if input.as_of.is_some() && name != "sources" {
        bail!("`lake {name}` is about the lake as it is; leave out --as-of");
    }
    if !input.input.is_empty() && name != "verify" {
        bail!("`lake {name}` takes the lake alone; leave out -i");
    }
    run(place, work, input, color).await
}

/// Does the work on a thread of its own: it blocks.
async fn run(place: &Place, work: Work, input: &Input, color: Color) -> Result<u8> {
    let cancelled = Arc::new(AtomicBool::new(false));
    let cleans_up = work == Work::Optimize;
    let work = {
        let (options, lake, cancelled) =
            (input.options(), place.lake.clone(), Arc::clone(&cancelled));
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
                // What it has written and not committed is removed on the way out.
                let _ = work.await?;
            }
            return Ok(status::INTERRUPTED);
        }
    }?;
    let mut out = stdout();
    let ended = write(
        done.answer,
        &place.format.output,
        View {
            width: terminal::width(),
        },
        &mut out,
    )
    .await;
    out.flush()?;
    if let Ended::Interrupted = ended? {
        return Ok(status::INTERRUPTED);
    }
    if let Some(message) = done.message.filter(|_| !input.quiet) {
        tell(&message, color);
    }
    Ok(if done.findings {
        status::FINDINGS
    } else {
        status::OK
    })
}

async fn export(args: &Export, input: &Input, color: Color) -> Result<u8> {
    if !input.input.is_empty() {
        bail!("`lake export` takes the lake alone; leave out -i");
    }
    let options = Options {
        inputs: Vec::new(),
        ..input.options()
    };
    let engine = Arc::new(auditql_engine::open_lake(&options, &args.lake).await?);
    let progress = Progress::start(&engine, input.quiet);
    let work = {
        let (engine, to, source) = (Arc::clone(&engine), args.to.clone(), args.source.clone());
        tokio::task::spawn_blocking(move || {
            tokio::runtime::Handle::current().block_on(async {
                if to != "-" {
                    return auditql_engine::export(&engine, &to, source.as_deref())
                        .await
                        .map(|done| (done.rows, Some(done.bytes)));
                }
                let mut out = stdout();
                let rows = auditql_engine::export_to(&engine, &mut out, source.as_deref()).await?;
                let flushed = out
                    .flush()
                    .map_err(|source| auditql_engine::ErrorKind::Output {
                        path: "stdout".to_owned(),
                        source,
                    });
                flushed?;
                Ok((rows, None))
            })
        })
    };
    tokio::pin!(work);
    let done = tokio::select! {
        done = &mut work => done?,
        signal = stopped() => {
            signal?;
            engine.cancel();
            // The temporary file is removed on the way out.
            work.await?
        }
    };
    drop(progress);
    let (rows, bytes) = done?;
    let code = summary::finish(
        &engine.report(),
        options.window,
        input.summary.as_deref(),
        input.quiet,
        color,
    )?;
    if !input.quiet {
        let size = bytes.map_or_else(String::new, |bytes| format!(", {bytes} bytes"));
        tell(&format!("wrote {rows} events{size}, to {}", args.to), color);
    }
    Ok(code)
}

fn tell(message: &str, color: Color) {
    let (faint, plain) = color.faint();
    let _ = writeln!(
        std::io::stderr(),
        "{faint}{}{plain}",
        terminal::sanitize(message, false)
    );
}
