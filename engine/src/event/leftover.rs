//! What an event says and no column holds, so that nothing is lost: the content of
//! `unknown_fields`.
//!
//! Values that the decoder met go in, each with the object it stands in. One JSON object comes out
//! that mirrors the event:
//!
//! - members that no column knows, values of a wrong type, explicit `null`s and times not in the
//!   apiserver's canonical form, each in its own place: `{"user":{"newField":1},"verb":7}`;
//! - an object of which no column shows anything: `{"user":{}}`;
//! - empty text in columns that say the same where the member is absent: `{"objectRef":{"name":""}}`;
//! - `"duplicates": [{"path":["verb"],"value":"get"}]`: the earlier ones of duplicate members, in
//!   order;
//! - `"absent": ["responseStatus.metadata"]`: members that are implied by convention and were
//!   missing;
//! - `"envelope": {…}`: what the provider wrapped around the event.
//!
//! A member of the event itself whose name is one of these three words, or starts with `~`, gets a
//! `~` in front. `column/json` is the inverse.

use std::collections::{HashMap, HashSet};

use crate::json::{Text, Value, ValueKind, members, write_string, write_text};

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

    /// Is it the content of a map column?
    const fn is_map(self) -> bool {
        matches!(
            self,
            Self::Annotations | Self::UserExtra | Self::ImpersonatedExtra
        )
    }
}

/// A member: the object that it stands in, its name and its value.
type LeftMember<'a> = (ParentObject, Text<'a>, Value<'a>);

/// The words that have a meaning of their own at the top of `unknown_fields`.
pub(crate) const RESERVED: [&str; 3] = ["duplicates", "absent", "envelope"];

/// Everything left over of one event. Empty, and without allocation, for an ordinary one.
#[derive(Debug, Default)]
pub(crate) struct Leftovers<'a> {
    members: Vec<LeftMember<'a>>,
    duplicates: Vec<LeftMember<'a>>,
    empty: Vec<ParentObject>,
    absent: Vec<&'static str>,
    /// Is the type of a value not the apiserver's? It may have a reading all the same.
    odd: bool,
    /// What envelopes say: members of an object, without its braces.
    pub(crate) envelope: Option<&'a str>,
}

impl<'a> Leftovers<'a> {
    /// A member whose value no column takes.
    #[cold]
    pub(crate) fn member(&mut self, parent: ParentObject, name: Text<'a>, value: Value<'a>) {
        self.members.push((parent, name, value));
    }

    /// The same of a value whose type is not the apiserver's; an explicit `null` is none.
    #[cold]
    pub(crate) fn odd_member(&mut self, parent: ParentObject, name: Text<'a>, value: Value<'a>) {
        self.odd |= value.kind != ValueKind::Null;
        self.member(parent, name, value);
    }

    /// A value has another type than the apiserver's, and is in its column as it is.
    #[cold]
    pub(crate) const fn odd(&mut self) {
        self.odd = true;
    }

    /// May [`retyped`](super::retyped) read what the decoder could not?
    pub(crate) const fn is_odd(&self) -> bool {
        self.odd
    }

    /// The earlier of two members with one name.
    #[cold]
    pub(crate) fn duplicate(&mut self, parent: ParentObject, name: Text<'a>, value: Value<'a>) {
        self.duplicates.push((parent, name, value));
    }

    /// Drops what was left over inside an object that a later duplicate replaces; the object is kept
    /// whole as a duplicate.
    #[cold]
    pub(crate) fn forget(&mut self, parent: ParentObject) {
        let inside = |other: ParentObject| other.path().starts_with(parent.path());
        self.members.retain(|(at, ..)| !inside(*at));
        self.duplicates.retain(|(at, ..)| !inside(*at));
        self.empty.retain(|at| !inside(*at));
    }

    /// A member is empty text, and its column says the same where it is absent.
    #[cold]
    pub(crate) fn empty_text(&mut self, parent: ParentObject, name: &'static str) {
        self.member(parent, Text::plain_text(name), Value::EMPTY_TEXT);
    }

    /// The event has this object, but no column shows it.
    #[cold]
    pub(crate) fn empty_object(&mut self, parent: ParentObject) {
        self.empty.push(parent);
    }

    /// A member that convention implies was not there.
    pub(crate) fn absent(&mut self, path: &'static str) {
        self.absent.push(path);
    }

