//! A JSON object that may be an envelope: text in, its members out.
//!
//! Not responsible for: whose envelope it is; each format judges that by the members.

use std::{borrow::Cow, cell::RefCell, rc::Rc};

use crate::format::writer;
use crate::json::{Fault, Span, Text, Value, ValueKind, members};

/// Where the names and values of an object's members are in its text.
type Spans = Rc<[(Span, Span)]>;

/// A JSON object that may be an envelope: its members, values carried.
pub(crate) struct Record<'a> {
    /// The whole object.
    pub(crate) text: &'a str,
    members: Vec<(Text<'a>, Value<'a>)>,
    names: NameSet,
    /// Members that are objects and were read before: where they begin, and where the names and
    /// values of their own members are.
    objects: RefCell<Vec<(usize, Spans)>>,
}

impl<'a> Record<'a> {
    /// The object that `text` begins with.
    pub(crate) fn new(text: &'a str) -> Result<Self, Fault> {
        let mut iterator = members(text);
        let found: Vec<_> = iterator.by_ref().collect();
        match iterator.fault {
            Some(fault) => Err(fault),
            None => Ok(Self::with(&text[..iterator.at()], found)),
        }
    }

    fn with(text: &'a str, members: Vec<(Text<'a>, Value<'a>)>) -> Self {
        let names = members.iter().map(|(name, _)| NameSet::of_one(*name));
        Self {
            text,
            names: names.fold(NameSet::default(), NameSet::and),
            members,
            objects: RefCell::default(),
        }
    }

    /// The value, if it is an object.
    pub(crate) fn of(value: Value<'a>) -> Option<Self> {
        if value.kind == ValueKind::Object {
            Self::new(value.raw).ok()
        } else {
            None
        }
    }

    /// False if it has no member called by one of `names`.
    pub(super) const fn may_have(&self, names: NameSet) -> bool {
        self.names.0 & names.0 != 0
    }

    /// All members, in order.
    pub(crate) fn members(&self) -> &[(Text<'a>, Value<'a>)] {
        &self.members
    }

    /// The last member called `name`.
    pub(crate) fn member(&self, name: &str) -> Option<Value<'a>> {
        self.members
            .iter()
            .rev()
            .find(|(key, _)| key.eq_str(name))
            .map(|(_, value)| *value)
    }

    /// The member of the first of these names that is present.
    pub(crate) fn any(&self, names: &[&str]) -> Option<Value<'a>> {
        names.iter().find_map(|name| self.member(name))
    }

    /// The member `name`, if it is a string.
    pub(crate) fn text_of(&self, name: &str) -> Option<Text<'a>> {
        self.member(name).and_then(Value::text)
    }

    /// The member `name`, decoded, if it is a string.
    pub(crate) fn string(&self, name: &str) -> Option<Cow<'a, str>> {
        self.text_of(name).map(Text::decode)
    }

    /// The member `name`, if it is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Record<'a>> {
        let value = self.member(name)?;
        let place = value.raw.as_ptr() as usize;
        // Detection and unwrapping ask for the same ones, and reading a long string again costs.
        if let Some((_, spans)) = self
            .objects
            .borrow()
            .iter()
            .find(|(known, _)| *known == place)
        {
            let members = spans.iter().filter_map(|(name, of)| {
                Some((name.value(value.raw).text()?, of.value(value.raw)))
            });
            return Some(Record::with(value.raw, members.collect()));
        }
        let record = Record::of(value)?;
        let spans = record
            .members
            .iter()
            .map(|(name, of)| (Span::of_text(*name, value.raw), Span::of(*of, value.raw)));
        self.objects.borrow_mut().push((place, spans.collect()));
        Some(record)
    }

    /// Is the member `name` this string?
    pub(crate) fn is(&self, name: &str, text: &str) -> bool {
        self.text_of(name).is_some_and(|found| found.eq_str(text))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.member(name).is_some()
    }

    /// What is left of an envelope: the members not called by one of `names`, as they were written,
    /// separated by commas.
    pub(crate) fn without(&self, names: &[&str]) -> Option<String> {
        let mut out = Vec::new();
        for (name, value) in &self.members {
            if !names.iter().any(|known| name.eq_str(known)) {
                writer::member(&mut out, *name, value.raw);
            }
        }
        writer::text(out).filter(|text| !text.is_empty())
    }
}

/// A set of names that may hold more than were put in: one bit for all names that look alike.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NameSet(u64);

impl NameSet {
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().fold(0, |set, name| set | bit(name)))
    }

    fn of_one(name: Text<'_>) -> Self {
        // A name with escapes may be any.
        Self(name.plain().map_or(u64::MAX, bit))
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One of 64 bits, by a name's length, first and last byte.
fn bit(name: &str) -> u64 {
    let (first, last) = match name.as_bytes() {
        [] => (0, 0),
        [first, ..] => (*first, name.as_bytes()[name.len() - 1]),
    };
    1 << ((name.len() * 11 + usize::from(first) * 3 + usize::from(last)) % 64)
}
