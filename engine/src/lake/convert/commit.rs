//! What was read of sources in, commits out: first of the rejects, then of the rows with the
//! progress and the evidence of their sources.
//!
//! A run that is killed before the second begins again there. When another writer's commit came
//! first, it is looked at: if it has read a source of ours, or holds an event of ours, nothing is
//! committed.

use std::collections::HashSet;
use std::sync::Arc;

use deltalake::kernel::{Action, Add};
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::account::Tally;
use crate::error::{Error, ErrorKind, Result};
use crate::lake::convert::LakeWriter;
use crate::lake::delta::{Commit, CommitOutcome, TableSnapshot};
use crate::lake::evidence;
use crate::lake::evidence::EVIDENCE;
use crate::lake::identity::Identities;
use crate::lake::reject_file::RejectFile;
use crate::lake::source::{SourceRead, Sources};

impl LakeWriter<'_> {
    /// Commits the rejects; false when another writer has read a source meanwhile.
    pub(super) async fn commit_rejects(
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
        let with_rejects: Vec<&SourceRead> = read
            .iter()
            .map(|(_, source)| source)
            .filter(|source| source.rejects > 0)
            .collect();
        let before = progress_in(&table, &with_rejects).await?;
        loop {
            let commit = Commit {
                id: Uuid::new_v4(),
                actions: vec![Action::Add(file.clone())],
                progress: with_rejects.iter().copied().map(progress_of).collect(),
                info: Map::new(),
            };
            if let CommitOutcome::Done(_) = table.commit(commit, append()).await? {
                return Ok(true);
            }
            if progress_in(&table, &with_rejects).await? != before {
                return Ok(false);
            }
        }
    }

    /// Commits the rows; false when another writer has read a source, or brought an event,
    /// meanwhile.
    pub(super) async fn commit(
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
                CommitOutcome::Done(version) => {
                    self.converted.version = Some(version);
                    self.converted.files += adds.len() as u64;
                    self.converted.bytes += adds
                        .iter()
                        .map(|add| u64::try_from(add.size).unwrap_or(0))
                        .sum::<u64>();
                    return Ok(true);
                }
                CommitOutcome::Conflict => {
                    if self.is_overtaken(read).await? {
                        return Ok(false);
                    }
                    let files = self.events.files()?.into_iter();
                    let newer = files.filter(|file| !base.contains(&file.path)).collect();
                    let meets = tokio::task::block_in_place(|| identities.meets(newer, times));
                    if meets.map_err(|message| Error::lake(&self.root.shown, message))? {
                        return Ok(false);
                    }
                    base.extend(self.events.adds()?.into_iter().map(|add| add.path));
                }
            }
        }
    }

    /// Has another writer read one of these sources meanwhile?
    async fn is_overtaken(&self, read: &[(Tally, SourceRead)]) -> Result<bool> {
        let rows = evidence::catch_up(&self.root, &self.events, &self.runtime).await?;
        let now = Sources::new(rows);
        let to = |sources: &Sources, id: &str| sources.get(id).map(|source| source.to_offset);
        let mut ids = read.iter().map(|(_, source)| source.source_id.as_str());
        Ok(ids.any(|id| to(&now, id) != to(&self.sources, id)))
    }
}

/// How far the table has these sources.
async fn progress_in(table: &TableSnapshot, sources: &[&SourceRead]) -> Result<Vec<Option<i64>>> {
    let mut progress = Vec::with_capacity(sources.len());
    for source in sources {
        let application = RejectFile::application(&source.source_id);
        progress.push(table.progress(&application).await?);
    }
    Ok(progress)
}

/// The progress of a source, as an application's.
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
