//! Values of a row as text: an array and a row in, the text for a sentence or for a hash out.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::time::format_time;

/// Characters of a value that a sentence shows.
const LONGEST: usize = 120;
/// Items of a list that a sentence shows.
const MOST_ITEMS: usize = 3;

/// The whole value; `None` for NULL.
pub(super) fn whole(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) {
        return None;
    }
    if let Some(text) = string(array, row) {
        return Some(text.to_owned());
    }
    if let Some(micros) = micros(array, row) {
        return Some(format_time(micros));
    }
    let formatter = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default()).ok()?;
    Some(formatter.value(row).to_string())
}

/// The value for a sentence: cut where it is long.
pub(super) fn brief(array: &ArrayRef, row: usize) -> Option<String> {
    let text = match array.as_list_opt::<i32>() {
        Some(list) if list.is_valid(row) => {
            let items = list.value(row);
            let shown = (0..items.len().min(MOST_ITEMS)).filter_map(|item| whole(&items, item));
            let mut text = shown.collect::<Vec<_>>().join(", ");
            if items.len() > MOST_ITEMS {
                text.push_str(&format!(" and {} more", items.len() - MOST_ITEMS));
            }
            text
        }
        _ => whole(array, row)?,
    };
    Some(match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    })
}

/// A time in microseconds since the epoch; `None` for NULL and what is no time.
pub(super) fn micros(array: &ArrayRef, row: usize) -> Option<i64> {
    if !matches!(array.data_type(), DataType::Timestamp(..)) || array.is_null(row) {
        return None;
    }
    let wanted = DataType::Timestamp(TimeUnit::Microsecond, None);
    let one = cast(&array.slice(row, 1), &wanted).ok()?;
    let one = one.as_primitive::<TimestampMicrosecondType>();
    one.is_valid(0).then(|| one.value(0))
}

fn string(array: &ArrayRef, row: usize) -> Option<&str> {
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}