    /// Is nothing left over?
    fn is_empty(&self) -> bool {
        self.len() == 0 && self.envelope.is_none()
    }

    /// How many things were left over.
    pub(super) const fn len(&self) -> usize {
        self.members.len() + self.duplicates.len() + self.empty.len() + self.absent.len()
    }

    /// How many members no column takes.
    pub(crate) const fn members(&self) -> usize {
        self.members.len()
    }

    /// The JSON text of `unknown_fields`; `None` when nothing is left over. `maps` are the objects
    /// that became map columns: the earlier ones of their duplicate keys are left over too, and are
    /// looked for only now.
    pub(crate) fn to_json(&self, maps: &[(ParentObject, Option<Value<'a>>)]) -> Option<String> {
        let mut in_maps = Vec::new();
        for &(parent, map) in maps {
            if let Some(map) = map {
                earlier_duplicates(parent, map.raw, &mut in_maps);
            }
        }
        if self.is_empty() && in_maps.is_empty() {
            return None;
        }
        let (last, earlier) = self.by_name();
        let mut out = vec![b'{'];
        self.tree(&last, &in_maps).write_members(&mut out);
        let earlier = earlier.into_iter().filter(|(parent, ..)| !parent.is_map());
        let duplicates = self.duplicates.iter().copied();
        write_duplicates(duplicates.chain(earlier).chain(in_maps), &mut out);
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

    /// The members, the last of each name apart from the earlier ones: of duplicate names that no
    /// column knows the last counts too.
    fn by_name(&self) -> (Vec<LeftMember<'a>>, Vec<LeftMember<'a>>) {
        // Keyed by parent and decoded name: hostile events bring 10⁵ of them.
        let mut last = HashMap::with_capacity(self.members.len());
        for (index, (parent, name, _)) in self.members.iter().enumerate() {
            last.insert((*parent, name.identity()), index);
        }
        let counts = |index: usize, parent, name: Text<'a>| {
            last.get(&(parent, name.identity())) == Some(&index)
        };
        let (kept, earlier): (Vec<_>, Vec<_>) = self
            .members
            .iter()
            .copied()
            .enumerate()
            .partition(|(index, (parent, name, _))| counts(*index, *parent, *name));
        let members = |all: Vec<(usize, LeftMember<'a>)>| all.into_iter().map(|(_, member)| member);
        (members(kept).collect(), members(earlier).collect())
    }

    /// The objects that hold these members. An entry of a map that a later one replaces is among the
    /// duplicates already.
    fn tree(&self, members: &[LeftMember<'a>], in_maps: &[LeftMember<'a>]) -> Node<'a> {
        let replaced: HashSet<*const u8> = in_maps
            .iter()
            .map(|(_, _, earlier)| earlier.raw.as_ptr())
            .collect();
        let mut tree = Node::default();
        for parent in &self.empty {
            tree.descend(parent.path());
        }
        for &(parent, name, value) in members {
            if !replaced.contains(&value.raw.as_ptr()) {
                let mut key = Vec::new();
                let decoded = name.decode();
                if parent == ParentObject::Event
                    && (RESERVED.contains(&&*decoded) || decoded.starts_with('~'))
                {
                    write_string(&mut key, &format!("~{decoded}"));
                } else {
                    write_text(&mut key, name);
                }
                tree.descend(parent.path()).leaves.push((key, value.raw));
            }
        }
        tree
    }
}

/// The member `duplicates`, if there are any.
fn write_duplicates<'a>(duplicates: impl Iterator<Item = LeftMember<'a>>, out: &mut Vec<u8>) {
    let mut duplicates = duplicates.peekable();
    if duplicates.peek().is_none() {
        return;
    }
    separate(out);
    out.extend_from_slice(b"\"duplicates\":[");
    for (parent, name, value) in duplicates {
        separate(out);
        out.extend_from_slice(b"{\"path\":[");
        for step in parent.path() {
            write_string(out, step);
            out.push(b',');
        }
        write_text(out, name);
        out.extend_from_slice(b"],\"value\":");
        out.extend_from_slice(value.raw.as_bytes());
        out.push(b'}');
    }
    out.push(b']');
}

/// The members of an object that a later member of the same name replaces.
fn earlier_duplicates<'a>(parent: ParentObject, raw: &'a str, out: &mut Vec<LeftMember<'a>>) {
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
            out.push((parent, name, value));
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
