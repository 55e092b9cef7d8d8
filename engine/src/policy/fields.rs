//! The reading of single fields: values of a document in, texts, lists and booleans out, with what is
//! ignored and what has the wrong type.
//!
//! Follows `sigs.k8s.io/json`: names are case-sensitive, unknown and repeated fields are ignored with
//! a warning, `null` leaves a field as it is, and a value of another type is an error. Not
//! responsible for: which fields there are (`decode.rs`, `metadata.rs`).

use super::document::{DocumentData, DocumentMember, DocumentValue, PolicyDocument};
use super::notice::{PolicyRefusal, PolicyWarning, WarningKind};

/// A text and where it stands.
#[derive(Debug, Clone, Default)]
pub(super) struct PlacedText {
    pub(super) line: usize,
    pub(super) text: String,
}

/// Collects warnings and refusals while fields are read.
pub(super) struct FieldDecoder {
    yaml: bool,
    pub(super) warnings: Vec<PolicyWarning>,
    pub(super) refusals: Vec<PolicyRefusal>,
}

impl FieldDecoder {
    /// A decoder that begins with the names that a YAML document repeats.
    pub(super) fn new(document: &PolicyDocument) -> Self {
        let mut decoder = Self {
            yaml: document.yaml,
            warnings: Vec::new(),
            refusals: Vec::new(),
        };
        for (line, name) in &document.repeated {
            decoder.repeated(*line, name, "");
        }
        decoder
    }

    /// Calls `field` for each member of an object, and warns of unknown and repeated ones.
    pub(super) fn object(
        &mut self,
        value: &DocumentValue,
        path: &str,
        mut field: impl FnMut(&mut Self, &DocumentMember) -> FieldOutcome,
    ) {
        let members = match &value.data {
            DocumentData::Object(members) => members,
            DocumentData::Null => return,
            _ => return self.wrong_type(value, path, "an object"),
        };
        for (position, member) in members.iter().enumerate() {
            let earlier = members.iter().take(position);
            if !self.yaml && earlier.into_iter().any(|other| other.name == member.name) {
                self.repeated(member.line, &member.name, path);
            }
            if let FieldOutcome::Unknown(known) = field(self, member) {
                self.unknown(member, path, known);
            }
        }
    }

    /// Decodes a list over what an earlier field of the same name left, as Go does.
    pub(super) fn list<T: Default>(
        &mut self,
        value: &DocumentValue,
        path: &str,
        list: &mut Vec<T>,
        element: impl Fn(&mut Self, &DocumentValue, &str, &mut T),
    ) {
        let elements = match &value.data {
            DocumentData::List(elements) => elements,
            DocumentData::Null => {
                list.clear();
                return;
            }
            _ => return self.wrong_type(value, path, "a list"),
        };
        list.truncate(elements.len());
        for (index, found) in elements.iter().enumerate() {
            if index == list.len() {
                list.push(T::default());
            }
            if let Some(place) = list.get_mut(index) {
                element(self, found, &format!("{path}[{index}]"), place);
            }
        }
    }

    pub(super) fn texts(&mut self, value: &DocumentValue, path: &str, texts: &mut Vec<PlacedText>) {
        self.list(value, path, texts, Self::text);
    }

    pub(super) fn text(&mut self, value: &DocumentValue, path: &str, text: &mut PlacedText) {
        text.line = value.line;
        match &value.data {
            DocumentData::Text(found) => text.text.clone_from(found),
            DocumentData::Null => {}
            _ => self.wrong_type(value, path, "a string"),
        }
    }

    pub(super) fn bool(&mut self, value: &DocumentValue, path: &str) -> Option<bool> {
        match value.data {
            DocumentData::Bool(found) => Some(found),
            DocumentData::Null => None,
            _ => {
                self.wrong_type(value, path, "a boolean");
                None
            }
        }
    }

    pub(super) fn wrong_type(&mut self, value: &DocumentValue, path: &str, wanted: &str) {
        let place = if path.is_empty() { "the policy" } else { path };
        let reason = format!("{place}: expected {wanted}, found {}", value.data.kind());
        let scalar = matches!(value.data, DocumentData::Bool(_) | DocumentData::Number(_));
        let mend = match (wanted, &value.data) {
            ("a string", DocumentData::Bool(_)) => {
                "quote the value: YAML 1.1 reads yes, no, on, off, y and n as booleans".to_owned()
            }
            ("a string", DocumentData::Number(_)) => "quote the value".to_owned(),
            ("a list", DocumentData::Text(text)) => format!("write a list: [{text:?}]"),
            ("a boolean", DocumentData::Text(text)) if text == "true" || text == "false" => {
                format!("write {text} without quotes")
            }
            _ if scalar => format!("write {wanted} instead"),
            _ => format!("write {wanted}"),
        };
        self.refuse(value.line, reason, mend);
    }

    pub(super) fn refuse(&mut self, line: usize, reason: String, mend: String) {
        self.refusals.push(PolicyRefusal { line, reason, mend });
    }

    fn repeated(&mut self, line: usize, name: &str, path: &str) {
        let place = joined(path, name);
        self.warnings.push(PolicyWarning {
            line,
            kind: WarningKind::RepeatedField,
            field: name.to_owned(),
            message: format!("field `{place}` is repeated; the last value counts"),
        });
    }

    fn unknown(&mut self, member: &DocumentMember, path: &str, known: &[&str]) {
        let name = &member.name;
        let meant = known
            .iter()
            .find(|field| same_letters(field, name))
            .or_else(|| known.iter().find(|field| similar(field, name)));
        let hint = match meant {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None => String::new(),
        };
        self.warnings.push(PolicyWarning {
            line: member.line,
            kind: WarningKind::UnknownField,
            field: name.clone(),
            message: format!(
                "field `{}` is unknown and ignored{hint}",
                joined(path, name)
            ),
        });
    }
}

/// Whether an object has a field of this name.
pub(super) enum FieldOutcome {
    Known,
    /// The fields that it does have.
    Unknown(&'static [&'static str]),
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

fn same_letters(field: &str, name: &str) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(|c| c.is_ascii_alphanumeric());
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    plain(field) == plain(name)
}

/// Whether two names are a letter or two apart, or one is the other's singular.
fn similar(field: &str, name: &str) -> bool {
    let distance = edit_distance(&field.to_lowercase(), &name.to_lowercase());
    distance <= 2 && name.len() > 3
}

/// Levenshtein's distance between two short texts, in characters.
pub(super) fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (done, a) in left.chars().enumerate() {
        let mut diagonal = done;
        let mut previous = done + 1;
        for (b, cell) in right.iter().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = *cell;
            previous = replaced.min(previous + 1).min(diagonal + 1);
            *cell = previous;
        }
        if let Some(first) = row.first_mut() {
            *first = done + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}
