//! A table that is made, or gets the columns that are new since it was made: columns in, the table
//! out.
//!
//! Others may do the same at the same time: the second takes what the first has made.

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake::kernel::transaction::CommitProperties;
use deltalake::kernel::{Action, Metadata, StructField, StructType};
use deltalake::operations::create::CreateBuilder;
use deltalake::protocol::{DeltaOperation, SaveMode};
use serde_json::Value;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::lake::delta::{Commit, CommitOutcome, TableSnapshot};
use crate::lake::root::LakeRoot;

/// How often others may be faster.
const MOST_TRIES: usize = 20;

impl TableSnapshot {
    /// Makes the table, or opens the one that another writer made meanwhile. A column that the table
    /// does not have yet is added.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) async fn open_or_create(
        root: &LakeRoot,
        name: &'static str,
        schema: &Schema,
        partition: &[&str],
        doc: &str,
    ) -> Result<Self> {
        for _ in 0..MOST_TRIES {
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
                return Err(root.unwritable(&error));
            }
        }
        Err(root.not_written("other writers keep changing its tables; try again"))
    }

    /// Can we write to it without undoing what another tool did?
    fn check(&self) -> Result<()> {
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
            return Err(self.has_column_mapping());
        }
        Ok(())
    }

    /// Another tool maps column names; what auditql writes would not be found there.
    pub(crate) fn has_column_mapping(&self) -> Error {
        let message = format!(
            "table {}: another tool enabled column mapping, which auditql cannot write",
            self.name
        );
        Error::lake(&self.root.shown, message)
    }

    /// Adds columns that are new since the table was made; false when another writer changed the
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
            ErrorKind::Internal(format!("its new columns do not fit: {error}")).into()
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
        Ok(matches!(outcome, CommitOutcome::Done(_)))
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
