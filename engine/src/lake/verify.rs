//! A lake in, whether it is what its evidence says out: everything is computed once more from the
//! data files, and from the originals where they still are.
//!
//! - [`files`]: are the files that the log names there, and as it says?
//! - [`event_rows`]: has each source the rows that were read of it, each once? [`reject_counts`]:
//!   and its rejects?
//! - [`progress`]: was each source read as far as its evidence says, without a hole?
//! - [`original`]: do the originals hold the bytes that were read?
//!
//! [`known`] is the evidence of a source, [`scan`] reads data files, [`finding`] is what comes out.
//! What speaks against the evidence is a finding; an error is what prevents a check. All bytes of the
//! data files are compared with their checksums, and so all columns; decoded are only times, sources
//! and hashes.

mod event_rows;
mod files;
mod finding;
mod known;
mod original;
mod progress;
mod reject_counts;
mod scan;

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::lake::delta::TableSnapshot;
use crate::lake::evidence;
use crate::lake::expire::EXPIRED;
use crate::lake::read::DataFile;
use crate::lake::root::{EVENTS, LakeRoot, REJECTS, SOURCES};
use crate::lake::source::Sources;
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::original::OriginalSearch;
use crate::lake::verify::scan::{DataReader, blocking};
use crate::scan::look::{StreamLook, look};
use crate::scan::plan::ScanOptions;
use crate::source::listing;
use crate::source::listing::Inputs;
use crate::source::object::InputObject;
use crate::source::store::Stores;
use crate::time::Window;

pub use finding::{FindingStatus, LakeFinding, Verified};

/// Where originals are looked for.
pub(crate) struct OriginalsCheck<'v> {
    pub(crate) stores: &'v Arc<Stores>,
    pub(crate) threads: usize,
    /// Where those are that are not where they were.
    pub(crate) inputs: &'v [String],
}

/// Checks a lake of which this is the newest version; with `originals` what the sources were read
/// from, too.
///
/// # Errors
///
/// When it cannot be looked at.
pub(crate) async fn verify(
    root: &LakeRoot,
    events: &TableSnapshot,
    threads: usize,
    originals: Option<OriginalsCheck<'_>>,
) -> Result<Verified> {
    let mut verifier = Verifier {
        root,
        events,
        runtime: Handle::current(),
        threads: threads.max(1),
        findings: Vec::new(),
    };
    verifier.run(originals).await?;
    Ok(Verified {
        version: events.version(),
        findings: verifier.findings,
    })
}

struct Verifier<'v> {
    root: &'v LakeRoot,
    events: &'v TableSnapshot,
    runtime: Handle,
    threads: usize,
    findings: Vec<LakeFinding>,
}

impl Verifier<'_> {
    async fn run(&mut self, originals: Option<OriginalsCheck<'_>>) -> Result<()> {
        // After the events: what belongs to them is there then.
        let rejects = TableSnapshot::open(self.root, REJECTS).await?;
        let sources = TableSnapshot::open(self.root, SOURCES).await?;
        let event_files = self.check_files(self.events).await?;
        let reject_files = match &rejects {
            Some(table) => self.check_files(table).await?,
            None => self.miss(REJECTS),
        };
        let Some(known) = self.evidence(sources).await? else {
            return Ok(());
        };
        let (expired, of) = (self.events.progress(EXPIRED).await?, Arc::clone(&known));
        let reader = self.reader(EVENTS)?;
        let found =
            blocking(move || Ok(event_rows::read(&reader, event_files)?.compare(&of, expired)));
        self.findings.extend(found.await?);
        if let Some(table) = &rejects {
            let (expired, of) = (table.progress(EXPIRED).await?, Arc::clone(&known));
            let reader = self.reader(REJECTS)?;
            let found = blocking(move || {
                let counts = reject_counts::read(&reader, &reject_files, &of)?;
                Ok(counts.compare(&of, expired))
            });
            self.findings.extend(found.await?);
        }
        let progress = progress::check(&self.reader(EVENTS)?, self.events, &known).await?;
        self.findings.extend(progress);
        if let Some(originals) = originals {
            let found = originals.check(known, self.runtime.clone()).await?;
            self.findings.extend(found);
        }
        Ok(())
    }

    fn reader(&self, table: &str) -> Result<DataReader> {
        DataReader::new(self.root, table, &self.runtime, self.threads)
    }

    /// The data files of a table that can be read.
    async fn check_files(&mut self, table: &TableSnapshot) -> Result<Vec<DataFile>> {
        let (name, files, reader) = (table.name, table.files()?, self.reader(table.name)?);
        let (readable, found) = blocking(move || files::check(&reader, name, &files)).await?;
        self.findings.extend(found);
        Ok(readable)
    }

    /// A table is not there: the first conversion may have been killed before it made it.
    fn miss(&mut self, table: &str) -> Vec<DataFile> {
        if self.events.version() > 0 {
            let message = "the table is missing";
            let finding = LakeFinding::new(files::CHECK, table, FindingStatus::Differs, message);
            self.findings.push(finding);
        }
        Vec::new()
    }

    /// The evidence, source by source; `None` when it cannot be read.
    async fn evidence(
        &mut self,
        table: Option<TableSnapshot>,
    ) -> Result<Option<Arc<[KnownSource]>>> {
        let Some(table) = table else {
            self.miss(SOURCES);
            return Ok(Some(Arc::default()));
        };
        let before = self.findings.len();
        self.check_files(&table).await?;
        let mut found = self.findings[before..].iter();
        if found.any(|finding| finding.status == FindingStatus::Differs) {
            let message = "the evidence cannot be read; nothing else was compared with it";
            let status = FindingStatus::Differs;
            let finding = LakeFinding::new(event_rows::ROWS, SOURCES, status, message);
            self.findings.push(finding);
            return Ok(None);
        }
        let mut rows = evidence::read(self.root, &table, &self.runtime).await?;
        rows.extend(evidence::missing(self.events, &table).await?);
        // What was committed since belongs to rows that are not looked at.
        rows.retain(|row| row.events_version <= self.events.version());
        Ok(Some(known::sources(rows).into()))
    }
}

impl OriginalsCheck<'_> {
    async fn check(&self, known: Arc<[KnownSource]>, runtime: Handle) -> Result<Vec<LakeFinding>> {
        let Inputs {
            objects,
            failures,
            lakes,
            ..
        } = listing::list(self.inputs, self.stores, Window::default()).await?;
        if let Some(lake) = lakes.first() {
            return Err(Error::input(
                lake,
                "is a lake; the originals are the logs that it was made from",
            ));
        }
        let scan = ScanOptions {
            max_record: 1 << 24,
            cluster: None,
            dedup: false,
            format: None,
            is_baseline: false,
        };
        let (stores, threads) = (Arc::clone(self.stores), self.threads);
        blocking(move || {
            // It looks into archives, whose files are there as long as it is.
            let looked = look(
                objects,
                failures,
                scan,
                Arc::clone(&stores),
                StreamLook::Left,
            );
            let readable = looked
                .logs
                .plan
                .objects
                .iter()
                .filter(|planned| planned.failure.is_none());
            let objects: Vec<InputObject> =
                readable.map(|planned| planned.object.clone()).collect();
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
}
