//! What an event says and no column holds, so that nothing is lost: the content of
//! `unknown_fields`.
//!
//! Goes in: values met by the decoder, each with its place. Comes out: one JSON object that mirrors
//! the event:
//!
//! - members that no column knows, values of a wrong type, explicit `null`s, times that are not in
//!   the apiserver's canonical form: at their own place, `{"user":{"newField":1},"verb":7}`;
//! - an object that was present with nothing a column shows: `{"user":{}}`;
//! - `"duplicates": [{"path":["verb"],"value":"get"}]`: the earlier ones of duplicate members, in
//!   order;
//! - `"absent": ["responseStatus.metadata"]`: members that are implied by convention and were not
//!   there;
//! - `"envelope": {…}`: what the provider wrapped around the event.
//!
//! A member of the event itself whose name is one of these three words, or starts with `~`, gets a
//! `~` in front. The inverse is [`super::encode`].

use std::collections::{HashMap, HashSet};

use crate::json::{Text, Value, members, write_string, write_text};

/// The object that a member stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ParentObject {
    Event,
    User,
    UserExtra,
    Impersonated,
    ImpersonatedExtra,
    Authentication,
    Object,
    Response,
    Annotations,
}

impl ParentObject {
    /// The member names that lead from the event to this object.
    pub(crate) const fn path(self) -> &'static [&'static str] {
        match self {
            Self::Event => &[],
            Self::User => &["user"],
            Self::UserExtra => &["user", "extra"],
            Self::Impersonated => &["impersonatedUser"],
            Self::ImpersonatedExtra => &["impersonatedUser", "extra"],
            Self::Authentication => &["authenticationMetadata"],
            Self::Object => &["objectRef"],
            Self::Response => &["responseStatus"],
            Self::Annotations => &["annotations"],
        }
    }
}

/// The words that have a meaning of their own at the top of `unknown_fields`.
pub(crate) const RESERVED: [&str; 3] = ["duplicates", "absent", "envelope"];

/// Everything left over of one event. Empty, and without allocation, for an ordinary one.
#[derive(Debug, Default)]
pub(crate) struct Leftovers<'a> {
    members: Vec<(ParentObject, Text<'a>, Value<'a>)>,
    duplicates: Vec<(ParentObject, Text<'a>, Value<'a>)>,
    empty: Vec<ParentObject>,
    absent: Vec<&'static str>,
    /// What envelopes say: members of an object, without its braces.
    pub(crate) envelope: Option<&'a str>,
}

impl<'a> Leftovers<'a> {
    /// A member whose value no column takes.
    #[cold]
    pub(crate) fn member(&mut self, place: ParentObject, name: Text<'a>, value: Value<'a>) {
        self.members.push((place, name, value));
    }

    /// The earlier of two members with one name.
    #[cold]
    pub(crate) fn duplicate(&mut self, place: ParentObject, name: Text<'a>, value: Value<'a>) {
        self.duplicates.push((place, name, value));
    }

    /// Drops what was left over inside a place that a later duplicate replaces; it is kept whole as
    /// a duplicate.
    #[cold]
    pub(crate) fn forget(&mut self, place: ParentObject) {
        let inside = |other: ParentObject| other.path().starts_with(place.path());
        self.members.retain(|(at, ..)| !inside(*at));
        self.duplicates.retain(|(at, ..)| !inside(*at));
        self.empty.retain(|at| !inside(*at));
    }

    /// An object was present although no column shows it.
    #[cold]
    pub(crate) fn empty_object(&mut self, place: ParentObject) {
        self.empty.push(place);
    }

    /// A member that convention implies was not there.
    pub(crate) fn absent(&mut self, path: &'static str) {
        self.absent.push(path);
    }

    /// Is there nothing to write?
    fn is_empty(&self) -> bool {
        self.len() == 0 && self.envelope.is_none()
    }

    /// How many things were left over.
    pub(super) const fn len(&self) -> usize {
        self.members.len() + self.duplicates.len() + self.empty.len() + self.absent.len()
    }

