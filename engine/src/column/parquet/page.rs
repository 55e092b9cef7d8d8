//! The least and the most of a page's or chunk's values: values in, what Parquet's statistics say of
//! them out.
//!
//! Long texts are cut, the least downwards and the most upwards, so that both still bound every
//! value.

use datafusion::parquet::basic::Type;
use datafusion::parquet::data_type::ByteArray;
use datafusion::parquet::file::statistics::{Statistics, ValueStatistics};

/// Longer texts are cut in statistics, as other writers do.
const LONGEST_STATISTIC: usize = 64;

/// The least and the most of some values, as bytes that compare as the column's type does.
#[derive(Default, Clone)]
pub(super) struct PageBounds {
    range: Option<(Vec<u8>, Vec<u8>)>,
}

/// How the bytes of a column's values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Byte by byte: UTF-8.
    Bytes,
    Int32,
    Int64,
    Double,
    Boolean,
}

impl Order {
    pub(super) fn of(physical: Type) -> Self {
        match physical {
            Type::BOOLEAN => Self::Boolean,
            Type::INT32 => Self::Int32,
            Type::INT64 => Self::Int64,
            Type::DOUBLE => Self::Double,
            _ => Self::Bytes,
        }
    }

    pub(super) fn less(self, a: &[u8], b: &[u8]) -> bool {
        match self {
            Self::Bytes | Self::Boolean => a < b,
            Self::Int32 => int32(a) < int32(b),
            Self::Int64 => int64(a) < int64(b),
            Self::Double => double(a) < double(b),
        }
    }

    /// A text that is not greater and not long, and whether it is the value itself.
    pub(super) fn cut_least(self, value: &[u8]) -> (Vec<u8>, bool) {
        if self != Self::Bytes || value.len() <= LONGEST_STATISTIC {
            return (value.to_vec(), true);
        }
        let text = std::str::from_utf8(value).unwrap_or_default();
        (
            text.as_bytes()[..text.floor_char_boundary(LONGEST_STATISTIC)].to_vec(),
            false,
        )
    }

    /// A short text that is not less: the last character that can be is replaced by the next one.
    pub(super) fn cut_most(self, value: &[u8]) -> (Vec<u8>, bool) {
        if self != Self::Bytes || value.len() <= LONGEST_STATISTIC {
            return (value.to_vec(), true);
        }
        let text = std::str::from_utf8(value).unwrap_or_default();
        let text = &text[..text.floor_char_boundary(LONGEST_STATISTIC)];
        let next = text.char_indices().rev().find_map(|(at, last)| {
            let next = char::from_u32(u32::from(last) + 1)
                .filter(|next| next.len_utf8() == last.len_utf8())?;
            Some(format!("{}{next}", &text[..at]).into_bytes())
        });
        next.map_or_else(|| (value.to_vec(), true), |next| (next, false))
    }

    /// The statistics of a column chunk.
    pub(super) fn statistics(self, bounds: Option<&PageBounds>, nulls: u64) -> Statistics {
        let nulls = Some(nulls);
        let range = bounds.and_then(PageBounds::range);
        let (least, most) = (range.map(|(least, _)| least), range.map(|(_, most)| most));
        match self {
            Self::Int32 => Statistics::int32(least.map(int32), most.map(int32), None, nulls, false),
            Self::Int64 => Statistics::int64(least.map(int64), most.map(int64), None, nulls, false),
            Self::Double => {
                Statistics::double(least.map(double), most.map(double), None, nulls, false)
            }
            Self::Boolean => {
                let boolean = |bytes: &[u8]| bytes.first() == Some(&1);
                Statistics::boolean(least.map(boolean), most.map(boolean), None, nulls, false)
            }
            Self::Bytes => {
                let (least, least_exact) = least.map(|value| self.cut_least(value)).unzip();
                let (most, most_exact) = most.map(|value| self.cut_most(value)).unzip();
                let values = ValueStatistics::new(
                    least.map(ByteArray::from),
                    most.map(ByteArray::from),
                    None,
                    nulls,
                    false,
                );
                Statistics::ByteArray(
                    values
                        .with_min_is_exact(least_exact.unwrap_or(false))
                        .with_max_is_exact(most_exact.unwrap_or(false)),
                )
            }
        }
    }
}

fn int32(bytes: &[u8]) -> i32 {
    bytes.try_into().map_or(0, i32::from_le_bytes)
}

fn int64(bytes: &[u8]) -> i64 {
    bytes.try_into().map_or(0, i64::from_le_bytes)
}

fn double(bytes: &[u8]) -> f64 {
    bytes.try_into().map_or(0.0, f64::from_le_bytes)
}

impl PageBounds {
    pub(super) fn of<const N: usize>(values: impl Iterator<Item = [u8; N]>, order: Order) -> Self {
        let mut bounds = Self::default();
        values.for_each(|value| bounds.add(&value, order));
        bounds
    }

    /// The least and the most; `None` when there are no values.
    pub(super) fn range(&self) -> Option<(&[u8], &[u8])> {
        let (least, most) = self.range.as_ref()?;
        Some((least, most))
    }

    pub(super) fn add(&mut self, value: &[u8], order: Order) {
        match &mut self.range {
            None => self.range = Some((value.to_vec(), value.to_vec())),
            Some((least, most)) => {
                if order.less(value, least) {
                    value.clone_into(least);
                } else if order.less(most, value) {
                    value.clone_into(most);
                }
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self, order: Order) {
        if let Some((least, most)) = &other.range {
            self.add(least, order);
            self.add(most, order);
        }
    }
}
