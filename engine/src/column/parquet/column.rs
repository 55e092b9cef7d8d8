//! One column of a row group while it fills: rows in, its encoded column chunks out.
//!
//! Repetition and definition levels are those of the Parquet format (Dremel): `Nested Encoding` in
//! its README.

use std::sync::Arc;

use datafusion::parquet::{
    basic::{Encoding, Repetition},
    bloom_filter::Sbbf,
    errors::{ParquetError, Result},
    schema::types::{ColumnDescPtr, ColumnDescriptor},
};

use crate::column::parquet::chunk::{ChunkWriter, DataPage, Encoded, Order, PageBounds, Press};
use crate::column::parquet::dictionary::Dictionary;
use crate::column::parquet::{PARTS, bits};
use crate::column::{Fill, Row, Rule, map_entries};
use crate::json::{Text, Value, elements};

/// Which text of each part every row has.
pub(super) type Parts<'p> = [&'p [u32]; PARTS.len()];

/// Rows of a page: what one that is pruned by its bounds saves.
const PAGE_ROWS: usize = 8192;
/// Values of a page of lists, which may hold many in a row.
const PAGE_VALUES: usize = 8 * PAGE_ROWS;
/// Bytes of a page of bodies, before compression.
const PAGE_BYTES: usize = 256 << 10;
/// Of values that must be found: one page in twenty is read in vain.
const FALSE_POSITIVES: f64 = 0.05;

/// Texts that hardly repeat, and whose order nobody asks for.
const BODIES: [&str; 4] = [
    "request_object",
    "response_object",
    "response_details",
    "unknown_fields",
];

/// One column of `events`.
pub(super) struct ColumnEncoder {
    fill: Fill,
    /// Index of the part that the column is a function of.
    part: Option<usize>,
    store: ColumnStore,
}

enum ColumnStore {
    /// Numbers of distinct values.
    Distinct {
        leaf: Leaf,
        keys: Vec<u32>,
        last: u32,
        bloom: bool,
    },
    /// The leaves of a list or map.
    Nested {
        first: NestedLeaf,
        second: Option<NestedLeaf>,
    },
    /// Bodies, a page at a time.
    Body {
        column: ColumnDescPtr,
        writer: Box<ChunkWriter>,
        page: Vec<u8>,
        definition: Vec<u32>,
    },
    Int64 {
        column: ColumnDescPtr,
        values: Vec<i64>,
        definition: Vec<u32>,
    },
    Double {
        column: ColumnDescPtr,
        values: Vec<f64>,
        definition: Vec<u32>,
    },
    Boolean {
        column: ColumnDescPtr,
        values: Vec<bool>,
        definition: Vec<u32>,
    },
}

/// The distinct values of a leaf of the schema.
struct Leaf {
    column: ColumnDescPtr,
    dictionary: Dictionary,
    order: Order,
}

impl ColumnEncoder {
    /// Takes the column's leaves from the schema's.
    pub(super) fn new(
        rule: &Rule,
        leaves: &mut impl Iterator<Item = ColumnDescPtr>,
    ) -> Result<Self> {
        let mut leaf = || {
            leaves
                .next()
                .ok_or_else(|| ParquetError::General("the schema has too few columns".to_owned()))
        };
        let nested = |column: ColumnDescPtr| NestedLeaf::new(column);
        let store = match rule.fill {
            Fill::Json(_) => ColumnStore::body(leaf()?),
            Fill::Made(_) if BODIES.contains(&rule.name) => ColumnStore::body(leaf()?),
            Fill::Text(_) | Fill::Made(_) | Fill::Int32(_) | Fill::Date(_) => {
                ColumnStore::Distinct {
                    leaf: Leaf::new(leaf()?),
                    keys: Vec::new(),
                    last: 0,
                    bloom: rule.name == "audit_id",
                }
            }
            Fill::List(_) => ColumnStore::Nested {
                first: nested(leaf()?),
                second: None,
            },
            Fill::Map(_) | Fill::MapOfLists(_) => ColumnStore::Nested {
                first: nested(leaf()?),
                second: Some(nested(leaf()?)),
            },
            Fill::Int64(_) | Fill::Timestamp(_) => ColumnStore::Int64 {
                column: leaf()?,
                values: Vec::new(),
                definition: Vec::new(),
            },
            Fill::Float64(_) => ColumnStore::Double {
                column: leaf()?,
                values: Vec::new(),
                definition: Vec::new(),
            },
            Fill::Boolean(_) => ColumnStore::Boolean {
                column: leaf()?,
                values: Vec::new(),
                definition: Vec::new(),
            },
        };
        let part = PARTS.iter().position(|part| *part == rule.part);
        Ok(Self {
            fill: rule.fill,
            part,
            store,
        })
    }