    /// Are there members that no column takes?
    pub(crate) const fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// The JSON text of `unknown_fields`; `None` when nothing is left over. `maps` are the objects
    /// that became map columns: the earlier ones of their duplicate keys are left over too, and are
    /// looked for only now.
    pub(crate) fn to_json(&self, maps: &[(ParentObject, Option<Value<'a>>)]) -> Option<String> {
        let mut in_maps = Vec::new();
        for &(place, map) in maps {
            if let Some(map) = map {
                earlier_duplicates(place, map.raw, &mut in_maps);
            }
        }
        if self.is_empty() && in_maps.is_empty() {
            return None;
        }
        // Of duplicate names that no column knows the last counts too. Keyed by place and decoded
        // name: hostile events bring 10⁵ of them.
        let mut last = HashMap::with_capacity(self.members.len());
        for (index, (place, name, _)) in self.members.iter().enumerate() {
            last.insert((*place, name.identity()), index);
        }
        let counts = |index: usize| {
            let (place, name, _) = &self.members[index];
            last.get(&(*place, name.identity())) == Some(&index)
        };
        // An entry of a map that a later one replaces is among the duplicates already.
        let replaced: HashSet<*const u8> = in_maps
            .iter()
            .map(|(_, _, earlier)| earlier.raw.as_ptr())
            .collect();
        let mut tree = Node::default();
        for place in &self.empty {
            tree.descend(place.path());
        }
        for (index, &(place, name, value)) in self.members.iter().enumerate() {
            if counts(index) && !replaced.contains(&value.raw.as_ptr()) {
                let mut key = Vec::new();
                let decoded = name.decode();
                if place == ParentObject::Event
                    && (RESERVED.contains(&&*decoded) || decoded.starts_with('~'))
                {
                    write_string(&mut key, &format!("~{decoded}"));
                } else {
                    write_text(&mut key, name);
                }
                tree.descend(place.path()).leaves.push((key, value.raw));
            }
        }
        let mut out = vec![b'{'];
        tree.write_members(&mut out);
        let is_map = |place: ParentObject| {
            matches!(
                place,
                ParentObject::Annotations
                    | ParentObject::UserExtra
                    | ParentObject::ImpersonatedExtra
            )
        };
        let earlier = (0..self.members.len())
            .filter(|&index| !counts(index))
            .map(|index| self.members[index]);
        let earlier = earlier.filter(|(place, ..)| !is_map(*place));
        let duplicates: Vec<_> = self
            .duplicates
            .iter()
            .copied()
            .chain(earlier)
            .chain(in_maps.iter().copied())
            .collect();
        if !duplicates.is_empty() {
            separate(&mut out);
            out.extend_from_slice(b"\"duplicates\":[");
            for (place, name, value) in duplicates {
                separate(&mut out);
                out.extend_from_slice(b"{\"path\":[");
                for step in place.path() {
                    write_string(&mut out, step);
                    out.push(b',');
                }
                write_text(&mut out, name);
                out.extend_from_slice(b"],\"value\":");
                out.extend_from_slice(value.raw.as_bytes());
                out.push(b'}');
            }
            out.push(b']');
        }
        if !self.absent.is_empty() {
            separate(&mut out);
            out.extend_from_slice(b"\"absent\":[");
            for path in &self.absent {
                separate(&mut out);
                write_string(&mut out, path);
            }
            out.push(b']');
        }
        if let Some(envelope) = self.envelope {
            separate(&mut out);
            out.extend_from_slice(b"\"envelope\":{");
            out.extend_from_slice(envelope.as_bytes());
            out.push(b'}');
        }
        out.push(b'}');
        // Only whole strings and slices of UTF-8 were written.
        String::from_utf8(out).ok()
    }
}

/// The members of an object that a later member of the same name replaces.
fn earlier_duplicates<'a>(
    place: ParentObject,
    raw: &'a str,
    out: &mut Vec<(ParentObject, Text<'a>, Value<'a>)>,
) {
    let all: Vec<_> = members(raw).collect();
    // A handful of entries is compared pairwise; hostile maps have 10⁵.
    if all.len() <= 16
        && !all
            .iter()
            .enumerate()
            .any(|(i, (a, _))| all[..i].iter().any(|(b, _)| a.identity() == b.identity()))
    {
        return;
    }
    let last: HashMap<_, _> = all
        .iter()
        .enumerate()
        .map(|(index, (name, _))| (name.identity(), index))
        .collect();
    for (index, &(name, value)) in all.iter().enumerate() {
        if last.get(&name.identity()) != Some(&index) {
            out.push((place, name, value));
        }
    }
}

/// A comma, unless an object or array was opened just now.
fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), Some(b'{' | b'[')) {
        out.push(b',');
    }
}

/// The objects on the way to the leftovers.
#[derive(Default)]
struct Node<'a> {
    leaves: Vec<(Vec<u8>, &'a str)>,
    below: Vec<(&'static str, Node<'a>)>,
}

impl<'a> Node<'a> {
    fn descend(&mut self, path: &[&'static str]) -> &mut Self {
        let Some((&step, rest)) = path.split_first() else {
            return self;
        };
        let index = self
            .below
            .iter()
            .position(|(name, _)| *name == step)
            .unwrap_or_else(|| {
                self.below.push((step, Node::default()));
                self.below.len() - 1
            });
        self.below[index].1.descend(rest)
    }

    fn write_members(&self, out: &mut Vec<u8>) {
        for (key, raw) in &self.leaves {
            separate(out);
            out.extend_from_slice(key);
            out.push(b':');
            out.extend_from_slice(raw.as_bytes());
        }
        for (name, node) in &self.below {
            separate(out);
            write_string(out, name);
            out.extend_from_slice(b":{");
            node.write_members(out);
            out.push(b'}');
        }
    }
}
