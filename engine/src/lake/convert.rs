//! The inputs of an engine in, transactions of a lake out: each record once, whatever is killed
//! when.
//!
//! Objects are looked at in order ([`super::plan`]) until there is enough for a transaction; that
//! is read ([`super::batch`]) and committed in two steps: its rejects, then its rows with the
//! progress and the evidence of their sources. Who was killed before the second step begins again
//! there. When somebody else's commit came first, it is looked at: if it has read a source of ours,
//! or holds an event of ours, the transaction is thrown away and made anew on top of it.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::parquet::schema::types::SchemaDescPtr;
use deltalake::{
    kernel::{Action, Add},
    protocol::{DeltaOperation, SaveMode},
};
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::account::{Ledger, Reject, ScanAccount, Tally, reason};
use crate::error::{Error, ErrorKind, Result};
use crate::file::Converted;
use crate::file::parquet::schema_of;
use crate::lake::batch::{TransactionEnd, TransactionOutput};
use crate::lake::delta::{Commit, Outcome, TableSnapshot};
use crate::lake::evidence::EVIDENCE;
use crate::lake::identity::Identities;
use crate::lake::plan::{SourceLook, SourceWork, look};
use crate::lake::rejects::RejectFile;
use crate::lake::root::{EVENTS, REJECTS, Root};
use crate::lake::source::{SourceRead, Sources};
use crate::lake::writer::DataFiles;
use crate::lake::{batch, evidence, rejects};
use crate::scan::open::OpenScan;
use crate::schema;

/// Sources of a transaction: they are open files.
const MOST_SOURCES: usize = 256;
/// How often a source may change while it is read.
const MOST_CHANGES: usize = 5;

/// What is converted, and within which limits.
pub(crate) struct Conversion {
    pub(crate) scan: OpenScan,
    /// The account of the run, and who may cancel it.
    pub(crate) ledger: Arc<Ledger>,
    /// Threads that decode and encode.
    pub(crate) threads: usize,
    /// Decompressed bytes of a transaction, roughly.
    pub(crate) transaction: u64,
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
type Waiting = (usize, usize);

/// A lake that is written to.
struct LakeWriter<'e> {
    conversion: &'e Conversion,
    root: Root,
    runtime: Handle,
    schema: SchemaDescPtr,
    events: TableSnapshot,
    sources: Sources,
    account: Arc<ScanAccount>,
    converted: Converted,
    /// Objects that this run has read something of.
    begun: HashSet<usize>,
}

