//! The commands, one file a verb: arguments in, exit code out.

mod convert;
mod docs;
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

/// Runs the command; its exit code.
pub(crate) fn run(args: Args) -> Result<u8> {
    let color = terminal::Color::detect(args.color);
    match args.command.unwrap_or(Command::Shell) {
        Command::Shell => runtime(&args.input)?.block_on(crate::shell::run(&args.input, color)),
        Command::Sql(sql) => runtime(&args.input)?.block_on(query::sql(&sql, &args.input, color)),
        Command::Run(run) => runtime(&args.input)?.block_on(query::run(&run, &args.input, color)),
        Command::Convert(convert) => runtime(&args.input)?.block_on(convert::convert(&convert, &args.input, color)),
        Command::Queries(queries) => queries::queries(&queries),
        Command::Schema(schema) => schema::schema(&schema),
        Command::Formats(listing) => schema::formats(&listing),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man => docs::man(),
    }
}

fn runtime(input: &Input) -> Result<tokio::runtime::Runtime> {
    let threads = input.options().threads;
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?)
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
pub(crate) async fn write(mut answer: Answer, name: &str, view: View, out: &mut (dyn Write + Send)) -> Result<Ended> {
    let output = output::find(name).ok_or_else(|| anyhow::anyhow!("there is no output format `{name}`"))?;
    let mut rows = output.begin(out, answer.schema(), view)?;
    loop {
        tokio::select! {
            biased;
            signal = tokio::signal::ctrl_c() => {
                signal?;
                return Ok(Ended::Interrupted);
            }
            batch = answer.next() => match batch {
                Some(batch) => rows.batch(&batch?)?,
                None => break,
            },
        }
    }
    rows.finish()?;
    Ok(Ended::Complete)
}

/// Stdout, buffered.
pub(crate) fn stdout() -> std::io::BufWriter<std::io::Stdout> {
    std::io::BufWriter::with_capacity(1 << 16, std::io::stdout())
}

/// A small listing of ours as rows.
pub(crate) fn listing(names: &[&str], rows: &[Vec<String>], format: &Format) -> Result<u8> {
    let schema = Arc::new(Schema::new(names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect::<Vec<_>>()));
    let column = |index: usize| Arc::new(rows.iter().map(|row| row.get(index).map(String::as_str)).collect::<StringArray>()) as ArrayRef;
    let batch = RecordBatch::try_new(Arc::clone(&schema), (0..names.len()).map(column).collect())?;
    let mut out = stdout();
    if let Some(output) = output::find(&format.output) {
        let mut writer = output.begin(&mut out, &schema, View { width: terminal::width() })?;
        writer.batch(&batch)?;
        writer.finish()?;
    }
    out.flush()?;
    Ok(status::OK)
}
