//! Two versions of a body in, the fields that differ out: path, value before, value after.
//!
//! Objects are compared by member, lists of named objects by name, other lists of objects by what is
//! left when equal elements are taken away, and lists of anything else as a whole. Only as many
//! differences are told as [`CHANGES`] and [`PATH_BYTES`] allow: bodies come from attackers.
//!
//! Not responsible for: which versions are compared (the view `object_versions`).

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, StringBuilder, StringViewArray},
        datatypes::DataType,
    },
    error::Result,
};

use super::{
    shown,
    structs::{StructLists, list_of, text_fields},
};
use crate::{
    function::pairs,
    json::{Cursor, Value, ValueKind, elements, members, write_string},
};

const FIELDS: [&str; 3] = ["path", "before", "after"];

/// How many differences of two bodies are told.
const CHANGES: usize = 1000;
/// How long all their paths may be together: a long key may have many members.
const PATH_BYTES: usize = 1 << 20;
/// How deep it is looked into bodies; values further down are compared as text.
const DEPTH: usize = 64;
/// The members by which Kubernetes tells the elements of a list apart, the usual one first: the
/// merge keys of `staging/src/k8s.io/api`, and those of lists that have several.
const NAMES: [&str; 9] = [
    "name",
    "mountPath",
    "containerPort",
    "port",
    "type",
    "key",
    "ip",
    "uid",
    "topologyKey",
];

/// A field that differs. `None` is absent.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

pub(in crate::function) fn json_diff_type() -> DataType {
    list_of(text_fields(&FIELDS))
}

pub(in crate::function) fn json_diff(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = StructLists::new();
    let mut builders: [StringBuilder; 3] = Default::default();
    for pair in pairs(args) {
        let changes = pair.and_then(|(before, after)| changes(before, after));
        lists.row(changes.as_ref().map(Vec::len));
        for change in changes.into_iter().flatten() {
            let texts = [Some(change.path), change.before, change.after];
            for (builder, text) in builders.iter_mut().zip(texts) {
                builder.append_option(text);
            }
        }
    }
    let columns = builders
        .iter_mut()
        .map(|builder| Arc::new(builder.finish()) as ArrayRef)
        .collect();
    lists.finish(text_fields(&FIELDS), columns)
}

/// What differs; `None` if either text is not JSON.
fn changes(before: &str, after: &str) -> Option<Vec<Change>> {
    let mut differences = Differences::default();
    differences.values(Some(whole(before)?), Some(whole(after)?), 0);
    if differences.is_cut {
        differences.changes.push(Change {
            path: "...".to_owned(),
            before: None,
            after: None,
        });
    }
    Some(differences.changes)
}

/// A text that is one value, every byte of it valid: nothing inside it can fail any more.
fn whole(text: &str) -> Option<Value<'_>> {
    let text = text.trim_ascii();
    let mut cursor = Cursor::new(text);
    let value = cursor.value().ok()?;
    cursor.rest().is_empty().then_some(value)
}

#[derive(Default)]
struct Differences {
    /// Where in the bodies.
    path: String,
    changes: Vec<Change>,
    path_bytes: usize,
    is_cut: bool,
}

impl Differences {
    /// Null is absent, as in the apiserver.
    fn values(&mut self, before: Option<Value<'_>>, after: Option<Value<'_>>, depth: usize) {
        let before = before.filter(|value| value.kind != ValueKind::Null);
        let after = after.filter(|value| value.kind != ValueKind::Null);
        let (Some(left), Some(right)) = (before, after) else {
            if before.is_some() || after.is_some() {
                self.changed(before, after);
            }
            return;
        };
        if self.is_cut || left.raw == right.raw {
            return;
        }
        match (left.kind, right.kind) {
            (ValueKind::Object, ValueKind::Object) if depth < DEPTH => {
                self.objects(left, right, depth);
            }
            (ValueKind::Array, ValueKind::Array) if depth < DEPTH => {
                self.lists(left, right, depth);
            }
            _ if canonical(left, depth) == canonical(right, depth) => {}
            _ => self.changed(before, after),
        }
    }

    fn changed(&mut self, before: Option<Value<'_>>, after: Option<Value<'_>>) {
        self.path_bytes += self.path.len();
        if self.changes.len() >= CHANGES || self.path_bytes > PATH_BYTES {
            self.is_cut = true;
            return;
        }
        self.changes.push(Change {
            path: self.path.clone(),
            before: before.map(shown),
            after: after.map(shown),
        });
    }

    /// Compares what lies one step further down.
    fn step(&mut self, step: &str, values: (Option<Value<'_>>, Option<Value<'_>>), depth: usize) {
        let length = self.path.len();
        self.path.push_str(step);
        self.values(values.0, values.1, depth + 1);
        self.path.truncate(length);
    }

    fn objects(&mut self, before: Value<'_>, after: Value<'_>, depth: usize) {
        for (key, values) in side_by_side(last_members(before), last_members(after)) {
            let step = member_step(&key, self.path.is_empty());
            self.step(&step, values, depth);
        }
    }

