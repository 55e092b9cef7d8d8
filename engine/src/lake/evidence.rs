//! The table `sources` of a lake: the evidence that commits of `events` carry in, rows of a table
//! out; and back.
//!
//! A transaction commits its rows together with the evidence of them (in `commitInfo`), because
//! Delta has no transactions over several tables. From there it is copied into a table of its own,
//! where it can be asked for; what a killed run has not copied, the next one does.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{
            ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
        },
        compute::cast,
        datatypes::{
            DataType, Field, Int64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
        },
    },
    parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
};
use deltalake::{
    kernel::{Action, Add, Remove},
    protocol::{DeltaOperation, SaveMode},
};
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::error::{Error, ErrorKind, Result};
use crate::file::parquet::plain_properties;
use crate::lake::delta::{Commit, CommitOutcome, TableSnapshot, data_file};
use crate::lake::file_statistics::FileStatistics;
use crate::lake::file_target::DataFileTarget;
use crate::lake::root::{LakeRoot, SOURCES, innermost};
use crate::lake::source::SourceRead;
use crate::lake::store_file::StoreFile;
use crate::schema;

/// How far the evidence of `events` was copied, as an application's progress.
const COPIED: &str = "auditql:events";
/// The member of our commit info that holds the evidence.
pub(crate) const EVIDENCE: &str = "sources";
/// More files than this become one.
const MOST_FILES: usize = 32;

/// The table's columns as they are stored: plain text, so that Delta and Arrow agree.
pub(crate) fn stored_schema(columns: &SchemaRef) -> SchemaRef {
    let fields: Vec<Field> = columns
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8View => field.as_ref().clone().with_data_type(DataType::Utf8),
            _ => field.as_ref().clone(),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

/// Copies the evidence of commits that is not in the table yet, and gives all rows.
///
/// # Errors
///
/// When a table cannot be read or written.
pub(crate) async fn catch_up(
    root: &LakeRoot,
    events: &TableSnapshot,
    runtime: &Handle,
) -> Result<Vec<SourceRead>> {
    let schema = stored_schema(&schema::sources());
    let doc = schema::table(SOURCES).map_or("", |table| table.doc.as_str());
    let mut table = TableSnapshot::open_or_create(root, SOURCES, &schema, &[], doc).await?;
    loop {
        let missing = missing(events, &table).await?;
        let mut rows = read(root, &table, runtime).await?;
        if missing.is_empty() {
            return Ok(rows);
        }
        let adds = table.adds()?;
        let rewrite = adds.len() >= MOST_FILES;
        rows.extend(missing.iter().cloned());
        let batch = batch_of(&schema, if rewrite { &rows } else { &missing })?;
        let add = write(root, SOURCES, "", &batch, runtime).await?;
        let mut actions = vec![Action::Add(Add {
            data_change: true,
            ..add
        })];
        if rewrite {
            let now = root.clock.now_millis();
            let old = adds.iter().map(|add| removal(add, true, now));
            actions.extend(old.map(Action::Remove));
        }
        let progress = vec![(
            COPIED.to_owned(),
            i64::try_from(events.version()).unwrap_or(i64::MAX),
        )];
        let commit = Commit {
            id: Uuid::new_v4(),
            actions,
            progress,
            info: Map::new(),
        };
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        };
        match table.commit(commit, operation).await? {
            CommitOutcome::Done(_) => return Ok(rows),
            // Another writer may have copied them. The file of this try belongs to no commit;
            // `vacuum` finds it.
            CommitOutcome::Conflict => {}
        }
    }
}

/// The evidence that commits of `events` carry and the table does not have.
pub(crate) async fn missing(
    events: &TableSnapshot,
    sources: &TableSnapshot,
) -> Result<Vec<SourceRead>> {
    let copied = sources.progress(COPIED).await?;
    let first = copied.map_or(0, |version| u64::try_from(version).unwrap_or(0) + 1);
    let mut rows = Vec::new();
    for version in first..=events.version() {
        let Some(mut info) = events.info(version).await? else {
            continue;
        };
        let Some(Value::Array(evidence)) = info.get_mut(EVIDENCE).map(Value::take) else {
            continue;
        };
        for row in evidence {
            let broken = |error| {
                let message = format!("cannot read the evidence of version {version}: {error}");
                Error::lake(&events.root.shown, message)
            };
            rows.push(SourceRead {
                events_version: version,
                ..serde_json::from_value(row).map_err(broken)?
            });
        }
    }
    Ok(rows)
}

/// The rows of the table.
pub(crate) async fn read(
    root: &LakeRoot,
    table: &TableSnapshot,
    runtime: &Handle,
) -> Result<Vec<SourceRead>> {
    let mut rows = Vec::new();
    let broken = |error| {
        let message = format!("table {}: cannot read a row: {error}", table.name);
        Error::lake(&root.shown, message)
    };
    for batch in read_batches(root, table, runtime).await? {
        for row in rows_of(&batch) {
            rows.push(serde_json::from_value(row).map_err(broken)?);
        }
    }
    Ok(rows)
}

