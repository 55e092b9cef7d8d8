//! The inputs of an engine in, transactions of a lake out: each record once, whatever is killed
//! when.
//!
//! Objects are looked at in order ([`super::source_plan`]) until there is enough for a transaction;
//! that is read ([`super::transaction`]) and committed ([`commit`]). What comes of a transaction
//! that another writer overtook is in [`attempt`].

mod attempt;
mod commit;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::parquet::schema::types::SchemaDescPtr;
use tokio::runtime::Handle;

use crate::account::{Ledger, Reject, ScanAccount, Tally, reason};
use crate::error::{Error, ErrorKind, Result};
use crate::file::Converted;
use crate::file::parquet::schema_of;
use crate::lake::delta::TableSnapshot;
use crate::lake::root::{EVENTS, LakeRoot, REJECTS};
use crate::lake::source::{SourceRead, Sources};
use crate::lake::source_plan::{SourceLook, SourcePlanner, SourceWork};
use crate::lake::{evidence, reject_file};
use crate::scan::open::OpenScan;
use crate::schema;
use crate::source::store::CHANGED;
use crate::time::Clock;

/// Sources of a transaction: they are open files.
const MOST_SOURCES: usize = 256;
/// How often a source may change while it is read.
const MOST_CHANGES: usize = 5;

/// What is converted, and within which limits.
pub(crate) struct Conversion {
    pub(crate) scan: OpenScan,
    /// The account of the run, and its cancellation.
    pub(crate) ledger: Arc<Ledger>,
    /// Threads that decode and encode.
    pub(crate) threads: usize,
    /// Decompressed bytes of a transaction, roughly.
    pub(crate) transaction: u64,
    /// Dates what is written.
    pub(crate) clock: Clock,
}

/// The columns of `events` as they are stored; the day is in the name of the folder.
fn file_schema() -> Schema {
    let stored = evidence::stored_schema(&schema::events());
    Schema::new(
        stored
            .fields()
            .iter()
            .filter(|field| field.name() != "date")
            .map(|field| field.as_ref().clone())
            .collect::<Vec<Field>>(),
    )
}

/// An object of the input that is still to be looked at, and how often it changed while it was
/// read.
type WaitingObject = (usize, usize);

/// A lake that is written to.
struct LakeWriter<'e> {
    conversion: &'e Conversion,
    root: LakeRoot,
    runtime: Handle,
    schema: SchemaDescPtr,
    events: TableSnapshot,
    sources: Sources,
    account: Arc<ScanAccount>,
    converted: Converted,
    /// Objects that this run has read something of.
    begun: HashSet<usize>,
}

/// Opens the tables of events and rejects, which are made where they are missing; the events.
async fn open_tables(root: &LakeRoot) -> Result<TableSnapshot> {
    let doc = |name: &str| schema::table(name).map_or("", |table| table.doc.as_str());
    let by_day = ["date"];
    let columns = evidence::stored_schema(&schema::events());
    let events =
        TableSnapshot::open_or_create(root, EVENTS, &columns, &by_day, doc(EVENTS)).await?;
    let columns = reject_file::table_schema();
    TableSnapshot::open_or_create(root, REJECTS, &columns, &by_day, doc(REJECTS)).await?;
    Ok(events)
}

/// Brings what is new of the inputs into the lake `to`, which is made if there is none.
///
/// # Errors
///
/// When it cannot be written, or is no lake. What was committed before stays, and the next run goes
/// on from there.
pub(crate) async fn convert(conversion: &Conversion, to: &str) -> Result<Converted> {
    let runtime = Handle::current();
    let root = LakeRoot::of(to, &conversion.scan.stores).await?;
    let root = root.with_clock(conversion.clock.clone());
    if root.holds_lake().await? == Some(false) {
        let message = "neither a lake nor an empty folder; choose another one";
        return Err(Error::lake(to, message));
    }
    let events = open_tables(&root).await?;
    let sources = Sources::new(evidence::catch_up(&root, &events, &runtime).await?);
    let parquet = schema_of(&file_schema())?;
    let plan = &conversion.scan.plan;
    let account = conversion
        .ledger
        .begin_scan(plan.accounts(), plan.objects.len(), false);
    let converted = Converted {
        version: Some(events.version()),
        ..Converted::default()
    };
    let mut writer = LakeWriter {
        conversion,
        root,
        runtime,
        schema: parquet,
        events,
        sources,
        account,
        converted,
        begun: HashSet::new(),
    };
    let done = writer.run().await;
    // What was committed is evidence, however the run ended; who was killed here is caught up with
    // by the next one.
    let copied = evidence::catch_up(&writer.root, &writer.events, &writer.runtime).await;
    done.and(copied.map(drop))?;
    Ok(writer.converted)
}

