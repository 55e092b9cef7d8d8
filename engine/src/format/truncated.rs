//! The beginning of an event in, an event made of what is complete before the cut out.
//!
//! EKS cuts events that are too long for CloudWatch and appends `[Truncated...]`. AKS cuts at 16
//! KiB without a mark. Every member that is complete before the cut is kept. If the cut goes
//! through one of the event's own objects, its complete members are kept. Bodies and lists are
//! never kept in part: half a value would be a wrong value.

use crate::format::writer;
use crate::json::{Text, Value, ValueKind, members};

/// Objects whose members each mean something on their own.
const OBJECTS: [&str; 5] = [
    "user",
    "impersonatedUser",
    "objectRef",
    "responseStatus",
    "annotations",
];

/// An event from the beginning of its JSON; `None` if too little is left to recognise it.
pub(crate) fn salvage(text: &str) -> Option<String> {
    let (found, cut) = complete(text);
    let has = |known: &str| found.iter().any(|(name, _)| name.eq_str(known));
    if !has("auditID")
        || ["stage", "verb", "requestURI"]
            .iter()
            .filter(|name| has(name))
            .count()
            < 2
    {
        return None;
    }
    let mut out = b"{".to_vec();
    for (name, value) in found {
        writer::member(&mut out, name, value.raw);
    }
    if let Some((name, at)) = cut
        && OBJECTS.iter().any(|known| name.eq_str(known))
    {
        let (inner, _) = complete(text[at..].trim_start());
        // An empty user would say that authentication failed.
        if !inner.is_empty() {
            writer::object(&mut out, &name.decode(), |out| {
                inner
                    .iter()
                    .for_each(|(name, value)| writer::member(out, *name, value.raw));
            });
        }
    }
    out.push(b'}');
    writer::text(out)
}

/// A name, and the value or the place of it.
type Named<'a, T> = (Text<'a>, T);

/// The complete members of the object that `text` begins with, and the name and place of the one
/// that is not.
fn complete(text: &str) -> (Vec<Named<'_, Value<'_>>>, Option<Named<'_, usize>>) {
    let mut iterator = members(text);
    let mut found: Vec<_> = iterator.by_ref().collect();
    let cut = iterator.unfinished();
    // A number that nothing follows may be the first digits of another.
    if let Some((_, value)) = found.last()
        && !matches!(
            value.kind,
            ValueKind::String | ValueKind::Object | ValueKind::Array
        )
    {
        let end = value.raw.as_ptr() as usize + value.raw.len() - text.as_ptr() as usize;
        if !text[end..].trim_start().starts_with([',', '}']) {
            found.pop();
        }
    }
    (found, cut)
}
