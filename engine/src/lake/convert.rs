//! The inputs of an engine in, transactions of a lake out: each record once, whatever is killed
//! when.
//!
//! Objects are looked at in order ([`super::plan`]) until there is enough for a transaction; that
//! is read ([`super::batch`]) and committed in two steps: its rejects, then its rows with the
//! progress and the evidence of their sources. Who was killed before the second step begins again
//! there. When somebody else's commit came first, it is looked at: if it has read a source of ours,
//! or holds an event of ours, the transaction is thrown away and made anew on top of it.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use datafusion::{
    arrow::datatypes::{Field, Schema},
    parquet::{arrow::ArrowSchemaConverter, schema::types::SchemaDescPtr},
};
use deltalake::{
    kernel::{Action, Add},
    protocol::{DeltaOperation, SaveMode},
};
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{
    batch::{self, Done},
    delta::{Commit, Outcome, Table},
    evidence::{self, EVIDENCE},
    identity::Identities,
    plan::{Look, SourceWork, look},
    rejects::{self, RejectFile},
    root::{EVENTS, REJECTS, Root},
    source::{SourceRead, Sources},
    writer::DataFiles,
};
use crate::{
    Engine, Error, ErrorKind, Result,
    convert::Converted,
    scan::report::{Accounts, Reject, Tally, reason},
    schema,
};

