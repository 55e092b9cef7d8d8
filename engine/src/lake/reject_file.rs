//! The rejects of a transaction in, one file of the table `rejects` out.
//!
//! They are committed before the rows of their transaction, with the progress of their sources in
//! that table: after a kill in between they are found there, and not written again.

use std::{collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, RecordBatch, TimestampMicrosecondArray},
        compute::cast,
        datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
    },
    parquet::arrow::ArrowWriter,
};
use deltalake::kernel::Add;
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::account::Reject;
use crate::column::rejects_batch;
use crate::error::Result;
use crate::file::parquet::plain_properties;
use crate::lake::delta::{TableSnapshot, partition};
use crate::lake::evidence::stored_schema;
use crate::lake::file_statistics::{FileStatistics, date_text, folder_of};
use crate::lake::file_target::DataFileTarget;
use crate::lake::root::{LakeRoot, REJECTS};
use crate::schema;
use crate::time::MICROS_A_DAY;

/// Rejects that are kept in memory.
const ROWS: usize = 4096;

/// The rejects of one transaction.
pub(crate) struct RejectFile {
    root: LakeRoot,
    runtime: Handle,
    table: Arc<TableSnapshot>,
    rows: Vec<(String, Option<String>, Reject)>,
    file: Option<(ArrowWriter<DataFileTarget>, String)>,
    day: i32,
    written: u64,
    /// By source: up to where its rejects are in the table.
    known: HashMap<String, u64>,
    /// By source: rejects that were met.
    pub(crate) counts: HashMap<String, u64>,
}

/// The columns as they are stored, the day of conversion last.
pub(crate) fn table_schema() -> Schema {
    let mut fields: Vec<Field> = file_schema()
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields.push(Field::new("date", DataType::Date32, true));
    Schema::new(fields)
}

fn file_schema() -> SchemaRef {
    let stored = stored_schema(&schema::rejects());
    let mut fields: Vec<Field> = stored
        .fields()
        .iter()
        .map(|field| field.as_ref().clone())
        .collect();
    fields.push(Field::new(
        "converted_at",
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        true,
    ));
    Arc::new(Schema::new(fields))
}

impl RejectFile {
    pub(crate) fn new(root: LakeRoot, table: Arc<TableSnapshot>, runtime: Handle) -> Self {
        let day = i32::try_from(root.clock.now().div_euclid(MICROS_A_DAY)).unwrap_or(0);
        Self {
            root,
            runtime,
            table,
            rows: Vec::new(),
            file: None,
            day,
            written: 0,
            known: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// The progress of a source in a table, as an application.
    pub(crate) fn application(source: &str) -> String {
        format!("auditql:source:{source}")
    }

    /// Adds a reject, unless it is in the table.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(crate) fn add(&mut self, file: &str, source: &str, reject: Reject) -> Result<()> {
        let known = match self.known.get(source) {
            Some(known) => *known,
            None => {
                let progress = self
                    .runtime
                    .block_on(self.table.progress(&Self::application(source)))?;
                let known = progress
                    .and_then(|progress| u64::try_from(progress).ok())
                    .unwrap_or(0);
                self.known.insert(source.to_owned(), known);
                known
            }
        };
        *self.counts.entry(source.to_owned()).or_default() += 1;
        if reject.offset < known {
            return Ok(());
        }
        self.rows
            .push((file.to_owned(), Some(source.to_owned()), reject));
        if self.rows.len() >= ROWS {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let batch = rejects_batch(self.rows.drain(..))?;
        let schema = file_schema();
        let now: ArrayRef = Arc::new(
            TimestampMicrosecondArray::from(vec![self.root.clock.now(); batch.num_rows()])
                .with_timezone("UTC"),
        );
        let mut columns = Vec::with_capacity(schema.fields().len());
        for (field, column) in schema
            .fields()
            .iter()
            .zip(batch.columns().iter().chain([&now]))
        {
            columns.push(cast(column, field.data_type())?);
        }
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        let (writer, _) = match &mut self.file {
            Some(file) => file,
            None => {
                let name = format!(
                    "{}/part-{}.parquet",
                    folder_of(Some(self.day)),
                    Uuid::new_v4()
                );
                let target = DataFileTarget::create(&self.root, REJECTS, &name, &self.runtime)?;
                self.file.insert((
                    ArrowWriter::try_new(target, schema, Some(plain_properties()))?,
                    name,
                ))
            }
        };
        self.written += batch.num_rows() as u64;
        let written = writer.write(&batch);
        written.map_err(|error| self.root.unwritable(&error))
    }

    /// The file, whole; `None` when there is nothing to commit.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(crate) fn finish(&mut self) -> Result<Option<Add>> {
        self.flush()?;
        let Some((mut writer, name)) = self.file.take() else {
            return Ok(None);
        };
        let ended = writer
            .finish()
            .map_err(|error| self.root.unwritable(&error))
            .and_then(|_| {
                let finished = writer.inner_mut().finish_alone();
                finished.map_err(|error| self.root.unwritable(&error))
            });
        if let Err(error) = ended {
            writer.inner_mut().discard();
            return Err(error);
        }
        let statistics = FileStatistics {
            rows: self.written,
            ..FileStatistics::default()
        };
        Ok(Some(Add {
            path: name,
            partition_values: partition(Some(&date_text(self.day))),
            size: i64::try_from(writer.bytes_written()).unwrap_or(i64::MAX),
            modification_time: self.root.clock.now_millis(),
            data_change: true,
            stats: Some(statistics.json()),
            tags: Some(HashMap::from([writer.inner_mut().tag()])),
            ..Add::default()
        }))
    }

    /// As if it had never been.
    pub(crate) fn discard(&mut self) {
        if let Some((mut writer, _)) = self.file.take() {
            writer.inner_mut().discard();
        }
    }
}
