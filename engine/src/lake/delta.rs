//! One Delta table: its snapshot in, its files and the progress of its writers out; actions in, one
//! commit out.
//!
//! Whether a commit that met another one may still stand is decided by its caller, never by
//! `deltalake`: that lets two writers who replace the same files with equal rows both succeed (its
//! conflict check looks at removals that change data only), and the rows would be there twice. So
//! nothing is retried here; what the caller gets is [`Outcome::Conflict`] and the new snapshot.
//!
//! A store can fail after it has done what it was asked for. Each commit carries an id of its own
//! in `commitInfo`, and is looked for after every failure.

use std::collections::HashMap;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use deltalake::{
    DeltaTable,
    kernel::{
        Action, Add, EagerSnapshot, Metadata, StructField, StructType, Transaction,
        engine::arrow_conversion::TryIntoKernel,
        transaction::{CommitBuilder, CommitProperties},
    },
    operations::create::CreateBuilder,
    protocol::{DeltaOperation, SaveMode},
};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::lake::read::DataFile;
use crate::lake::root::Root;
use crate::time::parse_micros;

/// The member of `commitInfo` that is ours.
pub(crate) const INFO: &str = "auditql";

/// A table of a lake, at one version.
pub(crate) struct TableSnapshot {
    pub(crate) root: Root,
    pub(crate) name: &'static str,
    table: DeltaTable,
}

/// What a commit holds.
#[derive(Debug, Default)]
pub(crate) struct Commit {
    /// What makes it recognisable.
    pub(crate) id: Uuid,
    pub(crate) actions: Vec<Action>,
    /// The progress of applications: who, and how far.
    pub(crate) progress: Vec<(String, i64)>,
    /// Members of our part of `commitInfo`.
    pub(crate) info: serde_json::Map<String, Value>,
}

/// How a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is this version.
    Done(u64),
    /// Somebody else's commit came first; the snapshot has it.
    Conflict,
}

impl std::fmt::Debug for TableSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableSnapshot")
            .field("name", &self.name)
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

/// A version to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// This version of `events`.
    Version(u64),
    /// What was committed at this time, in microseconds since the epoch.
    Time(i64),
}