/// All batches of a small table.
async fn read_batches(
    root: &LakeRoot,
    table: &TableSnapshot,
    runtime: &Handle,
) -> Result<Vec<RecordBatch>> {
    let files: Vec<_> = table.adds()?.iter().map(data_file).collect();
    let checked = table.checked()?;
    let (runtime, shown, name) = (runtime.clone(), root.shown.clone(), table.name);
    let work = move || -> Result<Vec<RecordBatch>> {
        let mut batches = Vec::new();
        for file in &files {
            let broken = |error: &(dyn std::error::Error + 'static)| {
                let message = format!("{name}/{}: cannot read it: {}", file.path, innermost(error));
                Error::lake(&shown, message)
            };
            let file = StoreFile::new(file, &checked, &runtime);
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)
                .and_then(ParquetRecordBatchReaderBuilder::build)
                .map_err(|error| broken(&error))?;
            for batch in reader {
                batches.push(batch.map_err(|error| broken(&error))?);
            }
        }
        Ok(batches)
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::from(ErrorKind::Internal(format!(
            "reading a table failed: {error}"
        )))
    })?
}

/// Writes one file of a small table.
pub(crate) async fn write(
    root: &LakeRoot,
    table: &'static str,
    folder: &str,
    batch: &RecordBatch,
    runtime: &Handle,
) -> Result<Add> {
    let (root, batch, runtime, folder) = (
        root.clone(),
        batch.clone(),
        runtime.clone(),
        folder.to_owned(),
    );
    let work = move || -> Result<Add> {
        let name = format!("{folder}part-{}.parquet", Uuid::new_v4());
        let target = DataFileTarget::create(&root, table, &name, &runtime)?;
        let mut writer = ArrowWriter::try_new(target, batch.schema(), Some(plain_properties()))?;
        writer
            .write(&batch)
            .map_err(|error| root.unwritable(&error))?;
        writer.finish().map_err(|error| root.unwritable(&error))?;
        let size = writer.bytes_written();
        let finished = writer.inner_mut().finish_alone();
        finished.map_err(|error| root.unwritable(&error))?;
        let statistics = FileStatistics {
            rows: batch.num_rows() as u64,
            ..FileStatistics::default()
        };
        Ok(Add {
            path: name,
            size: i64::try_from(size).unwrap_or(i64::MAX),
            modification_time: root.clock.now_millis(),
            data_change: true,
            stats: Some(statistics.json()),
            tags: Some(HashMap::from([writer.inner_mut().tag()])),
            ..Add::default()
        })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::from(ErrorKind::Internal(format!(
            "writing a table failed: {error}"
        )))
    })?
}

/// The removal of a data file, at a time in milliseconds since the epoch.
pub(crate) fn removal(add: &Add, data_change: bool, now: i64) -> Remove {
    Remove {
        path: add.path.clone(),
        data_change,
        deletion_timestamp: Some(now),
        extended_file_metadata: Some(true),
        partition_values: Some(add.partition_values.clone()),
        size: Some(add.size),
        ..Remove::default()
    }
}

/// Rows as JSON objects of a schema's columns; times are microseconds.
fn rows_of(batch: &RecordBatch) -> Vec<Value> {
    let schema = batch.schema();
    let mut rows: Vec<Map<String, Value>> = vec![Map::new(); batch.num_rows()];
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let texts = cast(column, &DataType::Utf8).ok();
        for (index, row) in rows.iter_mut().enumerate() {
            let value = match field.data_type() {
                _ if column.is_null(index) => Value::Null,
                DataType::Int64 => column
                    .as_primitive_opt::<Int64Type>()
                    .map_or(Value::Null, |column| column.value(index).into()),
                DataType::Timestamp(..) => column
                    .as_primitive_opt::<TimestampMicrosecondType>()
                    .map_or(Value::Null, |column| column.value(index).into()),
                _ => texts
                    .as_ref()
                    .and_then(|texts| texts.as_string_opt::<i32>())
                    .map_or(Value::Null, |texts| texts.value(index).into()),
            };
            // Absent is what a newer version's row does not know.
            if !value.is_null() {
                row.insert(field.name().clone(), value);
            }
        }
    }
    rows.into_iter().map(Value::Object).collect()
}

/// Rows as a batch.
pub(crate) fn batch_of(schema: &SchemaRef, rows: &[SourceRead]) -> Result<RecordBatch> {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| serde_json::to_value(row).unwrap_or(Value::Null))
        .collect();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let values = rows.iter().map(|row| &row[field.name()]);
        match field.data_type() {
            DataType::Int64 => Arc::new(values.map(|value| value.as_i64()).collect::<Int64Array>()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => Arc::new(
                values
                    .map(|value| value.as_i64())
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
            _ => Arc::new(
                values
                    .map(|value| value.as_str().map(str::to_owned))
                    .collect::<StringArray>(),
            ),
        }
    });
    let columns: Vec<ArrayRef> = columns.collect();
    let columns = schema
        .fields()
        .iter()
        .zip(&columns)
        .map(|(field, column)| cast(column, field.data_type()));
    Ok(RecordBatch::try_new(
        Arc::clone(schema),
        columns.collect::<Result<_, _>>()?,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_survive_the_table() {
        let row = SourceRead {
            source_id: "id".to_owned(),
            to_offset: 7,
            first_time: Some(-5),
            stored_bytes: Some(3),
            days: "{}".to_owned(),
            ..SourceRead::default()
        };
        let rows = [row, SourceRead::default()];
        let batch = batch_of(&stored_schema(&schema::sources()), &rows).unwrap();
        assert_eq!(
            batch.num_columns(),
            serde_json::to_value(&rows[0])
                .unwrap()
                .as_object()
                .unwrap()
                .len()
        );
        let back: Vec<SourceRead> = rows_of(&batch)
            .into_iter()
            .map(|row| serde_json::from_value(row).unwrap())
            .collect();
        assert_eq!(back, rows);
    }
}