    pub(super) const fn part(&self) -> Option<usize> {
        self.part
    }

    /// Adds a row, or, for a column that is a function of a part, a new text of that part.
    #[inline]
    pub(super) fn push(&mut self, row: &Row<'_, '_>, press: &mut Press) -> Result<()> {
        match (&mut self.store, self.fill) {
            (
                ColumnStore::Distinct {
                    leaf, keys, last, ..
                },
                fill,
            ) => {
                let key = match fill {
                    Fill::Text(of) => of(row).map(|text| leaf.text(text, *last)),
                    Fill::Made(of) => of(row).map(|text| leaf.value(text.as_bytes(), *last)),
                    Fill::Int32(of) | Fill::Date(of) => {
                        of(row).map(|number| leaf.value(&number.to_le_bytes(), *last))
                    }
                    _ => None,
                };
                if let Some(key) = key {
                    *last = key;
                }
                keys.push(key.unwrap_or(0));
            }
            (
                ColumnStore::Body {
                    column,
                    writer,
                    page,
                    definition,
                },
                fill,
            ) => {
                let text = match fill {
                    Fill::Json(of) => of(row).map(|value| append_plain(page, value.raw)),
                    Fill::Made(of) => of(row).map(|text| append_plain(page, &text)),
                    _ => None,
                };
                definition.push(u32::from(text.is_some()));
                debug_assert_eq!(column.max_def_level(), 1);
                if page.len() >= PAGE_BYTES || definition.len() >= PAGE_ROWS {
                    write_body(writer, page, definition, press)?;
                }
            }
            (
                ColumnStore::Int64 {
                    values, definition, ..
                },
                Fill::Int64(of) | Fill::Timestamp(of),
            ) => note(of(row), values, definition),
            (
                ColumnStore::Double {
                    values, definition, ..
                },
                Fill::Float64(of),
            ) => note(of(row), values, definition),
            (
                ColumnStore::Boolean {
                    values, definition, ..
                },
                Fill::Boolean(of),
            ) => note(of(row), values, definition),
            (ColumnStore::Nested { first, .. }, Fill::List(of)) => first.list(of(row)),
            (
                ColumnStore::Nested {
                    first,
                    second: Some(second),
                },
                Fill::Map(of),
            ) => nested_map(first, second, of(row)),
            (
                ColumnStore::Nested {
                    first,
                    second: Some(second),
                },
                Fill::MapOfLists(of),
            ) => nested_map_of_lists(first, second, of(row)),
            _ => {
                return Err(ParquetError::General(
                    "a column's rule and its kind of store differ".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// The encoded chunks of the column, one a leaf; the column is empty afterwards.
    pub(super) fn finish(
        &mut self,
        parts: &Parts<'_>,
        rows: usize,
        press: &mut Press,
        out: &mut Vec<Encoded>,
    ) -> Result<()> {
        let part = self.part.map(|part| parts[part]);
        match &mut self.store {
            ColumnStore::Distinct {
                leaf,
                keys,
                last,
                bloom,
            } => {
                let of_rows: Vec<u32> = match part {
                    Some(part) => part.iter().map(|text| keys[*text as usize]).collect(),
                    None => std::mem::take(keys),
                };
                let definition: Vec<u32> = of_rows.iter().map(|key| u32::from(*key > 0)).collect();
                let present: Vec<u32> = of_rows
                    .iter()
                    .filter(|key| **key > 0)
                    .map(|key| key - 1)
                    .collect();
                let filter = bloom.then(|| leaf.bloom()).transpose()?;
                out.push(leaf.write(
                    &NestingLevels {
                        rows,
                        row_ends: None,
                        repetition: &[],
                        definition: &definition,
                    },
                    &present,
                    filter,
                    press,
                )?);
                leaf.dictionary.clear();
                // The memory goes on to the next group.
                *keys = if part.is_some() {
                    std::mem::take(keys)
                } else {
                    of_rows
                };
                keys.clear();
                *last = 0;
            }
            ColumnStore::Nested { first, second } => {
                for leaf in std::iter::once(first).chain(second) {
                    out.push(leaf.finish(part, rows, press)?);
                }
            }
            ColumnStore::Body {
                column,
                writer,
                page,
                definition,
            } => {
                if !definition.is_empty() {
                    write_body(writer, page, definition, press)?;
                }
                out.push(
                    std::mem::replace(&mut **writer, ChunkWriter::new(Arc::clone(column)))
                        .finish(None)?,
                );
            }
            ColumnStore::Int64 {
                column,
                values,
                definition,
            } => {
                out.push(write_numbers(
                    column,
                    values,
                    definition,
                    Encoding::DELTA_BINARY_PACKED,
                    press,
                    |values, page| {
                        bits::delta(values, page);
                        i64_bounds(values)
                    },
                )?);
            }
            ColumnStore::Double {
                column,
                values,
                definition,
            } => {
                out.push(write_numbers(
                    column,
                    values,
                    definition,
                    Encoding::PLAIN,
                    press,
                    |values, page| {
                        values
                            .iter()
                            .for_each(|value| page.extend_from_slice(&value.to_le_bytes()));
                        bounds(
                            values.iter().map(|value| value.to_le_bytes()),
                            Order::Double,
                        )
                    },
                )?);
            }
            ColumnStore::Boolean {
                column,
                values,
                definition,
            } => {
                out.push(write_numbers(
                    column,
                    values,
                    definition,
                    Encoding::PLAIN,
                    press,
                    |values, page| {
                        bits::booleans(values.iter().copied(), page);
                        bounds(
                            values.iter().map(|value| [u8::from(*value)]),
                            Order::Boolean,
                        )
                    },
                )?);
            }
        }
        Ok(())
    }
}

impl ColumnStore {
    fn body(column: ColumnDescPtr) -> Self {
        Self::Body {
            writer: Box::new(ChunkWriter::new(Arc::clone(&column))),
            column,
            page: Vec::new(),
            definition: Vec::new(),
        }
    }
}

fn append_plain(page: &mut Vec<u8>, text: &str) {
    page.extend_from_slice(&(text.len() as u32).to_le_bytes());
    page.extend_from_slice(text.as_bytes());
}

fn note<T>(value: Option<T>, values: &mut Vec<T>, definition: &mut Vec<u32>) {
    definition.push(u32::from(value.is_some()));
    values.extend(value);
}

fn i64_bounds(values: &[i64]) -> PageBounds {
    let ends = values.iter().min().into_iter().chain(values.iter().max());
    bounds(ends.map(|value| value.to_le_bytes()), Order::Int64)
}

fn bounds<const N: usize>(values: impl Iterator<Item = [u8; N]>, order: Order) -> PageBounds {
    let mut bounds = PageBounds::default();
    values.for_each(|value| bounds.add(&value, order));
    bounds
}

fn write_body(
    writer: &mut ChunkWriter,
    page: &mut Vec<u8>,
    definition: &mut Vec<u32>,
    press: &mut Press,
) -> Result<()> {
    let data = DataPage {
        rows: definition.len(),
        repetition: &[],
        definition,
        values: page,
        encoding: Encoding::PLAIN,
        bounds: None,
    };
    writer.data(press, &data)?;
    page.clear();
    definition.clear();
    Ok(())
}

/// The pages of a flat column of numbers; `encode` appends values to a page and says their bounds.
fn write_numbers<T>(
    column: &ColumnDescPtr,
    values: &mut Vec<T>,
    definition: &mut Vec<u32>,
    encoding: Encoding,
    press: &mut Press,
    encode: impl Fn(&[T], &mut Vec<u8>) -> PageBounds,
) -> Result<Encoded> {
    let mut writer = ChunkWriter::new(Arc::clone(column));
    let (mut page, mut rest) = (Vec::new(), values.as_slice());
    for definition in definition.chunks(PAGE_ROWS) {
        let present = definition.iter().sum::<u32>() as usize;
        let (now, later) = rest.split_at(present);
        rest = later;
        page.clear();
        let bounds = encode(now, &mut page);
        let data = DataPage {
            rows: definition.len(),
            repetition: &[],
            definition,
            values: &page,
            encoding,
            bounds: Some(&bounds),
        };
        writer.data(press, &data)?;
    }
    values.clear();
    definition.clear();
    writer.finish(None)
}

/// The levels of a whole column chunk.
struct NestingLevels<'l> {
    rows: usize,
    /// After which value each row ends; `None` for one a row.
    row_ends: Option<&'l [usize]>,
    repetition: &'l [u32],
    definition: &'l [u32],
}

impl Leaf {
    fn new(column: ColumnDescPtr) -> Self {
        let order = Order::of(column.physical_type());
        Self {
            dictionary: Dictionary::new(order != Order::Bytes),
            order,
            column,
        }
    }

    /// 1 + the number of a value; `last` is that of the row before.
    #[inline]
    fn value(&mut self, value: &[u8], last: u32) -> u32 {
        if last > 0 && self.dictionary.value(last - 1) == value {
            return last;
        }
        self.dictionary.intern(value) + 1
    }

    #[inline]
    fn text(&mut self, text: Text<'_>, last: u32) -> u32 {
        match text.plain() {
            Some(plain) => self.value(plain.as_bytes(), last),
            None => self.value(text.decode().as_bytes(), last),
        }
    }

    /// A bloom filter of the distinct values.
    fn bloom(&self) -> Result<Sbbf> {
        let mut filter =
            Sbbf::new_with_ndv_fpp(self.dictionary.len().max(1) as u64, FALSE_POSITIVES)?;
        (0..self.dictionary.len() as u32)
            .for_each(|index| filter.insert(self.dictionary.value(index)));
        Ok(filter)
    }

    /// The column chunk of these values, which are numbers of the dictionary.
    fn write(
        &self,
        levels: &NestingLevels<'_>,
        values: &[u32],
        bloom: Option<Sbbf>,
        press: &mut Press,
    ) -> Result<Encoded> {
        let mut writer = ChunkWriter::new(Arc::clone(&self.column));
        let distinct = self.dictionary.len();
        // A dictionary of values that hardly repeat is a second copy of them.
        let by_number = distinct > 0 && distinct * 2 <= values.len();
        if by_number {
            writer.dictionary(press, self.dictionary.plain(), distinct)?;
        }
        let most = self.column.max_def_level() as u32;
        let (mut row, mut slot, mut value) = (0, 0, 0);
        let mut page = Vec::new();
        let mut seen = vec![0_u32; distinct];
        let mut number = 0;
        while row < levels.rows {
            let mut end_row = levels.rows.min(row + PAGE_ROWS);
            if let Some(ends) = levels.row_ends {
                end_row = row
                    + ends[row..end_row]
                        .partition_point(|end| *end <= slot + PAGE_VALUES)
                        .max(1);
            }
            let end_slot = levels.row_ends.map_or(end_row, |ends| ends[end_row - 1]);
            let definition = &levels.definition[slot..end_slot];
            let end_value = value + definition.iter().filter(|level| **level == most).count();
            let values = &values[value..end_value];
            page.clear();
            if by_number {
                let width = bits::width(distinct as u32 - 1);
                page.push(width);
                bits::hybrid(values, width, &mut page);
            } else {
                values
                    .iter()
                    .for_each(|value| page.extend_from_slice(self.dictionary.plain_value(*value)));
            }
            number += 1;
            let data = DataPage {
                rows: end_row - row,
                repetition: if levels.repetition.is_empty() {
                    &[]
                } else {
                    &levels.repetition[slot..end_slot]
                },
                definition,
                values: &page,
                encoding: if by_number {
                    Encoding::RLE_DICTIONARY
                } else {
                    Encoding::PLAIN
                },
                bounds: Some(&self.bounds(values, number, &mut seen)),
            };
            writer.data(press, &data)?;
            (row, slot, value) = (end_row, end_slot, end_value);
        }
        writer.finish(bloom)
    }

    /// Each distinct value of a page is looked at once: `seen` notes the page that had it last.
    fn bounds(&self, values: &[u32], page: u32, seen: &mut [u32]) -> PageBounds {
        let mut bounds = PageBounds::default();
        for &value in values {
            let seen = &mut seen[value as usize];
            if *seen != page {
                *seen = page;
                bounds.add(self.dictionary.value(value), self.order);
            }
        }
        bounds
    }
}

/// A leaf inside a list or map. It is always a function of a part: kept is what each text of the
/// part gives.
struct NestedLeaf {
    leaf: Leaf,
    /// Repetition level, definition level and, for a present value, 1 + its number.
    slots: Vec<(u8, u8, u32)>,
    /// After which slot each text's end.
    ends: Vec<usize>,
    /// Definition level of an inner list that is there and empty.
    empty_inner: u8,
    present: u8,
}

/// Definition levels of a column that is NULL, and of one that is there and empty.
const NULL: u8 = 0;
const EMPTY: u8 = 1;

impl NestedLeaf {
    fn new(column: ColumnDescPtr) -> Self {
        let present = column.max_def_level() as u8;
        let optional = u8::from(is_optional(&column));
        Self {
            leaf: Leaf::new(column),
            slots: Vec::new(),
            ends: Vec::new(),
            empty_inner: present.saturating_sub(1 + optional),
            present,
        }
    }

    fn add(&mut self, repetition: u8, text: Text<'_>) {
        let key = self.leaf.text(text, 0);
        self.slots.push((repetition, self.present, key));
    }

    fn end(&mut self) {
        self.ends.push(self.slots.len());
    }

    fn list(&mut self, value: Option<Value<'_>>) {
        match value {
            None => self.slots.push((0, NULL, 0)),
            Some(value) => {
                let mut repetition = 0;
                for text in elements(value).filter_map(Value::text) {
                    self.add(repetition, text);
                    repetition = 1;
                }
                if repetition == 0 {
                    self.slots.push((0, EMPTY, 0));
                }
            }
        }
        self.end();
    }

    fn finish(&mut self, part: Option<&[u32]>, rows: usize, press: &mut Press) -> Result<Encoded> {
        let part = part.ok_or_else(|| {
            ParquetError::General("a list that is no function of a part".to_owned())
        })?;
        let (mut repetition, mut definition, mut values, mut row_ends) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::with_capacity(rows));
        for &text in part {
            let text = text as usize;
            let from = if text == 0 { 0 } else { self.ends[text - 1] };
            for &(repeated, defined, key) in &self.slots[from..self.ends[text]] {
                repetition.push(u32::from(repeated));
                definition.push(u32::from(defined));
                if defined == self.present {
                    values.push(key - 1);
                }
            }
            row_ends.push(definition.len());
        }
        let levels = NestingLevels {
            rows,
            row_ends: Some(&row_ends),
            repetition: &repetition,
            definition: &definition,
        };
        let encoded = self.leaf.write(&levels, &values, None, press)?;
        self.leaf.dictionary.clear();
        self.slots.clear();
        self.ends.clear();
        Ok(encoded)
    }
}

fn is_optional(column: &ColumnDescriptor) -> bool {
    let info = column.self_type().get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::OPTIONAL
}

fn nested_map(keys: &mut NestedLeaf, values: &mut NestedLeaf, map: Option<Value<'_>>) {
    match map {
        None => [&mut *keys, &mut *values]
            .into_iter()
            .for_each(|leaf| leaf.slots.push((0, NULL, 0))),
        Some(map) => {
            let mut repetition = 0;
            for (key, value) in map_entries(map.raw, |value| value.text()) {
                keys.add(repetition, key);
                values.add(repetition, value);
                repetition = 1;
            }
            if repetition == 0 {
                [&mut *keys, &mut *values]
                    .into_iter()
                    .for_each(|leaf| leaf.slots.push((0, EMPTY, 0)));
            }
        }
    }
    keys.end();
    values.end();
}

fn nested_map_of_lists(keys: &mut NestedLeaf, values: &mut NestedLeaf, map: Option<Value<'_>>) {
    let is_list = |value: Value<'_>| elements(value).all(|element| element.text().is_some());
    match map {
        None => [&mut *keys, &mut *values]
            .into_iter()
            .for_each(|leaf| leaf.slots.push((0, NULL, 0))),
        Some(map) => {
            let mut repetition = 0;
            for (key, list) in map_entries(map.raw, |value| {
                (value.raw.starts_with('[') && is_list(value)).then_some(value)
            }) {
                keys.add(repetition, key);
                let mut inner = repetition;
                for text in elements(list).filter_map(Value::text) {
                    values.add(inner, text);
                    inner = 2;
                }
                if inner != 2 {
                    values.slots.push((repetition, values.empty_inner, 0));
                }
                repetition = 1;
            }
            if repetition == 0 {
                [&mut *keys, &mut *values]
                    .into_iter()
                    .for_each(|leaf| leaf.slots.push((0, EMPTY, 0)));
            }
        }
    }
    keys.end();
    values.end();
}
