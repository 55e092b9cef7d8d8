//! Check `log`: the data files that the log of a table names in, whether they are there and hold
//! what it says out.
//!
//! Not responsible for: their rows ([`super::rows`]), and files that the log does not name
//! (`vacuum`).

use datafusion::{
    arrow::datatypes::{DataType, TimeUnit},
    parquet::{arrow::arrow_reader::ArrowReaderMetadata, file::statistics::Statistics},
};

use crate::error::Result;
use crate::lake::read::DataFile;
use crate::lake::verify::finding::{FindingStatus, LakeFinding};
use crate::lake::verify::scan::{DataReader, on_threads};
use crate::time::format_time;

pub(super) const CHECK: &str = "log";

/// The files that can be read on, with the rows that they have, and what was found.
///
/// # Errors
///
/// When the store fails.
pub(super) fn check(
    reader: &DataReader,
    table: &str,
    files: &[DataFile],
) -> Result<(Vec<DataFile>, Vec<LakeFinding>)> {
    let inspected = on_threads(reader.threads, files, |file| inspect(reader, file))?;
    let (mut readable, mut findings) = (Vec::new(), Vec::new());
    for (file, inspected) in files.iter().zip(inspected) {
        findings.extend(inspected.wrong.map(|wrong| {
            LakeFinding::new(
                CHECK,
                format!("{table}/{}", file.path),
                FindingStatus::Differs,
                wrong,
            )
        }));
        readable.extend(inspected.rows.map(|rows| DataFile {
            rows: Some(rows),
            ..file.clone()
        }));
    }
    if findings.is_empty() {
        let rows: u64 = readable.iter().filter_map(|file| file.rows).sum();
        let message = format!(
            "all {} data files are present, with {rows} rows",
            files.len()
        );
        findings.push(LakeFinding::new(CHECK, table, FindingStatus::Ok, message));
    }
    let unchecked = files.iter().filter(|file| file.checksums.is_none()).count();
    if unchecked > 0 {
        let message = format!(
            "{unchecked} of {} data files were written without checksums, so damage in them can go \
             unnoticed; optimizing the lake adds them",
            files.len()
        );
        findings.push(LakeFinding::new(
            CHECK,
            table,
            FindingStatus::Unchecked,
            message,
        ));
    }
    Ok((readable, findings))
}

/// What a look at a file gives.
struct InspectedFile {
    /// Its rows; `None` when it cannot be read.
    rows: Option<u64>,
    wrong: Option<String>,
}

fn inspect(reader: &DataReader, file: &DataFile) -> Result<InspectedFile> {
    let unreadable = |wrong: String| {
        Ok(InspectedFile {
            rows: None,
            wrong: Some(wrong),
        })
    };
    match reader.size(file)? {
        None => return unreadable("the file is missing".to_owned()),
        Some(size) if size != file.size => {
            return unreadable(format!(
                "the file has {size} bytes instead of {}",
                file.size
            ));
        }
        Some(_) => {}
    }
    if let Err(wrong) = reader.compare(file)? {
        return Ok(InspectedFile {
            rows: None,
            wrong: Some(wrong),
        });
    }
    match reader.footer(file)? {
        Err(message) => unreadable(format!("its footer cannot be read: {message}")),
        Ok(footer) => {
            let rows = u64::try_from(footer.metadata().file_metadata().num_rows()).unwrap_or(0);
            Ok(InspectedFile {
                rows: Some(rows),
                wrong: wrong(file, rows, times(&footer)),
            })
        }
    }
}

/// What the log says otherwise than the footer.
fn wrong(file: &DataFile, rows: u64, times: Option<(i64, i64)>) -> Option<String> {
    if let Some(logged) = file.rows.filter(|logged| *logged != rows) {
        return Some(format!("the file has {rows} rows, the log says {logged}"));
    }
    // Readers leave files out by the times that the log gives.
    let ((first, last), (from, to)) = times.zip(file.times)?;
    (first < from || to < last).then(|| {
        let [first, last, from, to] = [first, last, from, to].map(format_time);
        format!("its times are {first} to {last}, the log says {from} to {to}")
    })
}

/// Least and greatest `stage_timestamp`, as far as the footer tells.
fn times(footer: &ArrowReaderMetadata) -> Option<(i64, i64)> {
    const COLUMN: &str = "stage_timestamp";
    // Others may write times in other units.
    let field = footer.schema().field_with_name(COLUMN).ok()?;
    matches!(
        field.data_type(),
        DataType::Timestamp(TimeUnit::Microsecond, _)
    )
    .then_some(())?;
    let columns = footer
        .metadata()
        .row_groups()
        .iter()
        .flat_map(|group| group.columns());
    let of_groups = columns
        .filter(|column| column.column_path().string() == COLUMN)
        .filter_map(|column| match column.statistics() {
            Some(Statistics::Int64(statistics)) => statistics
                .min_opt()
                .copied()
                .zip(statistics.max_opt().copied()),
            _ => None,
        });
    of_groups.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_to_cover_the_file() {
        let file = DataFile {
            path: "a".to_owned(),
            size: 1,
            rows: Some(5),
            date: None,
            times: Some((1000, 2999)),
            checksums: None,
            is_earlier: false,
        };
        assert_eq!(wrong(&file, 5, Some((1000, 2999))), None);
        assert_eq!(wrong(&file, 5, None), None);
        assert_eq!(
            wrong(&file, 4, None).as_deref(),
            Some("the file has 4 rows, the log says 5")
        );
        let told = "its times are 1970-01-01T00:00:00.000999Z to 1970-01-01T00:00:00.002000Z, the log says \
            1970-01-01T00:00:00.001000Z to 1970-01-01T00:00:00.002999Z";
        assert_eq!(wrong(&file, 5, Some((999, 2000))).as_deref(), Some(told));
        assert!(wrong(&file, 5, Some((1000, 3000))).is_some());
        assert_eq!(
            wrong(
                &DataFile {
                    rows: None,
                    times: None,
                    ..file
                },
                9,
                Some((0, 0))
            ),
            None,
            "a log that says nothing"
        );
    }
}
