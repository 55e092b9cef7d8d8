//! What OCSF has no attribute for: the object `unmapped` in, its members by their paths in the event
//! out.
//!
//! It is an object like the event's, or a map of texts (Security Lake's column): then paths are
//! joined by dots, and objects are JSON in a text.

use std::borrow::Cow;

use crate::format::{Record, writer};
use crate::json::{Value, ValueKind};

/// Members that the event takes whole.
const TAKEN: [&str; 6] = [
    ANNOTATIONS,
    "requestObject",
    "responseObject",
    "impersonatedUser",
    "authenticationMetadata",
    "authorizationDecision",
];

const ANNOTATIONS: &str = "annotations";

/// The members of `unmapped`.
pub(super) struct Unmapped<'a> {
    value: Option<Value<'a>>,
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Unmapped<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        let value = record.member("unmapped");
        let members = value.and_then(Record::of).map_or_else(Vec::new, |record| {
            let members = record.members().iter();
            members
                .map(|(name, value)| (name.decode(), *value))
                .collect()
        });
        Self { value, members }
    }

    /// The JSON of the member at this path.
    pub(super) fn json(&self, path: &str) -> Option<Cow<'a, str>> {
        self.value_at(path).map(json_of)
    }

    /// The JSON of the map at this path, whose entries may stand apart.
    pub(super) fn map(&self, path: &str) -> Option<Cow<'a, str>> {
        if let Some(json) = self.json(path) {
            return Some(json);
        }
        let prefix = format!("{path}.");
        let mut out = b"{".to_vec();
        for (name, value) in &self.members {
            if let Some(inside) = name.strip_prefix(&prefix) {
                writer::raw(&mut out, inside, value.raw);
            }
        }
        out.push(b'}');
        let text = writer::text(out)?;
        (text.len() > 2).then_some(Cow::Owned(text))
    }

    /// The text of the member at this path.
    pub(super) fn text(&self, path: &str) -> Option<Cow<'a, str>> {
        let text = self.value_at(path)?.text()?.decode();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn value_at(&self, path: &str) -> Option<Value<'a>> {
        let known = |name: &str| {
            let found = self.members.iter().rev().find(|(key, _)| key == name)?;
            (found.1.kind != ValueKind::Null).then_some(found.1)
        };
        known(path).or_else(|| {
            let (object, member) = path.split_once('.')?;
            Record::of(known(object)?)?.member(member)
        })
    }

    /// Appends `unmapped` without what the event takes whole.
    pub(super) fn write_rest(&self, out: &mut Vec<u8>) {
        let Some(value) = self.value else { return };
        if value.kind != ValueKind::Object {
            return writer::raw(out, "unmapped", value.raw);
        }
        let rest: Vec<_> = self
            .members
            .iter()
            .filter(|(name, _)| {
                let is_annotation = name
                    .strip_prefix(ANNOTATIONS)
                    .is_some_and(|rest| rest.starts_with('.'));
                !is_annotation && !TAKEN.contains(&&**name)
            })
            .collect();
        if !rest.is_empty() {
            writer::object(out, "unmapped", |out| {
                for (name, value) in rest {
                    writer::raw(out, name, value.raw);
                }
            });
        }
    }
}

/// A value, or the object or list that is written in a text.
fn json_of(value: Value<'_>) -> Cow<'_, str> {
    if let Some(text) = value.text() {
        let text = text.decode();
        let trimmed = text.trim();
        let wrapped = Record::new(trimmed).is_ok_and(|inside| inside.text == trimmed);
        if wrapped {
            return Cow::Owned(trimmed.to_owned());
        }
    }
    Cow::Borrowed(value.raw)
}
