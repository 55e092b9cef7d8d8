//! The types of a policy's `metadata`: which fields `ObjectMeta` has, and what they hold.
//!
//! The policy does not use them, but the apiserver refuses a document in which one has the wrong
//! type. Not responsible for: the policy's own fields (`decode.rs`).

use super::document::{DocumentData, DocumentValue};
use super::fields::{FieldDecoder, FieldOutcome, PlacedText};

/// What a field of `metadata` holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum MetadataType {
    Text,
    Integer,
    Bool,
    /// A time by RFC 3339.
    Time,
    Texts,
    TextMap,
    /// Anything.
    Raw,
    Objects(&'static [(&'static str, MetadataType)]),
}

use MetadataType::{Bool, Integer, Objects, Raw, Text, TextMap, Texts, Time};

/// `metav1.ObjectMeta`.
pub(super) const METADATA_FIELDS: &[(&str, MetadataType)] = &[
    ("name", Text),
    ("generateName", Text),
    ("namespace", Text),
    ("selfLink", Text),
    ("uid", Text),
    ("resourceVersion", Text),
    ("generation", Integer),
    ("creationTimestamp", Time),
    ("deletionTimestamp", Time),
    ("deletionGracePeriodSeconds", Integer),
    ("labels", TextMap),
    ("annotations", TextMap),
    ("ownerReferences", Objects(OWNER_FIELDS)),
    ("finalizers", Texts),
    ("managedFields", Objects(MANAGED_FIELDS)),
];

const OWNER_FIELDS: &[(&str, MetadataType)] = &[
    ("apiVersion", Text),
    ("kind", Text),
    ("name", Text),
    ("uid", Text),
    ("controller", Bool),
    ("blockOwnerDeletion", Bool),
];

const MANAGED_FIELDS: &[(&str, MetadataType)] = &[
    ("manager", Text),
    ("operation", Text),
    ("apiVersion", Text),
    ("time", Time),
    ("fieldsType", Text),
    ("fieldsV1", Raw),
    ("subresource", Text),
];

impl FieldDecoder {
    /// Checks the members of an object against their types.
    pub(super) fn typed_object(
        &mut self,
        value: &DocumentValue,
        path: &str,
        fields: &'static [(&'static str, MetadataType)],
    ) {
        self.object(value, path, |decoder, member| {
            let Some((name, wanted)) = fields.iter().find(|(name, _)| *name == member.name) else {
                return FieldOutcome::Unknown(&[]);
            };
            decoder.typed(&member.value, &format!("{path}.{name}"), *wanted);
            FieldOutcome::Known
        });
    }

    fn typed(&mut self, value: &DocumentValue, path: &str, wanted: MetadataType) {
        match wanted {
            Raw => {}
            Text => self.text(value, path, &mut PlacedText::default()),
            Texts => self.texts(value, path, &mut Vec::new()),
            Bool => {
                self.bool(value, path);
            }
            Integer => self.integer(value, path),
            Time => self.time(value, path),
            TextMap => self.object(value, path, |decoder, member| {
                let path = format!("{path}.{}", member.name);
                decoder.text(&member.value, &path, &mut PlacedText::default());
                FieldOutcome::Known
            }),
            Objects(fields) => match &value.data {
                DocumentData::Null => {}
                DocumentData::List(elements) => {
                    for (index, element) in elements.iter().enumerate() {
                        self.typed_object(element, &format!("{path}[{index}]"), fields);
                    }
                }
                _ => self.wrong_type(value, path, "a list"),
            },
        }
    }

    fn integer(&mut self, value: &DocumentValue, path: &str) {
        match &value.data {
            DocumentData::Null => {}
            DocumentData::Number(number) if number.parse::<i64>().is_ok() => {}
            _ => self.wrong_type(value, path, "a whole number"),
        }
    }

    fn time(&mut self, value: &DocumentValue, path: &str) {
        match &value.data {
            DocumentData::Null => {}
            DocumentData::Text(text) if is_rfc3339(text) => {}
            DocumentData::Text(text) => self.refuse(
                value.line,
                format!("{path}: `{text}` is not a time by RFC 3339"),
                "write a time such as 2026-11-22T10:18:25Z, or remove the field".to_owned(),
            ),
            _ => self.wrong_type(value, path, "a time"),
        }
    }
}

/// Whether Go's `time.Parse(time.RFC3339, …)` takes the text.
fn is_rfc3339(text: &str) -> bool {
    let Some((date, rest)) = text.split_once('T') else {
        return false;
    };
    let (time, offset_fits) = match rest.strip_suffix('Z') {
        Some(time) => (time, true),
        None => {
            let Some(at) = rest.rfind(['+', '-']) else {
                return false;
            };
            let (time, offset) = (&rest[..at], &rest[at + 1..]);
            (
                time,
                numbers(offset, ':').is_some_and(|parts| matches!(parts[..], [0..=24, 0..=60])),
            )
        }
    };
    let (clock, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
    let fraction_fits = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    // Go takes an hour of one digit.
    let clock_fits = numbers(clock, ':')
        .or_else(|| numbers(&format!("0{clock}"), ':'))
        .is_some_and(|parts| matches!(parts[..], [0..=23, 0..=59, 0..=59]));
    offset_fits && fraction_fits && clock_fits && is_date(date)
}

fn is_date(date: &str) -> bool {
    let Some((year, rest)) = date.split_once('-') else {
        return false;
    };
    if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let year: u32 = year.parse().unwrap_or_default();
    let leap = (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    numbers(rest, '-').is_some_and(|parts| match parts[..] {
        [2, day] => (1..=28 + u32::from(leap)).contains(&day),
        [4 | 6 | 9 | 11, day] => (1..=30).contains(&day),
        [1..=12, day] => (1..=31).contains(&day),
        _ => false,
    })
}

/// Numbers of two digits each, parted by a mark.
fn numbers(text: &str, mark: char) -> Option<Vec<u32>> {
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    text.split(mark)
        .map(|part| two_digits(part).then(|| part.parse().ok()).flatten())
        .collect()
}
