//! The kinds of fields: the value at the cursor in, what a column holds of it out. What the column
//! cannot hold is left over.

use crate::event::{Event, ParentObject};
use crate::json::{Cursor, Fault, Text, Value, ValueKind};
use crate::time::{CANONICAL_LENGTH, parse_micros};

impl<'a> Event<'a> {
    #[inline(always)]
    pub(super) fn text(
        &mut self,
        parent: ParentObject,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Text<'a>>, Fault> {
        let value = cursor.value()?;
        let text = value.text();
        match text {
            Some(text) if text.plain().is_some() => {}
            Some(text) if text.is_exact() => {}
            _ => self.leftovers.member(parent, name, value),
        }
        Ok(text)
    }

    /// An array of strings.
    #[inline(always)]
    pub(super) fn texts(
        &mut self,
        parent: ParentObject,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        let (value, texts) = texts(cursor)?;
        match texts {
            Texts::Exact => {}
            Texts::Lossy => self.leftovers.member(parent, name, value),
            Texts::No => self.leftovers.odd_member(parent, name, value),
        }
        Ok(Some(value).filter(|_| texts != Texts::No))
    }

    pub(super) fn time(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<i64>, Fault> {
        let value = cursor.value()?;
        let text = value.text();
        let micros = text.and_then(|text| parse_micros(&text.decode()));
        // The apiserver writes microseconds and a Z. Any other spelling must come back as it was.
        let canonical = text.is_some_and(|text| {
            let raw = text.plain().unwrap_or_default().as_bytes();
            raw.len() == CANONICAL_LENGTH && raw[10] == b'T' && raw[CANONICAL_LENGTH - 1] == b'Z'
        });
        if micros.is_none() {
            self.leftovers.odd_member(ParentObject::Event, name, value);
        } else if !canonical {
            self.leftovers.member(ParentObject::Event, name, value);
        }
        Ok(micros)
    }

    #[inline(always)]
    pub(super) fn body(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        let value = cursor.carry()?;
        if value.kind == ValueKind::Null {
            self.leftovers.member(ParentObject::Event, name, value);
            return Ok(None);
        }
        if value.kind == ValueKind::String {
            self.leftovers.odd();
        }
        Ok(Some(value))
    }

    pub(super) fn annotations(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<Option<Value<'a>>, Fault> {
        if !self.is_object(name, cursor)? {
            return Ok(None);
        }
        let read = |cursor: &mut Cursor<'a>| {
            let value = cursor.value()?;
            Ok((
                value,
                value
                    .text()
                    .is_some_and(|text| text.plain().is_some() || text.is_exact()),
            ))
        };
        self.entries(ParentObject::Annotations, cursor, read)
            .map(Some)
    }

    /// An object whose values should all be of one kind; the others are left over.
    #[inline(always)]
    pub(super) fn entries(
        &mut self,
        parent: ParentObject,
        cursor: &mut Cursor<'a>,
        read: impl Fn(&mut Cursor<'a>) -> Result<(Value<'a>, bool), Fault>,
    ) -> Result<Value<'a>, Fault> {
        let start = cursor.at();
        cursor.open_object()?;
        let mut first = true;
        while let Some(key) = cursor.name(std::mem::take(&mut first))? {
            let (value, fits) = read(cursor)?;
            if !fits {
                self.leftovers.odd_member(parent, key, value);
            } else if key.plain().is_none() && !key.is_exact() {
                self.leftovers.member(parent, key, value);
            }
        }
        Ok(cursor.object_since(start))
    }

    /// Is the value an object, by its next byte? Steps over any other value, which is left over.
    #[inline(always)]
    pub(super) fn is_object(
        &mut self,
        name: Text<'a>,
        cursor: &mut Cursor<'a>,
    ) -> Result<bool, Fault> {
        if cursor.peek()? == b'{' {
            return Ok(true);
        }
        let value = cursor.value()?;
        self.leftovers.odd_member(ParentObject::Event, name, value);
        Ok(false)
    }
}

/// Is a value an array of strings?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    No,
    /// Yes, but decoding loses something.
    Lossy,
    Exact,
}

/// The next value, and whether it is an array of strings, in one walk.
#[inline(always)]
pub(super) fn texts<'a>(cursor: &mut Cursor<'a>) -> Result<(Value<'a>, Texts), Fault> {
    if cursor.peek()? != b'[' {
        return Ok((cursor.value()?, Texts::No));
    }
    let start = cursor.at();
    cursor.take(b'[')?;
    let mut texts = Texts::Exact;
    let mut first = true;
    while cursor.element(std::mem::take(&mut first))? {
        match cursor.value()?.text() {
            None => texts = Texts::No,
            Some(text) if text.plain().is_none() && !text.is_exact() && texts == Texts::Exact => {
                texts = Texts::Lossy
            }
            Some(_) => {}
        }
    }
    Ok((cursor.array_since(start), texts))
}

/// An integer that is written back with the same digits.
pub(super) fn canonical_i32(value: Value<'_>) -> Option<i32> {
    if value.kind != ValueKind::Number || value.raw == "-0" {
        return None;
    }
    value.raw.parse().ok()
}
