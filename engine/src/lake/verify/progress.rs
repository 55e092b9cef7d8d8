//! Check `progress`: the progress of each source in the log of `events` in, whether it is that of
//! its evidence out, and whether the evidence speaks of every byte.
//!
//! Delta's library answers for one application at a time, and reads the log each time. Here it is
//! read once: the last checkpoint, and the entries behind it.

use std::collections::HashMap;

use datafusion::arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path as Key;

use crate::error::Result;
use crate::lake::delta::TableSnapshot;
use crate::lake::read::DataFile;
use crate::lake::reject_file::RejectFile;
use crate::lake::verify::finding::{FindingStatus, LakeFinding};
use crate::lake::verify::known::KnownSource;
use crate::lake::verify::scan::{DataReader, blocking};
use crate::source::lake_folder::DELTA_LOG;

const CHECK: &str = "progress";
/// Entries of the log that are read at the same time.
const PARALLEL: usize = 16;

/// By application.
type RecordedProgress = HashMap<String, i64>;

/// Compares each source.
///
/// # Errors
///
/// When the log cannot be read.
pub(super) async fn check(
    reader: &DataReader,
    events: &TableSnapshot,
    known: &[KnownSource],
) -> Result<Vec<LakeFinding>> {
    let noted = noted(reader, events, known).await?;
    Ok(known
        .iter()
        .map(|known| {
            compare(
                known,
                noted.get(&RejectFile::application(&known.id)).copied(),
            )
        })
        .collect())
}

fn compare(known: &KnownSource, noted: Option<i64>) -> LakeFinding {
    let (to, uri) = (known.to_offset(), known.uri());
    let (status, message) = if let Some(hole) = known.hole() {
        (
            FindingStatus::Differs,
            format!("the evidence does not say that {uri} was read up to byte {hole}"),
        )
    } else if noted.and_then(|noted| u64::try_from(noted).ok()) != Some(to) {
        let noted = noted.map_or_else(|| "nothing".to_owned(), |noted| format!("{noted} bytes"));
        (
            FindingStatus::Differs,
            format!("the log says that {noted} of {uri} were read, the evidence says {to}"),
        )
    } else {
        (FindingStatus::Ok, format!("{to} bytes of {uri} were read"))
    };
    LakeFinding::new(CHECK, &known.id, status, message)
}

/// The progress of all applications; of the known sources at least.
async fn noted(
    reader: &DataReader,
    events: &TableSnapshot,
    known: &[KnownSource],
) -> Result<RecordedProgress> {
    let (mut noted, first) = match checkpoint(reader, events.version()).await? {
        Some((progress, version)) => (progress, version + 1),
        None => (RecordedProgress::new(), 0),
    };
    let mut entries = stream::iter(first..=events.version())
        .map(|version| events.entry(version))
        .buffered(PARALLEL);
    while let Some(entry) = entries.try_next().await? {
        let Some(actions) = entry else {
            // Others clean up logs, and write checkpoints in other ways.
            return one_by_one(events, known).await;
        };
        for transaction in actions.iter().filter_map(|action| action.get("txn")) {
            if let (Some(application), Some(version)) = (
                transaction["appId"].as_str(),
                transaction["version"].as_i64(),
            ) {
                noted.insert(application.to_owned(), version);
            }
        }
    }
    Ok(noted)
}

async fn one_by_one(events: &TableSnapshot, known: &[KnownSource]) -> Result<RecordedProgress> {
    let mut noted = RecordedProgress::new();
    for known in known {
        let application = RejectFile::application(&known.id);
        if let Some(version) = events.progress(&application).await? {
            noted.insert(application, version);
        }
    }
    Ok(noted)
}

/// What the last checkpoint says that is one file, and its version; `None` without one.
async fn checkpoint(reader: &DataReader, newest: u64) -> Result<Option<(RecordedProgress, u64)>> {
    let mut last: Option<(u64, DataFile)> = None;
    let mut listed = reader.table.store.list(Some(&Key::from(DELTA_LOG)));
    while let Some(object) = listed
        .try_next()
        .await
        .map_err(|error| reader.root.unreadable("list", &error))?
    {
        let Some(version) = version_of(object.location.filename().unwrap_or_default()) else {
            continue;
        };
        if version <= newest && last.as_ref().is_none_or(|(last, _)| version > *last) {
            let file = DataFile {
                path: object.location.to_string(),
                size: object.size,
                rows: None,
                date: None,
                times: None,
                checksums: None,
                is_earlier: false,
            };
            last = Some((version, file));
        }
    }
    let Some((version, file)) = last else {
        return Ok(None);
    };
    let reader = reader.clone();
    blocking(move || {
        let mut progress = RecordedProgress::new();
        let read = reader.read(&file, &["txn.appId", "txn.version"], |batch| {
            let Some(transactions) = batch
                .column_by_name("txn")
                .and_then(|column| column.as_struct_opt())
            else {
                return Ok(());
            };
            let (Some(ids), Some(versions)) = (
                transactions.column_by_name("appId"),
                transactions.column_by_name("version"),
            ) else {
                return Ok(());
            };
            let (ids, versions) = (
                cast(ids, &DataType::Utf8)?,
                cast(versions, &DataType::Int64)?,
            );
            let (ids, versions) = (ids.as_string::<i32>(), versions.as_primitive::<Int64Type>());
            for row in 0..batch.num_rows() {
                if transactions.is_valid(row) && ids.is_valid(row) && versions.is_valid(row) {
                    progress.insert(ids.value(row).to_owned(), versions.value(row));
                }
            }
            Ok(())
        })?;
        // Without it all entries are read, if they are there.
        Ok(read.is_ok().then_some((progress, version)))
    })
    .await
}

/// The version of a checkpoint in one file, by its name: `00000000000000000050.checkpoint.parquet`.
fn version_of(name: &str) -> Option<u64> {
    name.strip_suffix(".checkpoint.parquet")
        .filter(|version| version.len() == 20)?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::verify::known::sources;
    use crate::lake::verify::known::tests::part;

    #[test]
    fn checkpoints_by_their_names() {
        assert_eq!(
            version_of("00000000000000000050.checkpoint.parquet"),
            Some(50)
        );
        assert_eq!(
            version_of("00000000000000000050.checkpoint.0000000001.0000000002.parquet"),
            None
        );
        assert_eq!(version_of("00000000000000000050.json"), None);
    }

    #[test]
    fn progress_is_that_of_the_evidence() {
        let whole = &sources(vec![part("a", 1, 0, 5), part("a", 2, 5, 9)])[0];
        assert_eq!(compare(whole, Some(9)).status, FindingStatus::Ok);
        for noted in [None, Some(8), Some(-9)] {
            assert_eq!(
                compare(whole, noted).status,
                FindingStatus::Differs,
                "{noted:?}"
            );
        }
        let holed = &sources(vec![part("a", 1, 0, 5), part("a", 2, 6, 9)])[0];
        assert_eq!(
            compare(holed, Some(9)).message,
            "the evidence does not say that /logs/2 was read up to byte 6"
        );
    }
}
