//! A lake by its name in, what a user does with it besides filling and querying it out: its sources
//! and history, whether it is what its evidence says, and its upkeep.
//!
//! Each method looks at the newest version. Not responsible for: how it is done, which each has a
//! module of its own for; and how it is told, which is the caller's.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::runtime::Handle;

use crate::error::Result;
use crate::lake::delta::{AsOf, TableSnapshot};
use crate::lake::expire::{self, Expired};
use crate::lake::history::{self, History};
use crate::lake::optimize::{self, Optimized};
use crate::lake::root::{EVENTS, LakeRoot};
use crate::lake::source_summary::{self, SourceSummaries};
use crate::lake::vacuum::{self, Vacuumed};
use crate::lake::verify::{self, OriginalsCheck, Verified};
use crate::session::Limits;
use crate::source::store::{StoreSettings, Stores};
use crate::time::Clock;

/// What a lake is opened with.
#[derive(Debug, Clone)]
pub struct LakeOptions {
    /// Credentials and endpoints of object stores.
    pub stores: StoreSettings,
    /// Worker threads.
    pub threads: usize,
    /// Bytes that sorts may hold before they spill to disk.
    pub memory: usize,
    /// Dates what is written, and says how old files are.
    pub clock: Clock,
}

/// A lake that is there.
#[derive(Debug)]
pub struct Lake {
    options: LakeOptions,
    stores: Arc<Stores>,
    root: LakeRoot,
}

impl Lake {
    /// Opens the lake in a folder or at a URL.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be looked at.
    pub async fn open(options: &LakeOptions, uri: &str) -> Result<Self> {
        let stores = Arc::new(Stores::new(options.stores.clone(), Handle::current()));
        let root = LakeRoot::of(uri, &stores).await?;
        let root = root.with_clock(options.clock.clone());
        match root.holds_lake().await? {
            Some(true) => Ok(Self {
                options: options.clone(),
                stores,
                root,
            }),
            _ => Err(root.missing()),
        }
    }

    /// The folder or URL, without secrets.
    pub fn uri(&self) -> &str {
        &self.root.shown
    }

    /// The evidence: what was read of each source; as of a version, otherwise the newest.
    ///
    /// # Errors
    ///
    /// When the lake cannot be read, or had no such version.
    pub async fn sources(&self, as_of: Option<AsOf>) -> Result<SourceSummaries> {
        source_summary::summarize(&self.root, self.events().await?, as_of).await
    }

    /// The last commits, newest first: so many of them, or all.
    ///
    /// # Errors
    ///
    /// When the lake cannot be read.
    pub async fn history(&self, limit: Option<usize>) -> Result<History> {
        history::history(&self.events().await?, limit).await
    }

    /// Compares the lake with its evidence; with `originals` also the logs that it was made from,
    /// which are looked for in `inputs` when they are not where they were.
    ///
    /// # Errors
    ///
    /// When the lake cannot be read, or an input does not exist. A difference is no error.
    pub async fn verify(&self, originals: bool, inputs: &[String]) -> Result<Verified> {
        let threads = self.options.threads.max(1);
        let originals = originals.then_some(OriginalsCheck {
            stores: &self.stores,
            threads,
            inputs,
        });
        verify::verify(&self.root, &self.events().await?, threads, originals).await
    }

    /// Merges small files, and puts their rows in order of time.
    ///
    /// # Errors
    ///
    /// When the lake cannot be read or written, or `cancelled` is set. What was committed before
    /// stays.
    pub async fn optimize(&self, cancelled: &AtomicBool) -> Result<Optimized> {
        let limits = Limits {
            threads: self.options.threads,
            memory: self.options.memory,
        };
        optimize::optimize(&self.root, &limits, cancelled).await
    }

    /// Removes the events and rejects of the days that ended before a time, in microseconds since
    /// the epoch; or only says what it would remove.
    ///
    /// # Errors
    ///
    /// When the lake cannot be read or written. A table that was done before stays so.
    pub async fn expire(&self, before: i64, dry_run: bool) -> Result<Expired> {
        expire::expire(&self.root, before, dry_run).await
    }

    /// Removes the files that nothing has needed for so many microseconds; or only says what it
    /// would remove.
    ///
    /// # Errors
    ///
    /// When the lake cannot be read, or a file not removed. It can be run again.
    pub async fn vacuum(&self, older_than: i64, dry_run: bool) -> Result<Vacuumed> {
        vacuum::vacuum(&self.root, older_than, dry_run).await
    }

    async fn events(&self) -> Result<TableSnapshot> {
        let events = TableSnapshot::open(&self.root, EVENTS).await?;
        events.ok_or_else(|| self.root.missing())
    }
}

/// Is there a lake of this name?
///
/// # Errors
///
/// When there is none, or it cannot be looked at.
pub(crate) async fn check(uri: &str, stores: &Stores) -> Result<()> {
    let root = LakeRoot::of(uri, stores).await?;
    match root.holds_lake().await? {
        Some(true) => Ok(()),
        _ => Err(root.missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, Hint};

    #[tokio::test]
    async fn a_lake_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake").display().to_string();
        let options = LakeOptions {
            stores: StoreSettings::default(),
            threads: 1,
            memory: 1 << 20,
            clock: Clock::system(),
        };
        let error = Lake::open(&options, &lake).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{lake}: there is no lake here"));
        assert!(matches!(error.kind(), ErrorKind::Lake { .. }));
        assert_eq!(error.hint(), Some(&Hint::MakeLake { lake }));
        assert!(!folder.path().join("lake").exists());
    }
}
