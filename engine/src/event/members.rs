//! An object of an event, member by member: the JSON in, each member to its reader.
//!
//! The common case is one pass. An object with a duplicate among the members we know is read again
//! by the slow path: all members first, then the last of each name.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::{Cursor, Fault, Text, Value};

/// What happened to one member.
pub(super) enum Taken {
    Yes,
    /// The object already had a member of this name: read it again, slowly.
    Again,
}

/// An object of the event that is read member by member.
pub(super) trait ObjectMembers<'a> {
    /// Are `requestObject` and `responseObject` bodies here?
    const HAS_BODIES: bool = false;

    /// Reads the value of the member `name`; the cursor stands before it.
    fn member(&mut self, name: Text<'a>, cursor: &mut Cursor<'a>) -> Result<Taken, Fault>;
    /// Forgets everything, before the slow path.
    fn reset(&mut self);
    /// The earlier of two members called `name`.
    fn duplicate(&mut self, name: Text<'a>, value: Value<'a>);

    /// Reads a whole object from its opening brace on.
    #[inline(always)]
    fn read(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        let start = cursor.clone();
        cursor.open_object()?;
        let mut first = true;
        while let Some(name) = cursor.name(std::mem::take(&mut first))? {
            if let Taken::Again = self.member(name, cursor)? {
                *cursor = start;
                return self.read_duplicates(cursor);
            }
        }
        Ok(())
    }

    /// The slow path: of each name only the last member counts.
    #[cold]
    #[inline(never)]
    fn read_duplicates(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
        self.reset();
        cursor.open_object()?;
        let mut all = Vec::new();
        let mut first = true;
        while let Some(name) = cursor.name(std::mem::take(&mut first))? {
            let value = if Self::HAS_BODIES && is_body(&name.decode()) {
                cursor.carry()?
            } else {
                cursor.value()?
            };
            all.push((name, value));
        }
        let last: HashMap<Cow<'a, str>, usize> = all
            .iter()
            .enumerate()
            .map(|(index, (name, _))| (name.identity(), index))
            .collect();
        for (index, &(name, value)) in all.iter().enumerate() {
            if last.get(&name.identity()) == Some(&index) {
                self.member(name, &mut Cursor::new(value.raw))?;
            } else {
                self.duplicate(name, value);
            }
        }
        Ok(())
    }
}

fn is_body(name: &str) -> bool {
    matches!(name, "requestObject" | "responseObject")
}
