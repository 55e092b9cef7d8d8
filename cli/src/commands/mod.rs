//! The commands, one file a verb: arguments in, exit code out.

mod convert;
mod docs;
mod lake;
mod queries;
mod query;
mod schema;

use std::{io::Write, sync::Arc};

use anyhow::Result;
use auditql_engine::{
    Answer, Engine,
    arrow::{
        array::{ArrayRef, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
    },
};
use futures::StreamExt;

use crate::{
    args::{Args, Command, Format, Input},
    output::{self, View},
    status, terminal,
};

pub(crate) use queries::show as queries_show;
pub(crate) use query::not_evaluable;
pub(crate) use schema::columns as schema_columns;

/// The stack of the thread that plans: an expression of thousands of terms is walked recursively.
const STACK: usize = 512 << 20;

/// Runs the command; its exit code.
pub(crate) fn run(args: Args) -> Result<u8> {
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || dispatch(args))?;
    thread.join().map_err(|_| {
        anyhow::anyhow!("auditql failed inside; please report the command that did it")
    })?
}

fn dispatch(args: Args) -> Result<u8> {
    let color = terminal::Color::detect(args.color);
    let input = args.input;
    match args.command.unwrap_or(Command::Shell) {
        Command::Shell => block_on(&input, crate::shell::run(&input, color)),
        Command::Sql(sql) => block_on(&input, query::sql(&sql, &input, color)),
        Command::Run(run) => block_on(&input, query::run(&run, &input, color)),
        Command::Convert(convert) => block_on(&input, convert::convert(&convert, &input, color)),
        Command::Lake(args) => block_on(&input, lake::lake(&args, &input, color)),
        Command::Queries(queries) => queries::queries(&queries),
        Command::Schema(schema) => schema::schema(&schema),
        Command::Formats(listing) => schema::formats(&listing),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man => docs::man(),
    }
}

fn block_on(input: &Input, work: impl Future<Output = Result<u8>>) -> Result<u8> {
    let threads = input.options().threads;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_stack_size(STACK / 8)
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    // After Ctrl-C a step of the query may still run; nobody waits for it.
    runtime.shutdown_background();
    done
}

/// Opens the inputs; none at all is a mistake for commands that read.
pub(crate) async fn open(input: &Input) -> Result<Arc<Engine>> {
    Ok(Arc::new(Engine::open(input.options()).await?))
}

/// What stands in the way of an answer.
#[derive(Debug)]
pub(crate) enum Ended {
    /// All rows were written.
    Complete,
    /// The user pressed Ctrl-C.
    Interrupted,
}

/// Writes an answer's rows as they come, until they end or the user stops it.
pub(crate) async fn write(
    mut answer: Answer,
    name: &str,
    view: View,
    out: &mut (dyn Write + Send),
) -> Result<Ended> {
    let output =
        output::find(name).ok_or_else(|| anyhow::anyhow!("there is no output format `{name}`"))?;
    let mut rows = output.begin(out, answer.schema(), view)?;
    // The query runs in a task of its own: a step of it may take long, and Ctrl-C must not wait for
    // it.
    let (sender, mut batches) = tokio::sync::mpsc::channel(2);
    let work = tokio::spawn(async move {
        while let Some(batch) = answer.next().await {
            if sender.send(batch).await.is_err() {
                break;
            }
        }
    });
    let ended = loop {
        tokio::select! {
            biased;
            stopped = stopped() => {
                stopped?;
                break Ended::Interrupted;
            }
            batch = batches.recv() => match batch {
                Some(batch) => rows.batch(&batch?)?,
                None => break Ended::Complete,
            },
        }
    };
    work.abort();
    if let Ended::Interrupted = ended {
        return Ok(ended);
    }
    rows.finish()?;
    Ok(Ended::Complete)
}

/// Until the user, or the system, asks to stop.
pub(crate) async fn stopped() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminated =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminated.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Stdout, buffered.
pub(crate) fn stdout() -> std::io::BufWriter<std::io::Stdout> {
    std::io::BufWriter::with_capacity(1 << 16, std::io::stdout())
}

/// A small listing of ours as rows.
pub(crate) fn listing(names: &[&str], rows: &[Vec<String>], format: &Format) -> Result<u8> {
    let schema = Arc::new(Schema::new(
        names
            .iter()
            .map(|name| Field::new(*name, DataType::Utf8, true))
            .collect::<Vec<_>>(),
    ));
    let column = |index: usize| {
        Arc::new(
            rows.iter()
                .map(|row| row.get(index).map(String::as_str))
                .collect::<StringArray>(),
        ) as ArrayRef
    };
    let batch = RecordBatch::try_new(Arc::clone(&schema), (0..names.len()).map(column).collect())?;
    let mut out = stdout();
    if let Some(output) = output::find(&format.output) {
        let mut writer = output.begin(
            &mut out,
            &schema,
            View {
                width: terminal::width(),
            },
        )?;
        writer.batch(&batch)?;
        writer.finish()?;
    }
    out.flush()?;
    Ok(status::OK)
}