impl LakeWriter<'_> {
    async fn run(&mut self) -> Result<()> {
        let mut waiting: VecDeque<WaitingObject> = (0..self.conversion.scan.plan.objects.len())
            .map(|object| (object, 0))
            .collect();
        loop {
            let (works, later) = tokio::task::block_in_place(|| self.prepare(&mut waiting))?;
            if works.is_empty() && later.is_empty() {
                return Ok(());
            }
            // Before anything new: it may be the same as what is read now.
            later
                .into_iter()
                .rev()
                .for_each(|object| waiting.push_front(object));
            // What is longer than a transaction goes on in the next.
            works
                .iter()
                .rev()
                .filter(|work| work.is_part)
                .for_each(|work| waiting.push_front((work.object, 0)));
            if !works.is_empty() {
                self.transact(works, &mut waiting).await?;
            }
        }
    }

    /// Looks at objects until there is enough for a transaction. The second list is to be looked at
    /// after it.
    fn prepare(
        &mut self,
        waiting: &mut VecDeque<WaitingObject>,
    ) -> Result<(Vec<SourceWork>, Vec<WaitingObject>)> {
        let (mut works, mut later) = (Vec::<SourceWork>::new(), Vec::new());
        let (mut pending, mut bytes) = (HashSet::new(), 0);
        let scan = &self.conversion.scan;
        let most = self.conversion.transaction;
        while bytes < most && works.len() < MOST_SOURCES {
            if self.conversion.ledger.is_cancelled() {
                return Err(ErrorKind::Interrupted.into());
            }
            let Some((object, changes)) = waiting.pop_front() else {
                break;
            };
            let planner = SourcePlanner {
                sources: &self.sources,
                pending: &pending,
                stores: &scan.stores,
                most,
            };
            let looked = match planner.plan_as_it_is(object, scan.object(object), changes) {
                Err(error) if error.kind() == CHANGED && changes <= MOST_CHANGES => {
                    waiting.push_front((object, changes + 1));
                    continue;
                }
                Ok(_) if changes > MOST_CHANGES => {
                    SourceLook::Failed("it keeps changing while it is read".to_owned())
                }
                Ok(looked) => looked,
                Err(error) => SourceLook::Failed(error.to_string()),
            };
            match looked {
                SourceLook::Empty => self.account.finish_piece(),
                SourceLook::NotAFile => {
                    let mut tally = Tally::default();
                    tally.skip(reason::NOT_A_FILE);
                    self.account.add(object, tally);
                    self.account.finish_piece();
                }
                SourceLook::Known => {
                    self.converted.known += u64::from(!self.begun.contains(&object));
                    self.account.finish_piece();
                }
                SourceLook::Later => later.push((object, changes)),
                SourceLook::Failed(message) => self.fail(object, message),
                SourceLook::Read(mut work) => {
                    // A large object has a transaction of its own where it can be.
                    if !works.is_empty() && bytes + work.bytes > most {
                        waiting.push_front((object, changes));
                        break;
                    }
                    work.changes = changes;
                    pending.insert(work.id().to_owned());
                    bytes += work.bytes;
                    works.push(*work);
                }
            }
        }
        Ok((works, later))
    }

    /// An object that cannot be read: in the account of this run, not in the lake.
    fn fail(&self, object: usize, message: String) {
        let mut tally = Tally::default();
        tally.reject(&Reject::new(reason::UNREADABLE, message, 0, None, b""));
        self.account.add(object, tally);
        self.account.finish_piece();
    }

    /// These have nothing new yet but a record that is still being written.
    fn wait(&self, sources: Vec<(usize, Tally)>) {
        for (object, tally) in sources {
            self.account.add(object, tally);
            self.account.finish_piece();
        }
    }

    /// It is committed: counted, and known from now on.
    fn finish(&mut self, works: &[SourceWork], read: Vec<(Tally, SourceRead)>) {
        let version = self.converted.version.unwrap_or(0);
        for (work, (tally, source)) in works.iter().zip(read) {
            self.converted.rows += source.events;
            self.begun.insert(work.object);
            self.account.add(work.object, tally);
            if !work.is_part {
                self.account.finish_piece();
            }
            self.sources.add(SourceRead {
                events_version: version,
                ..source
            });
        }
    }
}
