//! The sources of one transaction in, its commits out; what has to be looked at again is put back.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use deltalake::kernel::Add;
use parking_lot::Mutex;
use tokio::task::block_in_place;

use crate::account::Tally;
use crate::error::{Error, Result};
use crate::lake::convert::{LakeWriter, WaitingObject};
use crate::lake::delta::TableSnapshot;
use crate::lake::evidence;
use crate::lake::identity::Identities;
use crate::lake::reject_file::RejectFile;
use crate::lake::root::{EVENTS, REJECTS};
use crate::lake::source::{SourceRead, Sources};
use crate::lake::source_plan::SourceWork;
use crate::lake::transaction;
use crate::lake::transaction::{ReadAgain, TransactionEnd, TransactionOutput};
use crate::lake::writer::DataFiles;

/// What was read of the sources of a transaction, and the files that hold it, which are whole.
struct ReadSources {
    /// In the order of the sources.
    read: Vec<(Tally, SourceRead)>,
    reject_file: Option<Add>,
    data_files: Vec<Add>,
}

enum ReadAttempt {
    Read(Box<ReadSources>),
    Again(ReadAgain),
}

impl LakeWriter<'_> {
    /// Reads sources and commits what they hold; what has to be looked at again is put back.
    pub(super) async fn transact(
        &mut self,
        mut works: Vec<SourceWork>,
        waiting: &mut VecDeque<WaitingObject>,
    ) -> Result<()> {
        while !works.is_empty() {
            let (root, runtime) = (self.root.clone(), self.runtime.clone());
            let table = TableSnapshot::open(&root, REJECTS).await?;
            let table = table
                .ok_or_else(|| Error::lake(&root.shown, "the table `rejects` is missing"))
                .map(Arc::new)?;
            let rejects = RejectFile::new(root.clone(), Arc::clone(&table), runtime.clone());
            let (known, checked) = (self.events.files()?, self.events.checked()?);
            let identities = Arc::new(Identities::new(known, checked, runtime.clone()));
            let mut files = DataFiles::new(&root, EVENTS, Arc::clone(&self.schema), runtime);
            let attempt = block_in_place(|| self.attempt(&works, &identities, rejects, &mut files));
            match attempt {
                Ok(ReadAttempt::Read(read)) => {
                    let commits =
                        self.commit_read(works, *read, table, files, &identities, waiting);
                    return commits.await;
                }
                Ok(ReadAttempt::Again(again)) => {
                    block_in_place(|| files.discard());
                    works = self.again(works, again, waiting);
                }
                Err(error) => {
                    block_in_place(|| files.discard());
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Reads the sources once, and ends the files that hold them.
    fn attempt(
        &self,
        works: &[SourceWork],
        identities: &Arc<Identities>,
        rejects: RejectFile,
        files: &mut DataFiles<'_>,
    ) -> Result<ReadAttempt> {
        let rejects = Mutex::new(rejects);
        let output = TransactionOutput {
            lake: &self.root.shown,
            schema: &self.schema,
            files: &mut *files,
            rejects: &rejects,
        };
        let end = transaction::read(self.conversion, works, identities, output);
        let mut rejects = rejects.into_inner();
        let attempt = end.and_then(|end| match end {
            TransactionEnd::Read(read) => Ok(ReadAttempt::Read(Box::new(ReadSources {
                read,
                reject_file: rejects.finish()?,
                data_files: files.finish()?,
            }))),
            TransactionEnd::Again(again) => Ok(ReadAttempt::Again(again)),
        });
        if !matches!(attempt, Ok(ReadAttempt::Read(_))) {
            rejects.discard();
        }
        attempt
    }

    /// Commits what was read, its rejects first.
    async fn commit_read(
        &mut self,
        mut works: Vec<SourceWork>,
        sources: ReadSources,
        table: Arc<TableSnapshot>,
        files: DataFiles<'_>,
        identities: &Identities,
        waiting: &mut VecDeque<WaitingObject>,
    ) -> Result<()> {
        let ReadSources {
            mut read,
            reject_file,
            data_files,
        } = sources;
        let unchanged = without_news(&mut works, &mut read);
        if read.is_empty() {
            self.wait(unchanged);
            return Ok(());
        }
        let is_committed = match reject_file {
            Some(file) => {
                self.commit_rejects(table, file, &read).await?
                    && self.commit(&read, data_files, identities).await?
            }
            None => self.commit(&read, data_files, identities).await?,
        };
        if is_committed {
            self.wait(unchanged);
            self.finish(&works, read);
            return Ok(());
        }
        block_in_place(|| files.discard());
        self.replan(works, waiting).await
    }

    /// What is read again at once; the others are looked at anew.
    fn again(
        &self,
        works: Vec<SourceWork>,
        again: ReadAgain,
        waiting: &mut VecDeque<WaitingObject>,
    ) -> Vec<SourceWork> {
        let ReadAgain { changed, failed } = again;
        let failures = failed.iter().map(|(index, _)| *index);
        let gone: HashSet<usize> = changed.iter().copied().chain(failures).collect();
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

    /// Another writer was faster: what there is to do is found out anew.
    async fn replan(
        &mut self,
        works: Vec<SourceWork>,
        waiting: &mut VecDeque<WaitingObject>,
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
}

/// Takes out the sources that hold nothing new but a record that is still being written, or an end
/// that cannot be read: of them nothing is noted.
fn without_news(
    works: &mut Vec<SourceWork>,
    read: &mut Vec<(Tally, SourceRead)>,
) -> Vec<(usize, Tally)> {
    let mut unchanged = Vec::new();
    for index in (0..read.len()).rev() {
        let (tally, source) = &read[index];
        let is_longer = source.to_offset > source.from_offset;
        let rejects: u64 = tally.rejects.values().sum();
        if !is_longer && tally.events == 0 && rejects == tally.unread {
            unchanged.push((works.remove(index).object, read.remove(index).0));
        }
    }
    unchanged
}
