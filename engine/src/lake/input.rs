//! A lake in, its tables for queries out.
//!
//! Not responsible for: how its files are read ([`super::read`]).

use std::sync::Arc;

use datafusion::{
    datasource::{MemTable, TableProvider},
    execution::object_store::ObjectStoreUrl,
    prelude::SessionContext,
};

use crate::account::{InputReport, Tally};
use crate::error::Result;
use crate::lake::checked_read::CheckedStore;
use crate::lake::delta::{AsOf, TableSnapshot};
use crate::lake::evidence;
use crate::lake::read::{DataFile, LakeTable};
use crate::lake::root::{EVENTS, LakeRoot, REJECTS, SOURCES};
use crate::schema;

/// A lake that is queried.
#[derive(Clone)]
pub(crate) struct LakeInput {
    /// Of today's layout.
    pub(crate) events: Option<Arc<dyn TableProvider>>,
    /// Of an earlier one.
    pub(crate) earlier_events: Option<Arc<dyn TableProvider>>,
    pub(crate) rejects: Option<Arc<dyn TableProvider>>,
    /// The table, and what was not copied into it yet.
    pub(crate) sources: Vec<Arc<dyn TableProvider>>,
    /// Evidence of later versions is not shown.
    pub(crate) version: u64,
    pub(crate) account: InputReport,
}

impl LakeInput {
    /// Opens a lake; `index` tells it from the others of the session.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub(crate) async fn open(
        root: &LakeRoot,
        index: usize,
        as_of: Option<AsOf>,
        context: &SessionContext,
    ) -> Result<Self> {
        let newest = TableSnapshot::open(root, EVENTS).await?;
        let newest = newest.ok_or_else(|| root.missing())?;
        let sources = TableSnapshot::open(root, SOURCES).await?;
        let missing = match &sources {
            Some(sources) => evidence::missing(&newest, sources).await?,
            None => Vec::new(),
        };
        let rejects = TableSnapshot::open(root, REJECTS).await?;
        let (events, rejects) = match as_of {
            None => (newest, rejects),
            Some(as_of) => {
                let events = newest.at(as_of).await?;
                let rejects = match (rejects, events.committed_at().await?) {
                    (Some(rejects), Some(at)) => rejects.at(AsOf::Time(at)).await.ok(),
                    (rejects, _) => rejects,
                };
                (events, rejects)
            }
        };
        // A file's entry holds the checksums of all its blocks: it is read once.
        let files = events.files()?;
        let tally = tally(&files);
        let store = register(&events, &files, index, context)?;
        let (earlier, current): (Vec<DataFile>, Vec<DataFile>) =
            files.into_iter().partition(|file| file.is_earlier);
        let of_layout = |files: Vec<DataFile>| {
            let is_any = !files.is_empty();
            is_any.then(|| provider(EVENTS, store.clone(), files))
        };
        let table = |table: &TableSnapshot| -> Result<_> {
            let files = table.files()?;
            let store = register(table, &files, index, context)?;
            Ok(provider(table.name, store, files))
        };
        let mut all = sources
            .as_ref()
            .map(table)
            .transpose()?
            .into_iter()
            .collect::<Vec<_>>();
        if !missing.is_empty() {
            let batch = evidence::batch_of(&schema::sources(), &missing)?;
            all.push(Arc::new(MemTable::try_new(
                schema::sources(),
                vec![vec![batch]],
            )?));
        }
        Ok(Self {
            events: of_layout(current),
            earlier_events: of_layout(earlier),
            rejects: rejects.as_ref().map(table).transpose()?,
            sources: all,
            version: events.version(),
            account: InputReport {
                uri: root.shown.clone(),
                size: None,
                compression: None,
                tally,
            },
        })
    }
}

/// Lets DataFusion read the files of a table; `index` tells its lake from the others of the session.
fn register(
    table: &TableSnapshot,
    files: &[DataFile],
    index: usize,
    context: &SessionContext,
) -> Result<ObjectStoreUrl> {
    let store = ObjectStoreUrl::parse(format!("lake-{index}-{}://lake", table.name))?;
    let objects = CheckedStore::new(table.checked()?, files);
    let runtime = context.runtime_env();
    runtime.register_object_store(store.as_ref(), Arc::new(objects));
    Ok(store)
}

/// Files of a table as DataFusion reads them.
fn provider(name: &str, store: ObjectStoreUrl, files: Vec<DataFile>) -> Arc<dyn TableProvider> {
    let (schema, partition, time) = match name {
        EVENTS => (schema::events(), Some("date"), Some("stage_timestamp")),
        REJECTS => (schema::rejects(), None, None),
        _ => (schema::sources(), None, None),
    };
    Arc::new(LakeTable::new(schema, partition, time, store, files.into()))
}

/// What the log says of the rows.
fn tally(files: &[DataFile]) -> Tally {
    let mut tally = Tally {
        format: Some("lake"),
        ..Tally::default()
    };
    for file in files {
        tally.events += file.rows.unwrap_or(0);
        if let Some((first, last)) = file.times {
            tally.time(first);
            tally.time(last);
        }
    }
    tally
}