/// Sources of a transaction: they are open files.
const MOST_SOURCES: usize = 256;
/// How often a source may change while it is read.
const MOST_CHANGES: usize = 5;

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
struct Writer<'e> {
    engine: &'e Engine,
    root: Root,
    runtime: Handle,
    schema: SchemaDescPtr,
    events: Table,
    sources: Sources,
    accounts: Arc<Accounts>,
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
pub(crate) async fn convert(engine: &Engine, to: &str) -> Result<Converted> {
    let runtime = Handle::current();
    let root = Root::of(to, &engine.logs.stores).await?;
    if engine.options.window.is_bounded() {
        let message = "a lake holds whole sources, since it notes how far each was read; leave out --since and --until";
        return Err(Error::input(to, message));
    }
    if let Some(parquet) = engine.first_parquet() {
        return Err(Error::input(
            parquet,
            "is Parquet or a lake; a lake is made from the logs themselves, which its evidence is of",
        ));
    }
    if root.holds_lake().await? == Some(false) {
        return Err(Error::input(
            to,
            "is neither a lake nor empty; name another folder",
        ));
    }
    let doc = |name: &str| schema::table(name).map_or("", |table| table.doc.as_str());
    let events_schema = evidence::stored_schema(&schema::events());
    let events =
        Table::open_or_create(&root, EVENTS, &events_schema, &["date"], doc(EVENTS)).await?;
    Table::open_or_create(
        &root,
        REJECTS,
        &rejects::table_schema(),
        &["date"],
        doc(REJECTS),
    )
    .await?;
    let sources = Sources::new(evidence::catch_up(&root, &events, &runtime).await?);
    let parquet = ArrowSchemaConverter::new()
        .with_coerce_types(true)
        .convert(&file_schema())?;
    let plan = &engine.logs;
    let accounts = Accounts::new(plan.accounts(), plan.objects.len());
    *engine
        .ledger()
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = vec![Arc::clone(&accounts)];
    let converted = Converted {
        version: Some(events.version()),
        ..Converted::default()
    };
    let mut writer = Writer {
        engine,
        root,
        runtime,
        schema: Arc::new(parquet),
        events,
        sources,
        accounts,
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

impl Writer<'_> {
    async fn run(&mut self) -> Result<()> {
        let mut waiting: VecDeque<Waiting> = (0..self.engine.logs.objects.len())
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
        let plan = &self.engine.logs;
        let most = self.engine.options.transaction.max(1);
        while bytes < most && works.len() < MOST_SOURCES {
            if self
                .engine
                .cancelled()
                .load(std::sync::atomic::Ordering::Relaxed)
            {
                return Err(ErrorKind::Interrupted.into());
            }
            let Some((object, changes)) = waiting.pop_front() else {
                break;
            };
            let planned = &plan.objects[object];
            let looked = match look(object, planned, &self.sources, &pending, &plan.stores, most) {
                Ok(_) if changes > MOST_CHANGES => {
                    Look::Failed("it changes all the time while it is read".to_owned())
                }
                Ok(looked) => looked,
                Err(error) => Look::Failed(error.to_string()),
            };
            match looked {
                Look::Empty => self.accounts.finish_piece(),
                Look::Known => {
                    self.converted.known += u64::from(!self.begun.contains(&object));
                    self.accounts.finish_piece();
                }
                Look::Later => later.push((object, changes)),
                Look::Failed(message) => self.fail(object, message),
                Look::Read(mut work) => {
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
        self.accounts.merge(object, tally);
        self.accounts.finish_piece();
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
            let rejects_table = Table::open(&self.root, REJECTS).await?;
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
                batch::read(
                    self.engine,
                    &works,
                    &identities,
                    &self.schema,
                    &mut files,
                    &rejects,
                )
            });
            let mut rejects = rejects.into_inner().unwrap_or_else(PoisonError::into_inner);
            let finished = read.and_then(|done| match done {
                Done::Read(read) => {
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
        done: Done,
        waiting: &mut VecDeque<Waiting>,
    ) -> Vec<SourceWork> {
        let (changed, failed) = match done {
            Done::Changed(changed) => (changed, Vec::new()),
            Done::Failed(failed) => (Vec::new(), failed),
            Done::Read(_) => (Vec::new(), Vec::new()),
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
        table: Arc<Table>,
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
            self.accounts.merge(object, tally);
            self.accounts.finish_piece();
        }
    }

    /// It is committed: counted, and known from now on.
    fn finish(&mut self, works: &[SourceWork], read: Vec<(Tally, SourceRead)>) {
        let version = self.converted.version.unwrap_or(0);
        for (work, (tally, source)) in works.iter().zip(read) {
            self.converted.rows += source.events;
            self.begun.insert(work.object);
            self.accounts.merge(work.object, tally);
            if !work.is_part {
                self.accounts.finish_piece();
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

#[cfg(test)]
mod tests {
    use datafusion::arrow::{array::AsArray, datatypes::Int64Type};

    use super::*;
    use crate::Options;

    /// One number that SQL gives.
    async fn number(input: &std::path::Path, sql: &str) -> i64 {
        let options = Options {
            inputs: vec![input.display().to_string()],
            ..Options::default()
        };
        let rows = Engine::open(options)
            .await
            .unwrap()
            .sql(sql)
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        rows[0].column(0).as_primitive::<Int64Type>().value(0)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_is_longer_than_a_transaction() {
        let sample =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/sample/audit.log");
        let Ok(sample) = std::fs::read_to_string(sample) else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let (log, lake) = (folder.path().join("audit.log"), folder.path().join("lake"));
        let mut text = String::new();
        for copy in 0..12 {
            // No two events alike; and something between them that is none.
            text.push_str(&sample.replace("\"auditID\":\"", &format!("\"auditID\":\"{copy}-")));
            text.push_str("no event\n");
        }
        std::fs::write(&log, &text).unwrap();
        let options = || Options {
            inputs: vec![log.display().to_string()],
            transaction: 1 << 20,
            ..Options::default()
        };
        let engine = Engine::open(options()).await.unwrap();
        let done = convert(&engine, &lake.display().to_string()).await.unwrap();
        let events = number(&log, "SELECT count(*) FROM events").await;
        assert_eq!(done.rows as i64, events);
        assert!(done.version > Some(3), "{done:?}");
        assert_eq!(done.known, 0);
        assert_eq!(engine.report().total.rejects.values().sum::<u64>(), 12);
        let question = "SELECT count(DISTINCT event_hash) FROM events";
        assert_eq!(number(&lake, question).await, events);
        assert_eq!(number(&lake, "SELECT count(*) FROM rejects").await, 12);
        assert_eq!(
            number(&lake, "SELECT count(DISTINCT source_id) FROM sources").await,
            1
        );
        assert_eq!(
            number(&lake, "SELECT max(to_offset) FROM sources").await,
            text.len() as i64
        );
        // The lines are those of the whole file.
        let lines = "SELECT sum(source_line) FROM events";
        assert_eq!(number(&lake, lines).await, number(&log, lines).await);
        let again = convert(
            &Engine::open(options()).await.unwrap(),
            &lake.display().to_string(),
        )
        .await
        .unwrap();
        assert_eq!((again.rows, again.known), (0, 1));
    }
}