impl TableSnapshot {
    /// The table at its newest version; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) async fn open(root: &Root, name: &'static str) -> Result<Option<Self>> {
        if root.folder(name).is_some_and(|folder| !folder.is_dir()) {
            return Ok(None);
        }
        let log = root.log(name, false)?;
        if !log
            .is_delta_table_location()
            .await
            .map_err(|error| root.delta_failed(&error))?
        {
            return Ok(None);
        }
        let mut table = DeltaTable::new(log);
        match table.load().await {
            Ok(()) => Ok(Some(Self {
                root: root.clone(),
                name,
                table,
            })),
            Err(deltalake::DeltaTableError::NotATable(_)) => Ok(None),
            Err(error) => Err(root.delta_failed(&error)),
        }
    }

    /// The table as it was.
    ///
    /// # Errors
    ///
    /// When there was none.
    pub(crate) async fn at(mut self, as_of: AsOf) -> Result<Self> {
        let version = match as_of {
            AsOf::Version(version) => version,
            AsOf::Time(micros) => self.version_at(micros).await?.ok_or_else(|| {
                let at = crate::time::format_time(micros);
                Error::input(
                    &self.root.shown,
                    format!("had no version at {at}; `auditql lake history` lists them"),
                )
            })?,
        };
        if version > self.version() {
            let message = format!(
                "has no version {version}, the newest is {}; `auditql lake history` lists them",
                self.version()
            );
            return Err(Error::input(&self.root.shown, message));
        }
        self.table
            .load_version(version)
            .await
            .map_err(|error| self.root.delta_failed(&error))?;
        Ok(self)
    }

    /// When the version that is looked at was committed, in microseconds since the epoch.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn committed_at(&self) -> Result<Option<i64>> {
        // The log knows milliseconds.
        Ok(self
            .timestamp(self.version())
            .await?
            .map(|millis| millis * 1000 + 999))
    }

    async fn timestamp(&self, version: u64) -> Result<Option<i64>> {
        let actions = self.entry(version).await?.unwrap_or_default();
        Ok(actions
            .iter()
            .find_map(|action| action["commitInfo"]["timestamp"].as_i64()))
    }

    /// The last version that was there at a time.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn version_at(&self, micros: i64) -> Result<Option<u64>> {
        let millis = micros.div_euclid(1000);
        // Versions before this one were there, this one and later ones were not. Entries that are
        // gone are old.
        let (mut there, mut not) = (0, self.version() + 1);
        while there < not {
            let middle = there + (not - there) / 2;
            if self.timestamp(middle).await?.is_none_or(|at| at <= millis) {
                there = middle + 1;
            } else {
                not = middle;
            }
        }
        Ok(there.checked_sub(1))
    }

    /// Makes the table, or opens the one that somebody else made meanwhile. A column that the table
    /// does not have yet is added.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) async fn open_or_create(
        root: &Root,
        name: &'static str,
        schema: &Schema,
        partition: &[&str],
        doc: &str,
    ) -> Result<Self> {
        for _ in 0..20 {
            if let Some(mut table) = Self::open(root, name).await? {
                table.check()?;
                if table.add_columns(schema).await? {
                    return Ok(table);
                }
                continue;
            }
            let log = root.log(name, true)?;
            let columns: Vec<StructField> = delta_schema(schema)?.fields().cloned().collect();
            let created = CreateBuilder::new()
                .with_log_store(log)
                .with_table_name(name)
                .with_comment(doc)
                .with_columns(columns)
                .with_partition_columns(partition.iter().copied())
                // Old versions are evidence: the log is kept for ten years, and `vacuum` says what
                // it takes away.
                .with_configuration([
                    (
                        "delta.logRetentionDuration".to_owned(),
                        Some("interval 3650 days".to_owned()),
                    ),
                    ("delta.checkpointInterval".to_owned(), Some("50".to_owned())),
                ])
                .with_commit_properties(CommitProperties::default().with_max_retries(0))
                .with_save_mode(SaveMode::Ignore)
                .await;
            if let Err(error) = created
                && Self::open(root, name).await?.is_none()
            {
                return Err(root.delta_failed(&error));
            }
        }
        Err(Error::input(
            &root.shown,
            "the lake is being made by others all the time; try again",
        ))
    }

    /// Can we write to it without undoing what another tool did?
    fn check(&self) -> Result<()> {
        let fail = |message: &str| {
            Err(Error::input(
                &self.root.shown,
                format!("table {}: {message}", self.name),
            ))
        };
        let state = self.state()?;
        let features = |name: &str| {
            state
                .protocol()
                .writer_features()
                .is_some_and(|all| all.iter().any(|feature| feature.to_string() == name))
        };
        if features("columnMapping")
            && state
                .metadata()
                .configuration()
                .contains_key("delta.columnMapping.mode")
        {
            return fail("another tool has turned on column mapping, which auditql does not write");
        }
        Ok(())
    }

    /// Adds columns that are new since the table was made; false when somebody else changed the
    /// table meanwhile.
    async fn add_columns(&mut self, schema: &Schema) -> Result<bool> {
        let ours = delta_schema(schema)?;
        let state = self.state()?;
        let theirs = state.schema();
        let missing: Vec<StructField> = ours
            .fields()
            .filter(|field| theirs.field(field.name()).is_none())
            .cloned()
            .collect();
        if missing.is_empty() {
            return Ok(true);
        }
        let all = StructType::try_new(theirs.fields().cloned().chain(missing.iter().cloned()));
        let fail = |error: &dyn std::fmt::Display| -> Error {
            ErrorKind::Internal(format!("the new columns do not fit: {error}")).into()
        };
        let all = all.map_err(|error| fail(&error))?;
        // The table keeps its id and settings; only its columns change.
        let mut metadata = serde_json::to_value(state.metadata()).map_err(|error| fail(&error))?;
        metadata["schemaString"] =
            Value::String(serde_json::to_string(&all).map_err(|error| fail(&error))?);
        let metadata: Metadata = serde_json::from_value(metadata).map_err(|error| fail(&error))?;
        let commit = Commit {
            id: Uuid::new_v4(),
            actions: vec![Action::Metadata(metadata)],
            ..Commit::default()
        };
        let outcome = self
            .commit(commit, DeltaOperation::AddColumn { fields: missing })
            .await?;
        Ok(matches!(outcome, Outcome::Done(_)))
    }

    fn state(&self) -> Result<&deltalake::table::state::DeltaTableState> {
        self.table
            .snapshot()
            .map_err(|error| self.root.delta_failed(&error))
    }

    fn snapshot(&self) -> Result<&EagerSnapshot> {
        Ok(self.state()?.snapshot())
    }

    /// The version that is looked at.
    pub(crate) fn version(&self) -> u64 {
        self.table.version().unwrap_or(0)
    }

    /// Looks at the newest version.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn refresh(&mut self) -> Result<()> {
        self.table
            .update_state()
            .await
            .map_err(|error| self.root.delta_failed(&error))
    }

    /// How far an application has come.
    ///
    /// # Errors
    ///
    /// When the log cannot be read.
    pub(crate) async fn progress(&self, application: &str) -> Result<Option<i64>> {
        let log = self.table.log_store();
        let version = self
            .snapshot()?
            .transaction_version(log.as_ref(), application)
            .await;
        version.map_err(|error| self.root.delta_failed(&error))
    }

    /// The data files, as actions.
    ///
    /// # Errors
    ///
    /// When another tool has marked rows of a file as deleted, which this does not read.
    pub(crate) fn adds(&self) -> Result<Vec<Add>> {
        let mut adds = Vec::new();
        for view in self.snapshot()?.log_data().iter() {
            if view.deletion_vector_descriptor().is_some() {
                let message = format!(
                    "table {}: another tool has deleted rows by deletion vectors; rewrite the table there (REORG TABLE … APPLY (PURGE))",
                    self.name
                );
                return Err(Error::input(&self.root.shown, message));
            }
            #[expect(
                deprecated,
                reason = "the whole action is what a removal and a rewrite need"
            )]
            adds.push(view.add_action());
        }
        Ok(adds)
    }

    /// The data files, to be read.
    ///
    /// # Errors
    ///
    /// As [`Self::adds`].
    pub(crate) fn files(&self) -> Result<Vec<DataFile>> {
        Ok(self.adds()?.iter().map(data_file).collect())
    }

    /// Our part of the `commitInfo` of a version; `None` when it has none, or its log entry is
    /// gone.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) async fn info(&self, version: u64) -> Result<Option<Value>> {
        let log = self.table.log_store();
        let Some(bytes) = log
            .read_commit_entry(version)
            .await
            .map_err(|error| self.root.delta_failed(&error))?
        else {
            return Ok(None);
        };
        let found = bytes.split(|byte| *byte == b'\n').find_map(|line| {
            let mut action: Value = serde_json::from_slice(line).ok()?;
            Some(action.get_mut("commitInfo")?.get_mut(INFO)?.take())
        });
        Ok(found)
    }

    /// The actions of a version, as the log has them; `None` when its entry is gone.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub(crate) async fn entry(&self, version: u64) -> Result<Option<Vec<Value>>> {
        let log = self.table.log_store();
        let entry = log
            .read_commit_entry(version)
            .await
            .map_err(|error| self.root.delta_failed(&error))?;
        let Some(bytes) = entry else { return Ok(None) };
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty());
        let actions = lines
            .map(serde_json::from_slice)
            .collect::<std::result::Result<_, _>>();
        let actions = actions.map_err(|error| {
            Error::input(
                &self.root.shown,
                format!("the log of version {version} is broken: {error}"),
            )
        })?;
        Ok(Some(actions))
    }

    /// Commits on top of the version that is looked at, and looks at the new one.
    ///
    /// # Errors
    ///
    /// When the store fails. The commit may be there later nevertheless: its files must stay.
    pub(crate) async fn commit(
        &mut self,
        commit: Commit,
        operation: DeltaOperation,
    ) -> Result<Outcome> {
        let base = self.version();
        let Commit {
            id,
            actions,
            progress,
            mut info,
        } = commit;
        info.insert("transaction".to_owned(), Value::String(id.to_string()));
        info.insert(
            "version".to_owned(),
            Value::String(env!("CARGO_PKG_VERSION").to_owned()),
        );
        let now = crate::time::now_micros() / 1000;
        let progress: Vec<Transaction> = progress
            .into_iter()
            .map(|(application, version)| {
                Transaction::new_with_last_update(application, version, Some(now))
            })
            .collect();
        let properties = || {
            CommitProperties::default()
                .with_metadata([(INFO.to_owned(), Value::Object(info.clone()))])
                .with_application_transactions(progress.clone())
                .with_max_retries(0)
                .with_cleanup_expired_logs(Some(false))
        };
        let mut failures = 0;
        loop {
            let state = self.state()?;
            let builder = CommitBuilder::from(properties()).with_actions(actions.clone());
            let built = builder.build(Some(state), self.table.log_store(), operation.clone());
            let failure = match built.await {
                Ok(done) => {
                    let version = done.version();
                    self.refresh().await?;
                    return Ok(Outcome::Done(version));
                }
                Err(error) => self.root.delta_failed(&error),
            };
            // Perhaps it is there: the answer was lost, or what comes after a commit failed (a
            // checkpoint on a full disk).
            if self.refresh().await.is_err() {
                return Err(failure);
            }
            for version in (base + 1)..=self.version() {
                if self
                    .info(version)
                    .await?
                    .is_some_and(|info| info["transaction"] == id.to_string())
                {
                    return Ok(Outcome::Done(version));
                }
            }
            if self.version() > base {
                return Ok(Outcome::Conflict);
            }
            failures += 1;
            if failures > 3 {
                return Err(failure);
            }
            tokio::time::sleep(std::time::Duration::from_millis(200 << failures)).await;
        }
    }
}

