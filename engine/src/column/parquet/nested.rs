//! The leaves of a list or map column: JSON values in, levels and numbers of distinct values out.
//!
//! Repetition and definition levels are those of the Parquet format (Dremel): `Nested Encoding` in
//! its README. Not responsible for: pages ([`leaf`](super::leaf)).

use datafusion::parquet::basic::Repetition;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use crate::column::map_entries;
use crate::column::parquet::chunk::{Encoded, Press};
use crate::column::parquet::leaf::{Leaf, NestingLevels};
use crate::json::{Text, Value, elements};

/// A leaf inside a list or map. It is always a function of a part: kept is what each text of the
/// part gives.
pub(super) struct NestedLeaf {
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
    pub(super) fn new(column: ColumnDescPtr) -> Self {
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

    pub(super) fn list(&mut self, value: Option<Value<'_>>) {
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

    pub(super) fn finish(
        &mut self,
        part: Option<&[u32]>,
        rows: usize,
        press: &mut Press,
    ) -> Result<Encoded> {
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

pub(super) fn nested_map(keys: &mut NestedLeaf, values: &mut NestedLeaf, map: Option<Value<'_>>) {
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

pub(super) fn nested_map_of_lists(
    keys: &mut NestedLeaf,
    values: &mut NestedLeaf,
    map: Option<Value<'_>>,
) {
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
