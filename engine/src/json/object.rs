//! Iteration over a value that was read before: an object or array in, its members or elements out.
//!
//! Bodies were only carried, so their insides may be malformed. Iteration then ends, and
//! [`Members::fault`] says why.

use crate::json::{Cursor, Fault, Text, Value, ValueKind};

/// The members of an object in order, values carried.
pub(crate) struct Members<'a> {
    cursor: Cursor<'a>,
    first: bool,
    /// Why iteration ended early, if it did.
    pub(crate) fault: Option<Fault>,
    done: bool,
    /// The name read last, and the position after its colon.
    name: Option<(Text<'a>, usize)>,
}

/// The members of `raw` if it is an object; none otherwise.
pub(crate) fn members(raw: &str) -> Members<'_> {
    let mut cursor = Cursor::new(raw);
    let fault = cursor.open_object().err();
    Members {
        cursor,
        first: true,
        done: fault.is_some(),
        fault,
        name: None,
    }
}

impl<'a> Members<'a> {
    fn step(&mut self) -> Result<Option<(Text<'a>, Value<'a>)>, Fault> {
        match self.cursor.name(std::mem::take(&mut self.first))? {
            Some(name) => {
                self.name = Some((name, self.cursor.at()));
                let value = self.cursor.carry()?;
                self.name = None;
                Ok(Some((name, value)))
            }
            None => Ok(None),
        }
    }

    /// The member whose value iteration could not read: its name, and the position after its colon.
    pub(crate) const fn unfinished(&self) -> Option<(Text<'a>, usize)> {
        self.name
    }

    /// The position after what was read so far; after the whole object when iteration ended well.
    pub(crate) const fn at(&self) -> usize {
        self.cursor.at()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (Text<'a>, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        match self.step() {
            Ok(Some(member)) => Some(member),
            Ok(None) => {
                self.done = true;
                None
            }
            Err(fault) => {
                (self.done, self.fault) = (true, Some(fault));
                None
            }
        }
    }
}

/// The value of the last member called `name`: of duplicate keys the last counts, as in the
/// apiserver.
pub(crate) fn last_member<'a>(raw: &'a str, name: &str) -> Option<Value<'a>> {
    members(raw)
        .filter(|(key, _)| key.eq_str(name))
        .last()
        .map(|(_, value)| value)
}

/// The elements of an array in order, values carried; none if the value is not an array.
pub(crate) struct Elements<'a> {
    cursor: Cursor<'a>,
    first: bool,
    done: bool,
    /// Why iteration ended early, if it did, and where in the array's text.
    pub(crate) fault: Option<(Fault, usize)>,
}

/// The elements of `value`.
pub(crate) fn elements(value: Value<'_>) -> Elements<'_> {
    let mut cursor = Cursor::new(value.raw);
    let open = value.kind == ValueKind::Array && cursor.take(b'[') == Ok(true);
    Elements {
        cursor,
        first: true,
        done: !open,
        fault: None,
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.done {
            return None;
        }
        let at = self.cursor.at();
        let step = match self.cursor.element(std::mem::take(&mut self.first)) {
            Ok(true) => self.cursor.carry().map(Some),
            Ok(false) => Ok(None),
            Err(fault) => Err(fault),
        };
        match step {
            Ok(Some(element)) => Some(element),
            Ok(None) => {
                self.done = true;
                None
            }
            Err(fault) => {
                (self.done, self.fault) = (true, Some((fault, at)));
                None
            }
        }
    }
}
