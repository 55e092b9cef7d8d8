//! A lake in, whether it is what its evidence says out: everything is computed once more from the
//! data files, and from the originals where they still are.
//!
//! - [`files`]: are the files that the log names there, and as it says?
//! - [`rows`]: has each source the rows that were read of it, each once? [`rejects`]: and its
//!   rejects?
//! - [`progress`]: was each source read as far as its evidence says, without a hole?
//! - [`original`]: do the originals hold the bytes that were read?
//!
//! [`known`] is the evidence of a source, [`scan`] reads data files, [`finding`] is what comes out.
//! What speaks against the evidence is a finding; an error is what keeps from looking. Of the data
//! files it reads times, sources and hashes: what an event's other columns hold is not compared
//! with its hash.

mod files;
mod finding;
mod known;
mod original;
mod progress;
mod rejects;
mod rows;
mod scan;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::lake::command::LakeOptions;
use crate::lake::delta::TableSnapshot;
use crate::lake::evidence;
use crate::lake::expire::EXPIRED;
use crate::lake::read::DataFile;
use crate::lake::root::{EVENTS, REJECTS, Root, SOURCES};
use crate::lake::source::Sources;
use crate::lake::verify::finding::{Finding, Findings, Status};
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::original::OriginalSearch;
use crate::lake::verify::scan::{DataReader, blocking};
use crate::scan::look::look;
use crate::scan::plan::ScanOptions;
use crate::source::listing;
use crate::source::listing::Inputs;
use crate::source::object::InputObject;
use crate::source::store::Stores;
use crate::time::Window;

/// What came out.
pub(crate) struct Verified {
    /// The columns `check`, `subject`, `status` and `message`.
    pub(crate) rows: RecordBatch,
    /// Does anything differ from the evidence?
    pub(crate) differs: bool,
    pub(crate) message: String,
}

/// Checks a lake. With `originals` what the sources were read from is looked at, too, and searched
/// for in `inputs`.
///
/// # Errors
///
/// When it cannot be looked at.
pub(crate) async fn verify(
    root: &Root,
    events: &TableSnapshot,
    options: &LakeOptions,
    stores: &Arc<Stores>,
    originals: bool,
    inputs: &[String],
) -> Result<Verified> {
    let (runtime, threads) = (Handle::current(), options.threads.max(1));
    let reader = |table: &str| DataReader::new(root, table, &runtime, threads);
    let mut findings = Findings::default();
    // After the events: what belongs to them is there then.
    let (reject_table, source_table) = (
        TableSnapshot::open(root, REJECTS).await?,
        TableSnapshot::open(root, SOURCES).await?,
    );
    let event_reader = reader(EVENTS)?;
    let (event_files, found) = check_files(event_reader.clone(), events).await?;
    findings.add(found);
    let mut reject_files = Vec::new();
    match &reject_table {
        Some(table) => {
            let (files, found) = check_files(reader(REJECTS)?, table).await?;
            reject_files = files;
            findings.add(found);
        }
        None => findings.add(missing(REJECTS, events)),
    }
    let known: Arc<[KnownSource]> = match &source_table {
        Some(table) => {
            let (_, found) = check_files(reader(SOURCES)?, table).await?;
            let is_broken = found
                .iter()
                .any(|finding| finding.status == Status::Differs);
            findings.add(found);
            if is_broken {
                let message =
                    "the evidence cannot be read, so that nothing else was compared with it";
                findings.add([Finding::new(rows::ROWS, SOURCES, Status::Differs, message)]);
                return verified(root, events, &findings);
            }
            let mut rows = evidence::read(root, table, &runtime).await?;
            rows.extend(evidence::missing(events, table).await?);
            // What was committed since belongs to rows that are not looked at.
            rows.retain(|row| row.events_version <= events.version());
            known::sources(rows).into()
        }
        None => {
            findings.add(missing(SOURCES, events));
            Arc::default()
        }
    };
    let (expired, of, event_rows) = (
        events.progress(EXPIRED).await?,
        Arc::clone(&known),
        event_reader.clone(),
    );
    findings.add(
        blocking(move || Ok(rows::read(&event_rows, event_files)?.compare(&of, expired))).await?,
    );
    if let Some(table) = &reject_table {
        let (expired, of, reader) = (
            table.progress(EXPIRED).await?,
            Arc::clone(&known),
            reader(REJECTS)?,
        );
        findings.add(
            blocking(move || Ok(rejects::read(&reader, &reject_files, &of)?.compare(&of, expired)))
                .await?,
        );
    }
    findings.add(progress::check(&event_reader, events, &known).await?);
    if originals {
        findings.add(check_originals(known, options, stores, inputs, runtime).await?);
    }
    verified(root, events, &findings)
}

fn verified(root: &Root, events: &TableSnapshot, findings: &Findings) -> Result<Verified> {
    let message = format!(
        "verified {}, version {}: {}",
        root.shown,
        events.version(),
        findings.counts()
    );
    Ok(Verified {
        rows: findings.batch()?,
        differs: findings.differs(),
        message,
    })
}

/// The data files of a table that can be read, and what is wrong with the others.
async fn check_files(
    reader: DataReader,
    table: &TableSnapshot,
) -> Result<(Vec<DataFile>, Vec<Finding>)> {
    let (name, files) = (table.name, table.files()?);
    blocking(move || files::check(&reader, name, &files)).await
}

/// A table that is not there: the first conversion may have been killed before it made it.
fn missing(table: &str, events: &TableSnapshot) -> Option<Finding> {
    (events.version() > 0).then(|| {
        Finding::new(
            files::CHECK,
            table,
            Status::Differs,
            "the table is not there",
        )
    })
}

async fn check_originals(
    known: Arc<[KnownSource]>,
    options: &LakeOptions,
    stores: &Arc<Stores>,
    inputs: &[String],
    runtime: Handle,
) -> Result<Vec<Finding>> {
    let Inputs {
        objects,
        failures,
        lakes,
    } = listing::list(inputs, stores, Window::default()).await?;
    if let Some(lake) = lakes.first() {
        return Err(Error::input(
            lake,
            "is a lake; originals are the logs that it was made from",
        ));
    }
    let scan = ScanOptions {
        max_record: 1 << 24,
        cluster: None,
        dedup: false,
        format: None,
    };
    let (stores, threads) = (Arc::clone(stores), options.threads.max(1));
    blocking(move || {
        // It looks into archives, whose files are there as long as it is.
        let looked = look(objects, failures, scan, Arc::clone(&stores));
        let readable = looked
            .logs
            .plan
            .objects
            .iter()
            .filter(|planned| planned.failure.is_none());
        let objects: Vec<InputObject> = readable.map(|planned| planned.object.clone()).collect();
        let sources = Sources::new(known.iter().flat_map(|known| known.rows.iter().cloned()));
        OriginalSearch {
            sources: &sources,
            stores: &stores,
            runtime: &runtime,
            threads,
        }
        .check(&known, &objects)
    })
    .await
}
