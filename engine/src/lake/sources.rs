//! The evidence of a lake in, one row a source out: the parts that it was read in together.
//!
//! The table `sources` has a row for each part; whoever wants those asks it.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use datafusion::arrow::{
    array::{ArrayRef, Int64Array, RecordBatch},
    datatypes::{DataType, Field, FieldRef, Schema},
};
use tokio::runtime::Handle;

use crate::error::Result;
use crate::lake::delta::{AsOf, TableSnapshot};
use crate::lake::evidence;
use crate::lake::root::{Root, SOURCES};
use crate::lake::source::{Days, SourceRead};
use crate::schema;

/// The sources of a lake as of a version of `events`, by the time when they were converted last.
///
/// # Errors
///
/// When the tables cannot be read, or there was no such version.
pub(crate) async fn sources(
    root: &Root,
    events: TableSnapshot,
    as_of: Option<AsOf>,
) -> Result<RecordBatch> {
    let mut rows = Vec::new();
    if let Some(table) = TableSnapshot::open(root, SOURCES).await? {
        rows = evidence::read(root, &table, &Handle::current()).await?;
        rows.extend(evidence::missing(&events, &table).await?);
    }
    let events = match as_of {
        None => events,
        Some(as_of) => events.at(as_of).await?,
    };
    rows.retain(|row| row.events_version <= events.version());
    batch_of(&together(rows))
}

/// Parts in any order → sources, and how many parts each has.
fn together(mut rows: Vec<SourceRead>) -> Vec<(SourceRead, i64)> {
    rows.sort_by_key(|row| (row.events_version, row.to_offset));
    let mut sources: BTreeMap<String, (SourceRead, i64)> = BTreeMap::new();
    for row in rows {
        match sources.entry(row.source_id.clone()) {
            Entry::Vacant(new) => {
                new.insert((row, 1));
            }
            Entry::Occupied(mut known) => {
                let (before, parts) = known.get_mut();
                *before = joined(before, row);
                *parts += 1;
            }
        }
    }
    let mut sources: Vec<(SourceRead, i64)> = sources.into_values().collect();
    sources.sort_by_key(|(source, _)| source.converted_at);
    sources
}

/// A source with one more part: what is counted adds up, and the rest is as it was last.
fn joined(before: &SourceRead, part: SourceRead) -> SourceRead {
    let mut days = Days::of(before);
    Days::of(&part)
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

/// The columns of the table, without what only the next conversion can read, and the number of
/// parts.
fn batch_of(sources: &[(SourceRead, i64)]) -> Result<RecordBatch> {
    let rows: Vec<SourceRead> = sources.iter().map(|(source, _)| source.clone()).collect();
    let batch = evidence::batch_of(&evidence::stored_schema(&schema::sources()), &rows)?;
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
    columns.push(Arc::new(
        sources
            .iter()
            .map(|(_, parts)| Some(*parts))
            .collect::<Int64Array>(),
    ));
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
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
        let ids: Vec<(&str, i64)> = sources
            .iter()
            .map(|(source, parts)| (source.source_id.as_str(), *parts))
            .collect();
        assert_eq!(ids, [("b", 1), ("a", 3)]);
        let source = &sources[1].0;
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
        let batch = batch_of(&sources).unwrap();
        assert!(
            batch.column_by_name("sha256_state").is_none()
                && batch.column_by_name("parts").is_some()
        );
        assert_eq!(batch.num_rows(), 2);
    }
}
