//! Shared by formats that hold many events in one document, or events in nested members.

use std::borrow::Cow;

use crate::format::{Record, Unwrapped};
use crate::json::{Value, ValueKind, elements};

/// Hands every element of a list to `item`. An empty list counts as one skip.
pub(super) fn each<'a>(
    list: Value<'a>,
    out: &mut dyn Unwrapped,
    mut item: impl FnMut(Value<'a>, &mut dyn Unwrapped),
) {
    let mut empty = true;
    let mut iterator = elements(list);
    for element in iterator.by_ref() {
        empty = false;
        item(element, out);
    }
    match iterator.fault {
        Some((_, at)) => out.reject(
            list.raw.get(at..).unwrap_or(list.raw),
            "the list continues with something that is not an element",
        ),
        None if empty => out.skip(list.raw),
        None => {}
    }
}

/// The member `name`, if it can hold an event: a string or an object.
pub(super) fn held<'a>(record: &Record<'a>, name: &str) -> Option<Value<'a>> {
    record
        .member(name)
        .filter(|value| matches!(value.kind, ValueKind::String | ValueKind::Object))
}

/// The string that the member `name` is, unless it is empty.
pub(super) fn filled<'a>(record: &Record<'a>, name: &str) -> Option<Cow<'a, str>> {
    record.string(name).filter(|text| !text.is_empty())
}

/// What a document says around its items, and what one of them adds.
pub(super) fn joined(document: Option<&str>, item: Option<String>) -> Option<String> {
    match (document, item) {
        (Some(document), Some(item)) => Some(format!("{document},{item}")),
        (document, item) => item.or_else(|| document.map(str::to_owned)),
    }
}

/// The object that the member `name` is, as a member, without those of its members that are called
/// by one of `names`.
pub(super) fn rest_of(record: &Record<'_>, name: &str, names: &[&str]) -> Option<String> {
    let rest = record.object(name)?.without(names)?;
    Some(format!("\"{name}\":{{{rest}}}"))
}