/// The columns as Delta knows them: text is text, whatever it is in memory.
fn delta_schema(schema: &Schema) -> Result<StructType> {
    let plain: Fields = schema.fields().iter().map(|field| plain(field)).collect();
    (&Schema::new(plain))
        .try_into_kernel()
        .map_err(|error| ErrorKind::Internal(format!("no Delta schema: {error}")).into())
}

fn plain(field: &Field) -> Field {
    let data_type = match field.data_type() {
        DataType::Utf8View => DataType::Utf8,
        other => other.clone(),
    };
    Field::new(field.name(), data_type, field.is_nullable())
}

/// What reading needs of an action.
pub(crate) fn data_file(add: &Add) -> DataFile {
    let stats: Value = add
        .stats
        .as_deref()
        .and_then(|stats| serde_json::from_str(stats).ok())
        .unwrap_or(Value::Null);
    let time = |which: &str| parse_micros(stats[which]["stage_timestamp"].as_str()?);
    let date = add.partition_values.get("date").and_then(Option::as_deref);
    DataFile {
        path: add.path.clone(),
        size: u64::try_from(add.size).unwrap_or(0),
        rows: stats["numRecords"].as_u64(),
        date: date.and_then(|date| {
            i32::try_from(parse_micros(&format!("{date}T00:00:00Z"))? / 86_400_000_000).ok()
        }),
        times: time("minValues").zip(time("maxValues")),
    }
}

/// A partition's value of nothing: the map that Delta wants.
pub(crate) fn partition(date: Option<&str>) -> HashMap<String, Option<String>> {
    HashMap::from([("date".to_owned(), date.map(str::to_owned))])
}
