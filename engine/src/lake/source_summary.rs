//! The evidence of a lake in, one row a source out: the parts that it was read in together.
//!
//! The table `sources` has a row for each part.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema};
use tokio::runtime::Handle;

use crate::error::Result;
use crate::lake::delta::{AsOf, TableSnapshot};
use crate::lake::evidence;
use crate::lake::root::{LakeRoot, SOURCES};
use crate::lake::source::{SourceDays, SourceRead};
use crate::lake::upkeep::numbers;
use crate::schema;

/// The sources of a lake, by the time when they were converted last.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SourceSummaries {
    /// The version of `events` that is described.
    pub version: u64,
    /// The sources.
    pub sources: Vec<SourceSummary>,
}

/// What was read of one source, in all of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSummary {
    /// The parts together.
    read: SourceRead,
    parts: u64,
}

impl SourceSummary {
    /// The id that the columns `source_id` have.
    pub fn id(&self) -> &str {
        &self.read.source_id
    }

    /// Where it was when it was read last.
    pub fn uri(&self) -> &str {
        &self.read.uri
    }

    /// Bytes that were read, after decompression.
    pub const fn bytes(&self) -> u64 {
        self.read.to_offset
    }

    /// The SHA-256 of these bytes, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.read.sha256
    }

    /// Transactions that read something of it.
    pub const fn parts(&self) -> u64 {
        self.parts
    }

    /// Records that were read.
    pub const fn records(&self) -> u64 {
        self.read.records
    }

    /// Records that became events.
    pub const fn events(&self) -> u64 {
        self.read.events
    }

    /// Records that could not be read.
    pub const fn rejects(&self) -> u64 {
        self.read.rejects
    }

    /// The least and the greatest time of its events, in microseconds since the epoch.
    pub fn times(&self) -> Option<(i64, i64)> {
        self.read.first_time.zip(self.read.last_time)
    }

    /// When it was converted last, in microseconds since the epoch.
    pub const fn converted_at(&self) -> i64 {
        self.read.converted_at
    }
}

impl SourceSummaries {
    /// One row for each source: the columns of the table `sources`, without what only the next
    /// conversion can read, and the number of parts.
    ///
    /// # Errors
    ///
    /// Never: the columns have the types of the schema.
    pub fn rows(&self) -> Result<RecordBatch> {
        let reads: Vec<SourceRead> = self.sources.iter().map(|one| one.read.clone()).collect();
        let batch = evidence::batch_of(&evidence::stored_schema(&schema::sources()), &reads)?;
        let schema = batch.schema();
        let shown = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .filter(|(field, _)| field.name() != "sha256_state");
        let (mut fields, mut columns): (Vec<FieldRef>, Vec<ArrayRef>) = shown
            .map(|(field, column)| (Arc::clone(field), Arc::clone(column)))
            .unzip();
        fields.push(Arc::new(Field::new("parts", DataType::Int64, true)));
        columns.push(numbers(self.sources.iter().map(|one| Some(one.parts))));
        let schema = Arc::new(Schema::new(fields));
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// The sources of a lake as of a version of `events`.
///
/// # Errors
///
/// When the tables cannot be read, or there was no such version.
pub(crate) async fn summarize(
    root: &LakeRoot,
    events: TableSnapshot,
    as_of: Option<AsOf>,
) -> Result<SourceSummaries> {
    let mut rows = Vec::new();
    if let Some(table) = TableSnapshot::open(root, SOURCES).await? {
        rows = evidence::read(root, &table, &Handle::current()).await?;
        rows.extend(evidence::missing(&events, &table).await?);
    }
    let events = match as_of {
        None => events,
        Some(as_of) => events.at(as_of).await?,
    };
    let version = events.version();
    rows.retain(|row| row.events_version <= version);
    let sources = together(rows);
    Ok(SourceSummaries { version, sources })
}

/// Parts in any order → sources.
fn together(mut rows: Vec<SourceRead>) -> Vec<SourceSummary> {
    rows.sort_by_key(|row| (row.events_version, row.to_offset));
    let mut sources: BTreeMap<String, SourceSummary> = BTreeMap::new();
    for read in rows {
        match sources.entry(read.source_id.clone()) {
            Entry::Vacant(new) => {
                new.insert(SourceSummary { read, parts: 1 });
            }
            Entry::Occupied(mut known) => {
                let summary = known.get_mut();
                summary.read = joined(&summary.read, read);
                summary.parts += 1;
            }
        }
    }
    let mut sources: Vec<SourceSummary> = sources.into_values().collect();
    sources.sort_by_key(SourceSummary::converted_at);
    sources
}

/// A source with one more part: what is counted adds up, and the rest is as it was last.
fn joined(before: &SourceRead, part: SourceRead) -> SourceRead {
    let mut days = SourceDays::of(before);
    SourceDays::of(&part)
        .0
        .into_iter()
        .for_each(|(day, (rows, hash))| days.add(day, rows, hash));
    let (days, events_hash) = days.texts();
    SourceRead {
        from_offset: before.from_offset.min(part.from_offset),
        records: before.records + part.records,
        events: before.events + part.events,
        rejects: before.rejects + part.rejects,
        skipped: before.skipped + part.skipped,
        duplicates: before.duplicates + part.duplicates,
        first_time: before.first_time.into_iter().chain(part.first_time).min(),
        last_time: before.last_time.max(part.last_time),
        days,
        events_hash,
        ..part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str, version: u64, from: u64, to: u64, first: Option<i64>) -> SourceRead {
        SourceRead {
            source_id: id.to_owned(),
            uri: format!("/logs/{version}"),
            events_version: version,
            from_offset: from,
            to_offset: to,
            records: 2,
            events: 1,
            skipped: 1,
            converted_at: version as i64,
            first_time: first,
            last_time: first,
            days: r#"{"2026-11-01":1}"#.to_owned(),
            events_hash: r#"{"2026-11-01":9223372036854775807}"#.to_owned(),
            ..SourceRead::default()
        }
    }

    #[test]
    fn parts_become_one_row() {
        let rows = vec![
            part("a", 3, 5, 9, None),
            part("b", 2, 0, 4, Some(1)),
            part("a", 1, 0, 5, Some(7)),
            part("a", 4, 9, 12, Some(3)),
        ];
        let sources = together(rows);
        let ids: Vec<(&str, u64)> = sources
            .iter()
            .map(|source| (source.id(), source.parts()))
            .collect();
        assert_eq!(ids, [("b", 1), ("a", 3)]);
        let source = &sources[1].read;
        assert_eq!(
            (source.from_offset, source.to_offset, source.uri.as_str()),
            (0, 12, "/logs/4")
        );
        assert_eq!((source.records, source.events, source.skipped), (6, 3, 3));
        assert_eq!((source.first_time, source.last_time), (Some(3), Some(7)));
        assert_eq!(source.days, r#"{"2026-11-01":3}"#);
        assert_eq!(
            source.events_hash,
            format!(r#"{{"2026-11-01":{}}}"#, i64::MAX.wrapping_mul(3))
        );
        let batch = SourceSummaries {
            version: 4,
            sources,
        };
        let batch = batch.rows().unwrap();
        assert!(
            batch.column_by_name("sha256_state").is_none()
                && batch.column_by_name("parts").is_some()
        );
        assert_eq!(batch.num_rows(), 2);
    }
}
