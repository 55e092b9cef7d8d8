//! What an engine writes: its inputs in; one file, or what is new of them in a lake, out.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use datafusion::common::ScalarValue;

use super::Engine;
use crate::column::json::restored_columns;
use crate::error::{Error, ErrorKind, Hint, Result};
use crate::file::Converted;
use crate::file::atomic::AtomicFile;
use crate::file::batches::write_batches;
use crate::file::jsonl::write_events;
use crate::file::kind::OutputKind;
use crate::file::logs::write_logs;
use crate::lake::{self, Conversion};
use crate::query::Account;

impl Engine {
    /// Writes the events of the inputs to `to`: inside the window to a file, whose ending says what
    /// it becomes, else what is new of them into a lake. What is read is counted on `account`.
    ///
    /// It blocks its thread while it encodes.
    ///
    /// # Errors
    ///
    /// When the output cannot be written, or is one of the inputs. Nothing of a file is left behind
    /// then; of a lake, what was committed stays.
    pub async fn convert(&self, to: &str, account: &Account) -> Result<Converted> {
        let kind = OutputKind::of(to)?;
        if kind == OutputKind::Lake {
            let conversion = Conversion {
                scan: self.logs.clone(),
                ledger: Arc::clone(&account.ledger),
                threads: self.options.threads.max(1),
                transaction: self.options.transaction.max(1),
                clock: self.options.clock.clone(),
            };
            self.check_for_lake(to)?;
            return lake::convert(&conversion, to).await;
        }
        let mut file = self.create(to)?;
        let rows = match kind {
            OutputKind::JsonLines => self.write_lines(None, &mut file, to, account).await?,
            _ if self.known.is_empty() => write_logs(
                &self.logs,
                self.options.window,
                self.options.threads,
                &account.ledger,
                &mut file,
            )
            .map_err(|error| named(error, to))?,
            _ => {
                let sql = "SELECT * FROM events";
                let answer = self.bound(sql, HashMap::new(), account.clone()).await?;
                let written = write_batches(answer, &mut file).await;
                written.map_err(|error| named(error, to))?
            }
        };
        finish(file, rows, to)
    }

    /// What a lake cannot take.
    fn check_for_lake(&self, to: &str) -> Result<()> {
        if self.options.window.is_bounded() {
            let message = "a lake holds whole sources, since it notes how far each was read";
            return Err(Error::input(to, message).with_hint(Hint::WithoutWindow));
        }
        match self.known.first() {
            Some(parquet) => Err(Error::input(
                &parquet.uri,
                "is Parquet or a lake; a lake is made from the logs themselves, which its \
                 evidence is of",
            )),
            None => Ok(()),
        }
    }

    /// Writes the original events of the inputs to the file `to` as JSON lines: of one source of a
    /// lake, in their order, or of all.
    ///
    /// # Errors
    ///
    /// When there is no such source, or the file cannot be written. Nothing is left behind then.
    pub async fn export(
        &self,
        to: &str,
        source: Option<&str>,
        account: &Account,
    ) -> Result<Converted> {
        if Path::new(to).is_dir() {
            let message = "is a folder; name a file, or `-` for stdout";
            return Err(Error::input(to, message));
        }
        self.check_source(source).await?;
        let mut file = self.create(to)?;
        let rows = self.write_lines(source, &mut file, to, account).await?;
        finish(file, rows, to)
    }

    /// As [`Self::export`], to a writer; how many events were written.
    ///
    /// # Errors
    ///
    /// When there is no such source, or they cannot be written.
    pub async fn export_to(
        &self,
        out: &mut (dyn Write + Send),
        source: Option<&str>,
        account: &Account,
    ) -> Result<u64> {
        self.check_source(source).await?;
        self.write_lines(source, out, "the output", account).await
    }

    /// No rows of a source that nobody knows are no answer.
    async fn check_source(&self, source: Option<&str>) -> Result<()> {
        let Some(source) = source else { return Ok(()) };
        let sql = "SELECT 1 FROM sources WHERE source_id = $source LIMIT 1";
        let found = self.bound(sql, bind(source), self.account()).await?;
        let found = found.collect().await?;
        if found.iter().any(|batch| batch.num_rows() > 0) {
            return Ok(());
        }
        let lake = self.options.inputs.first().map_or("", String::as_str);
        let error = Error::lake(lake, format!("has no source `{source}`"));
        Err(error.with_hint(Hint::ListSources {
            lake: lake.to_owned(),
        }))
    }

    async fn write_lines(
        &self,
        source: Option<&str>,
        out: &mut (dyn Write + Send),
        to: &str,
        account: &Account,
    ) -> Result<u64> {
        let events = format!("SELECT {} FROM events", restored_columns().join(", "));
        let (sql, values) = match source {
            None => (events, HashMap::new()),
            Some(source) => (
                format!("{events} WHERE source_id = $source ORDER BY source_offset"),
                bind(source),
            ),
        };
        let answer = self.bound(&sql, values, account.clone()).await?;
        write_events(answer, out, to).await
    }

    /// A new file, which is none of the inputs.
    fn create(&self, to: &str) -> Result<AtomicFile> {
        self.guard.check_inputs(Path::new(to))?;
        AtomicFile::create(Path::new(to)).map_err(|source| output(to, source))
    }
}

/// A value of `$source`.
fn bind(source: &str) -> HashMap<String, ScalarValue> {
    HashMap::from([("source".to_owned(), ScalarValue::from(source))])
}

fn finish(file: AtomicFile, rows: u64, to: &str) -> Result<Converted> {
    Ok(Converted {
        rows,
        bytes: file.finish().map_err(|source| output(to, source))?,
        ..Converted::default()
    })
}

fn output(path: &str, source: std::io::Error) -> Error {
    ErrorKind::Output {
        path: path.to_owned(),
        source,
    }
    .into()
}

/// What the Parquet writer says of a file that cannot be written names no file.
fn named(error: Error, to: &str) -> Error {
    match error.kind() {
        ErrorKind::Sql(message) => output(to, std::io::Error::other(message.clone())),
        _ => error,
    }
}
