//! Actions in, one commit of a table out.
//!
//! Whether a commit that met another one may still stand is decided by its caller, never by
//! `deltalake`: that lets two writers who replace the same files with equal rows both succeed (its
//! conflict check looks at removals that change data only), and the rows would be there twice. So
//! nothing is retried here; what the caller gets is [`CommitOutcome::Conflict`] and the new
//! snapshot.
//!
//! A store can fail after it has done what it was asked for. Each commit carries an id of its own
//! in `commitInfo`, and is looked for after every failure.

use std::time::Duration;

use deltalake::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake::kernel::{Action, CommitInfo, Transaction};
use deltalake::protocol::DeltaOperation;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::error::Result;
use crate::lake::delta::{INFO, TableSnapshot};

/// How often a store may fail.
const MOST_FAILURES: u32 = 3;

/// What a commit holds.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    /// What makes it recognisable.
    pub(crate) id: Uuid,
    pub(crate) actions: Vec<Action>,
    /// The progress of applications: who, and how far.
    pub(crate) progress: Vec<(String, i64)>,
    /// Members of our part of `commitInfo`.
    pub(crate) info: Map<String, Value>,
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitOutcome {
    /// It is this version.
    Done(u64),
    /// Another writer's commit came first; the snapshot has it.
    Conflict,
}

impl TableSnapshot {
    /// Commits on top of the version that is looked at, and looks at the new one.
    ///
    /// # Errors
    ///
    /// When the store fails. The commit may be there later nevertheless: its files must stay.
    pub(crate) async fn commit(
        &mut self,
        commit: Commit,
        operation: DeltaOperation,
    ) -> Result<CommitOutcome> {
        let base = self.version();
        let id = commit.id.to_string();
        let (actions, properties) = self.prepared(commit, &operation);
        let mut failures = 0;
        loop {
            let state = self.state()?;
            let builder = CommitBuilder::from(properties.clone()).with_actions(actions.clone());
            let built = builder.build(Some(state), self.table.log_store(), operation.clone());
            let failure = match built.await {
                Ok(done) => {
                    let version = done.version();
                    self.refresh().await?;
                    return Ok(CommitOutcome::Done(version));
                }
                Err(error) => self.root.unwritable(&error),
            };
            // Perhaps it is there: the answer was lost, or what comes after a commit failed (a
            // checkpoint on a full disk).
            if self.refresh().await.is_err() {
                return Err(failure);
            }
            for version in (base + 1)..=self.version() {
                let info = self.info(version).await?;
                if info.is_some_and(|info| info["transaction"] == id.as_str()) {
                    return Ok(CommitOutcome::Done(version));
                }
            }
            if self.version() > base {
                return Ok(CommitOutcome::Conflict);
            }
            failures += 1;
            if failures > MOST_FAILURES {
                return Err(failure);
            }
            tokio::time::sleep(Duration::from_millis(200 << failures)).await;
        }
    }

    /// What is handed to `deltalake`: the actions, and what goes with them.
    fn prepared(
        &self,
        commit: Commit,
        operation: &DeltaOperation,
    ) -> (Vec<Action>, CommitProperties) {
        let Commit {
            id,
            actions,
            progress,
            mut info,
        } = commit;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        info.insert("transaction".to_owned(), Value::String(id.to_string()));
        info.insert("version".to_owned(), Value::String(version));
        let now = self.root.clock.now_millis();
        // `deltalake` would ask the system for the time.
        let dated = Action::CommitInfo(CommitInfo {
            timestamp: Some(now),
            ..operation.get_commit_info()
        });
        let client = Value::String(format!("delta-rs.{}", deltalake::crate_version()));
        let progress = progress
            .into_iter()
            .map(|(application, version)| {
                Transaction::new_with_last_update(application, version, Some(now))
            })
            .collect();
        let properties = CommitProperties::default()
            .with_metadata([
                (INFO.to_owned(), Value::Object(info)),
                ("clientVersion".to_owned(), client),
            ])
            .with_application_transactions(progress)
            .with_max_retries(0)
            .with_cleanup_expired_logs(Some(false));
        let actions = std::iter::once(dated).chain(actions).collect();
        (actions, properties)
    }
}
