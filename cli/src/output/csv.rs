//! Rows as comma- or tab-separated values (RFC 4180) with a header. NULL is an empty field.

use std::{borrow::Cow, io::Write};

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};
use memchr::{memchr, memchr3};

use super::{Output, Rows, View, cell};
use crate::text::sanitize;

pub(super) struct CsvOutput {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    pub(super) delimiter: u8,
}

impl Output for CsvOutput {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        view: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>> {
        let mut rows = CsvRows {
            out,
            delimiter: self.delimiter,
            is_shown: view.width.is_some(),
        };
        let names: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect();
        rows.record(names.len(), |index| {
            Ok((Cow::Borrowed(&names[index]), true))
        })?;
        Ok(Box::new(rows))
    }
}

struct CsvRows<'w> {
    out: &'w mut (dyn Write + Send),
    delimiter: u8,
    /// On a terminal, which would obey control characters; programs get them as they are.
    is_shown: bool,
}

impl Rows for CsvRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            self.record(batch.num_columns(), |index| {
                let array = batch.column(index);
                let text = cell::text(array, row)?.unwrap_or_default();
                Ok((Cow::Owned(text), cell::is_text(array.data_type())))
            })?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

impl CsvRows<'_> {
    /// Writes a record of so many fields, each with whether it is text.
    fn record<'f>(
        &mut self,
        fields: usize,
        field: impl Fn(usize) -> Result<(Cow<'f, str>, bool)>,
    ) -> Result<()> {
        for index in 0..fields {
            if index > 0 {
                self.out.write_all(&[self.delimiter])?;
            }
            let (text, is_text) = field(index)?;
            let shown = if self.is_shown {
                sanitize(&text, false)
            } else {
                Cow::Borrowed(text.as_ref())
            };
            let neutral = if is_text { neutral(&shown) } else { shown };
            // Alone on its line, an empty field would be a blank line, which readers skip.
            if fields == 1 && neutral.is_empty() {
                self.out.write_all(b"\"\"")?;
            }
            self.field(&neutral)?;
        }
        Ok(self.out.write_all(b"\n")?)
    }

    /// RFC 4180 §2; what other spreadsheets take for a delimiter is quoted as well.
    fn field(&mut self, text: &str) -> Result<()> {
        let is_special = |byte: u8| b"\"\r\n;\t".contains(&byte) || byte == self.delimiter;
        if !text.bytes().any(is_special) {
            return Ok(self.out.write_all(text.as_bytes())?);
        }
        self.out.write_all(b"\"")?;
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                self.out.write_all(b"\"\"")?;
            }
            self.out.write_all(part.as_bytes())?;
        }
        Ok(self.out.write_all(b"\"")?)
    }
}

/// A spreadsheet runs a field that begins like a formula (CWE-1236); an apostrophe in front makes
/// it text. One that splits at `;` or tabs, and does not see a quote in the middle of its fields,
/// also begins a field after these and after a line end.
fn neutral(text: &str) -> Cow<'_, str> {
    // Bodies are long, and nearly always one field whatever splits them.
    let bytes = text.as_bytes();
    let is_one_field =
        memchr3(b';', b'\t', b'\n', bytes).is_none() && memchr(b'\r', bytes).is_none();
    let mut safe = String::new();
    let mut written = 0;
    let mut begins = true;
    for (at, ch) in text.char_indices() {
        if is_one_field && !begins {
            break;
        }
        let is_formula = matches!(ch, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
        let is_odd_start = at == 0 && matches!(ch, '\t' | '\r' | '\n');
        if begins && is_formula || is_odd_start {
            safe.push_str(&text[written..at]);
            safe.push('\'');
            written = at;
        }
        begins = match ch {
            ';' | '\t' | '\r' | '\n' => true,
            ' ' | '"' => begins,
            _ => false,
        };
    }
    if safe.is_empty() {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[written..]);
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_text_wherever_a_field_may_begin() {
        for (text, expected) in [
            ("a-b=c; d", "a-b=c; d"),
            ("=1", "'=1"),
            ("\t=1", "'\t'=1"),
            ("x;=1;\"+2", "x;'=1;\"'+2"),
            ("x\n@y\t -z", "x\n'@y\t '-z"),
            ("[\"-n\",-1]", "[\"-n\",-1]"),
            ("＝1", "'＝1"),
        ] {
            assert_eq!(neutral(text), expected);
        }
    }
}