/// Brings what is new of the inputs into the lake `to`, which is made if there is none.
///
/// # Errors
///
/// When it cannot be written, or is no lake. What was committed before stays, and the next run goes
/// on from there.
pub(crate) async fn convert(conversion: &Conversion, to: &str) -> Result<Converted> {
    let runtime = Handle::current();
    let root = Root::of(to, &conversion.scan.stores).await?;
    if root.holds_lake().await? == Some(false) {
        return Err(Error::lake(
            to,
            "is neither a lake nor empty; name another folder",
        ));
    }
    let doc = |name: &str| schema::table(name).map_or("", |table| table.doc.as_str());
    let events_schema = evidence::stored_schema(&schema::events());
    let events =
        TableSnapshot::open_or_create(&root, EVENTS, &events_schema, &["date"], doc(EVENTS))
            .await?;
    TableSnapshot::open_or_create(
        &root,
        REJECTS,
        &rejects::table_schema(),
        &["date"],
        doc(REJECTS),
    )
    .await?;
    let sources = Sources::new(evidence::catch_up(&root, &events, &runtime).await?);
    let parquet = schema_of(&file_schema())?;
    let plan = &conversion.scan.plan;
    let account = conversion
        .ledger
        .begin_scan(plan.accounts(), plan.objects.len());
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
        let mut waiting: VecDeque<Waiting> = (0..self.conversion.scan.plan.objects.len())
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
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<(Vec<SourceWork>, Vec<Waiting>)> {
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
            let opened = scan.object(object);
            let looked = match look(object, opened, &self.sources, &pending, &scan.stores, most) {
                Ok(_) if changes > MOST_CHANGES => {
                    SourceLook::Failed("it changes all the time while it is read".to_owned())
                }
                Ok(looked) => looked,
                Err(error) => SourceLook::Failed(error.to_string()),
            };
            match looked {
                SourceLook::Empty => self.account.finish_piece(),
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

    /// Reads sources and commits what they hold; what has to be looked at again is put back.
    async fn transact(
        &mut self,
        mut works: Vec<SourceWork>,
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<()> {
        loop {
            if works.is_empty() {
                return Ok(());
            }
            let rejects_table = TableSnapshot::open(&self.root, REJECTS).await?;
            let rejects_table =
                Arc::new(rejects_table.ok_or_else(|| {
                    Error::input(&self.root.shown, "its table `rejects` is gone")
                })?);
            let rejects = Mutex::new(RejectFile::new(
                self.root.clone(),
                Arc::clone(&rejects_table),
                self.runtime.clone(),
            ));
            let identities = Arc::new(Identities::new(
                self.events.files()?,
                self.root.objects(EVENTS)?,
                self.runtime.clone(),
            ));
            let root = self.root.clone();
            let mut files = DataFiles::new(
                &root,
                EVENTS,
                Arc::clone(&self.schema),
                self.runtime.clone(),
            );
            let read = tokio::task::block_in_place(|| {
                let output = TransactionOutput {
                    schema: &self.schema,
                    files: &mut files,
                    rejects: &rejects,
                };
                batch::read(self.conversion, &works, &identities, output)
            });
            let mut rejects = rejects.into_inner();
            let finished = read.and_then(|done| match done {
                TransactionEnd::Read(read) => {
                    let files = tokio::task::block_in_place(|| {
                        Ok::<_, Error>((rejects.finish()?, files.finish()?))
                    })?;
                    Ok(Ok((read, files)))
                }
                other => Ok(Err(other)),
            });
            let (mut read, (reject_file, adds)) = match finished {
                Ok(Ok(finished)) => finished,
                Ok(Err(again)) => {
                    rejects.discard();
                    tokio::task::block_in_place(|| files.discard());
                    works = self.again(works, again, waiting);
                    continue;
                }
                Err(error) => {
                    rejects.discard();
                    tokio::task::block_in_place(|| files.discard());
                    return Err(error);
                }
            };
            drop(rejects);
            // Nothing but an incomplete tail: there is nothing to note.
            let mut waiting_on = Vec::new();
            for index in (0..read.len()).rev() {
                let (tally, source) = &read[index];
                if source.to_offset <= source.from_offset
                    && tally.events == 0
                    && tally.rejects.is_empty()
                {
                    waiting_on.push((works.remove(index).object, read.remove(index).0));
                }
            }
            if read.is_empty() {
                self.wait(waiting_on);
                return Ok(());
            }
            if let Some(file) = reject_file
                && !self.commit_rejects(rejects_table, file, &read).await?
            {
                tokio::task::block_in_place(|| files.discard());
                return self.replan(works, waiting).await;
            }
            return match self.commit(&read, adds, &identities).await? {
                true => {
                    self.wait(waiting_on);
                    self.finish(&works, read);
                    Ok(())
                }
                false => {
                    tokio::task::block_in_place(|| files.discard());
                    self.replan(works, waiting).await
                }
            };
        }
    }

    /// What is read again at once; the others are looked at anew.
    fn again(
        &self,
        works: Vec<SourceWork>,
        done: TransactionEnd,
        waiting: &mut VecDeque<Waiting>,
    ) -> Vec<SourceWork> {
        let (changed, failed) = match done {
            TransactionEnd::Changed(changed) => (changed, Vec::new()),
            TransactionEnd::Failed(failed) => (Vec::new(), failed),
            TransactionEnd::Read(_) => (Vec::new(), Vec::new()),
        };
        let gone: HashSet<usize> = changed
            .iter()
            .copied()
            .chain(failed.iter().map(|(index, _)| *index))
            .collect();
        for (index, tally) in failed {
            let message = tally.samples.first().map_or_else(
                || "it cannot be read".to_owned(),
                |sample| sample.message.clone(),
            );
            self.fail(works[index].object, message);
        }
        for index in changed {
            waiting.push_front((works[index].object, works[index].changes + 1));
        }
        let mut left: Vec<SourceWork> = works
            .into_iter()
            .enumerate()
            .filter(|(index, _)| !gone.contains(index))
            .map(|(_, work)| work)
            .collect();
        left.iter_mut().for_each(SourceWork::begin_again);
        left
    }

    /// Somebody else was faster: what there is to do is found out anew.
    async fn replan(
        &mut self,
        works: Vec<SourceWork>,
        waiting: &mut VecDeque<Waiting>,
    ) -> Result<()> {
        works
            .iter()
            .rev()
            .for_each(|work| waiting.push_front((work.object, work.changes)));
        self.events.refresh().await?;
        self.sources =
            Sources::new(evidence::catch_up(&self.root, &self.events, &self.runtime).await?);
        Ok(())
    }

    /// Commits the rejects; false when a source was read by somebody else meanwhile.
    async fn commit_rejects(
        &self,
        table: Arc<TableSnapshot>,
        file: Add,
        read: &[(Tally, SourceRead)],
    ) -> Result<bool> {
        let Some(mut table) = Arc::into_inner(table) else {
            return Err(
                ErrorKind::Internal("the table of the rejects is in use".to_owned()).into(),
            );
        };
        let with_rejects = || {
            read.iter()
                .map(|(_, source)| source)
                .filter(|source| source.rejects > 0)
        };
        let mut before = Vec::new();
        for source in with_rejects() {
            before.push(
                table
                    .progress(&RejectFile::application(&source.source_id))
                    .await?,
            );
        }
        loop {
            let commit = Commit {
                id: Uuid::new_v4(),
                actions: vec![Action::Add(file.clone())],
                progress: with_rejects().map(progress_of).collect(),
                info: Map::new(),
            };
            match table.commit(commit, append()).await? {
                Outcome::Done(_) => return Ok(true),
                Outcome::Conflict => {
                    for (source, before) in with_rejects().zip(&before) {
                        if table
                            .progress(&RejectFile::application(&source.source_id))
                            .await?
                            != *before
                        {
                            return Ok(false);
                        }
                    }
                }
            }
        }
    }

    /// Commits the rows; false when a source was read, or an event brought, by somebody else
    /// meanwhile.
    async fn commit(
        &mut self,
        read: &[(Tally, SourceRead)],
        adds: Vec<Add>,
        identities: &Identities,
    ) -> Result<bool> {
        let id = Uuid::new_v4();
        let evidence: Vec<Value> = read
            .iter()
            .map(|(_, source)| SourceRead {
                transaction: id.to_string(),
                ..source.clone()
            })
            .map(|source| serde_json::to_value(source).unwrap_or(Value::Null))
            .collect();
        let mut base: HashSet<String> = self
            .events
            .adds()?
            .into_iter()
            .map(|add| add.path)
            .collect();
        let times = read
            .iter()
            .filter_map(|(_, source)| source.first_time.zip(source.last_time));
        let times = times.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        loop {
            let commit = Commit {
                id,
                actions: adds.iter().cloned().map(Action::Add).collect(),
                progress: read.iter().map(|(_, source)| progress_of(source)).collect(),
                info: Map::from_iter([(EVIDENCE.to_owned(), Value::Array(evidence.clone()))]),
            };
            match self.events.commit(commit, append()).await? {
                Outcome::Done(version) => {
                    self.converted.version = Some(version);
                    self.converted.files += adds.len() as u64;
                    self.converted.bytes += adds
                        .iter()
                        .map(|add| u64::try_from(add.size).unwrap_or(0))
                        .sum::<u64>();
                    return Ok(true);
                }
                Outcome::Conflict => {
                    let now = Sources::new(
                        evidence::catch_up(&self.root, &self.events, &self.runtime).await?,
                    );
                    let to = |sources: &Sources, id: &str| {
                        sources.get(id).map(|source| source.to_offset)
                    };
                    if read.iter().any(|(_, source)| {
                        to(&now, &source.source_id) != to(&self.sources, &source.source_id)
                    }) {
                        return Ok(false);
                    }
                    let newer = self
                        .events
                        .files()?
                        .into_iter()
                        .filter(|file| !base.contains(&file.path))
                        .collect();
                    let meets = tokio::task::block_in_place(|| identities.meets(newer, times));
                    let fail = |message: String| -> Error {
                        ErrorKind::Output {
                            path: self.root.shown.clone(),
                            source: std::io::Error::other(message),
                        }
                        .into()
                    };
                    if meets.map_err(fail)? {
                        return Ok(false);
                    }
                    base.extend(self.events.adds()?.into_iter().map(|add| add.path));
                }
            }
        }
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

fn progress_of(source: &SourceRead) -> (String, i64) {
    (
        RejectFile::application(&source.source_id),
        i64::try_from(source.to_offset).unwrap_or(i64::MAX),
    )
}

fn append() -> DeltaOperation {
    DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: Some(vec!["date".to_owned()]),
        predicate: None,
    }
}