    fn lists(&mut self, before: Value<'_>, after: Value<'_>, depth: usize) {
        let (left, right): (Vec<_>, Vec<_>) =
            (elements(before).collect(), elements(after).collect());
        let are_objects =
            |list: &[Value<'_>]| list.iter().all(|element| element.kind == ValueKind::Object);
        if !are_objects(&left) || !are_objects(&right) {
            if canonical(before, depth) != canonical(after, depth) {
                self.changed(Some(before), Some(after));
            }
            return;
        }
        for name in NAMES {
            if let (Some(left), Some(right)) = (named(&left, name), named(&right, name)) {
                for (value, values) in side_by_side(left, right) {
                    let step = format!("[{name}={}]", quoted(&value));
                    self.step(&step, values, depth);
                }
                return;
            }
        }
        let (left, right) = without_common(&left, &right, depth);
        for index in 0..left.len().max(right.len()) {
            let (before, after) = (left.get(index), right.get(index));
            let place = after.or(before).map_or(0, |(place, _)| *place);
            let values = (
                before.map(|(_, value)| *value),
                after.map(|(_, value)| *value),
            );
            self.step(&format!("[{place}]"), values, depth);
        }
    }
}

type NamedElement<'a> = Vec<(Cow<'a, str>, Value<'a>)>;
type Pair<'a> = (Option<Value<'a>>, Option<Value<'a>>);

/// The members of an object in the order of their names; of duplicates the last. Half a surrogate
/// becomes U+FFFD, and names that are then the same are duplicates, as in Go's `encoding/json`.
fn last_members(object: Value<'_>) -> NamedElement<'_> {
    let mut found: NamedElement<'_> = members(object.raw)
        .map(|(key, value)| (key.decode(), value))
        .collect();
    // The sort is stable: turned round, the last of each name comes first.
    found.reverse();
    found.sort_by(|left, right| left.0.cmp(&right.0));
    found.dedup_by(|later, earlier| later.0 == earlier.0);
    found
}

/// The elements by their member `name`, in the order of their names; `None` unless it is a text or
/// number that tells all of them apart.
fn named<'a>(list: &[Value<'a>], name: &str) -> Option<NamedElement<'a>> {
    let mut found = Vec::with_capacity(list.len());
    for element in list {
        let value = crate::json::last_member(element.raw, name)?;
        let value = match value.kind {
            ValueKind::String => value.text()?.decode(),
            ValueKind::Number => Cow::Borrowed(value.raw),
            _ => return None,
        };
        found.push((value, *element));
    }
    found.sort_by(|left, right| left.0.cmp(&right.0));
    let is_unique = found.windows(2).all(|pair| pair[0].0 != pair[1].0);
    is_unique.then_some(found)
}

/// Two sorted lists by their names.
fn side_by_side<'a>(
    left: NamedElement<'a>,
    right: NamedElement<'a>,
) -> Vec<(Cow<'a, str>, Pair<'a>)> {
    let mut pairs = Vec::with_capacity(left.len().max(right.len()));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return pairs,
        };
        let before = if order.is_le() { left.next() } else { None };
        let after = if order.is_ge() { right.next() } else { None };
        let values = (
            before.as_ref().map(|(_, value)| *value),
            after.as_ref().map(|(_, value)| *value),
        );
        if let Some((name, _)) = before.or(after) {
            pairs.push((name, values));
        }
    }
}

type Placed<'a> = Vec<(usize, Value<'a>)>;

/// The elements of each list that the other does not have, with their places.
fn without_common<'a>(
    left: &[Value<'a>],
    right: &[Value<'a>],
    depth: usize,
) -> (Placed<'a>, Placed<'a>) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for element in left {
        *counts.entry(canonical(*element, depth)).or_default() += 1;
    }
    let mut common: HashMap<String, usize> = HashMap::new();
    let mut added = Vec::new();
    for (place, element) in right.iter().enumerate() {
        let text = canonical(*element, depth);
        match counts.get_mut(&text).filter(|count| **count > 0) {
            Some(count) => {
                *count -= 1;
                *common.entry(text).or_default() += 1;
            }
            None => added.push((place, *element)),
        }
    }
    let mut removed = Vec::new();
    for (place, element) in left.iter().enumerate() {
        match common
            .get_mut(&canonical(*element, depth))
            .filter(|count| **count > 0)
        {
            Some(count) => *count -= 1,
            None => removed.push((place, *element)),
        }
    }
    (removed, added)
}

/// A text that equal values share: members sorted, of duplicates the last, no white space, no nulls.
fn canonical(value: Value<'_>, depth: usize) -> String {
    let mut out = Vec::new();
    write_canonical(value, depth, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

fn write_canonical(value: Value<'_>, depth: usize, out: &mut Vec<u8>) {
    match value.kind {
        ValueKind::Object if depth < DEPTH => {
            out.push(b'{');
            for (key, value) in last_members(value) {
                if value.kind != ValueKind::Null {
                    write_string(out, &key);
                    out.push(b':');
                    write_canonical(value, depth + 1, out);
                    out.push(b',');
                }
            }
            out.push(b'}');
        }
        ValueKind::Array if depth < DEPTH => {
            out.push(b'[');
            for element in elements(value) {
                write_canonical(element, depth + 1, out);
                out.push(b',');
            }
            out.push(b']');
        }
        ValueKind::String => match value.text() {
            Some(text) => write_string(out, &text.decode()),
            None => out.extend_from_slice(value.raw.as_bytes()),
        },
        _ => out.extend_from_slice(value.raw.as_bytes()),
    }
}

/// `.name`, or `["na.me"]` where a dot would be misread.
fn member_step(key: &str, is_first: bool) -> String {
    if is_plain(key) {
        return if is_first {
            key.to_owned()
        } else {
            format!(".{key}")
        };
    }
    format!("[{}]", json_string(key))
}

fn quoted(name: &str) -> Cow<'_, str> {
    // A name in brackets ends with them: dots and slashes are fine.
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || "-_./:".contains(letter);
    if !name.is_empty() && name.chars().all(is_fine) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(json_string(name))
    }
}

fn is_plain(key: &str) -> bool {
    let is_fine = |letter: char| letter.is_ascii_alphanumeric() || "-_/".contains(letter);
    !key.is_empty() && key.chars().all(is_fine)
}

fn json_string(text: &str) -> String {
    let mut out = Vec::new();
    write_string(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests;
