//! The `user` objects that a worker has read: text in; the user that it begins with out, if that was
//! read before.
//!
//! A log has few users and many events. An object ends where its brace closes, so text that begins
//! with the bytes of a known object begins with that object. Only objects that left nothing over
//! are kept.

use xxhash_rust::xxh3::xxh3_64;

use crate::event::User;
use crate::json::Span;

/// Sets of objects whose first bytes hash alike, and how many objects each set holds: those of
/// service accounts differ late, in their tokens.
const SETS: usize = 64;
const WAYS: usize = 8;
/// The set is chosen by this many of the first bytes.
const HEAD: usize = 64;
/// Longer objects are read every time.
const LONGEST: usize = 4096;

/// What a worker remembers.
#[derive(Debug, Default)]
pub(crate) struct UserMemo {
    /// Is [`super::Event::content`] wanted?
    pub(super) content: bool,
    sets: Vec<Vec<KnownUser>>,
}

/// A `user` object, and where in it its members' values are.
#[derive(Debug)]
struct KnownUser {
    raw: String,
    username: Option<Span>,
    uid: Option<Span>,
    groups: Option<Span>,
    extra: Option<Span>,
}

fn set(text: &str) -> usize {
    let head = &text.as_bytes()[..text.len().min(HEAD)];
    xxh3_64(head) as usize % SETS
}

impl UserMemo {
    /// Nothing is known yet; is [`super::Event::content`] wanted?
    pub(crate) fn new(content: bool) -> Self {
        Self {
            content,
            ..Self::default()
        }
    }

    /// The user object that `text` begins with, if it was read before.
    pub(super) fn find<'a>(&mut self, text: &'a str) -> Option<User<'a>> {
        let set = self.sets.get_mut(set(text))?;
        let index = set
            .iter()
            .position(|known| text.as_bytes().starts_with(known.raw.as_bytes()))?;
        // The next one is probably the same again.
        set.swap(0, index);
        let known = &set[0];
        let raw = &text[..known.raw.len()];
        let value = |span: Option<Span>| span.map(|span| span.value(raw));
        let text = |span: Option<Span>| value(span).and_then(|value| value.text());
        Some(User {
            raw: Some(raw),
            username: text(known.username),
            uid: text(known.uid),
            groups: value(known.groups),
            extra: value(known.extra),
        })
    }

    /// Remembers the object that `text` begins with.
    pub(super) fn keep(&mut self, text: &str, user: &User<'_>) {
        let Some(raw) = user.raw.filter(|raw| (HEAD..LONGEST).contains(&raw.len())) else {
            return;
        };
        if self.sets.is_empty() {
            self.sets.resize_with(SETS, Vec::new);
        }
        let set = &mut self.sets[set(text)];
        if set.len() == WAYS {
            set.pop();
        }
        let known = KnownUser {
            raw: raw.to_owned(),
            username: user.username.map(|text| Span::of_text(text, raw)),
            uid: user.uid.map(|text| Span::of_text(text, raw)),
            groups: user.groups.map(|value| Span::of(value, raw)),
            extra: user.extra.map(|value| Span::of(value, raw)),
        };
        set.insert(0, known);
    }
}
