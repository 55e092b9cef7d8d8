//! Which events were seen before: an event in, whether it is new out.
//!
//! An `auditID` is chosen by the client, so it proves nothing. Two events are the same when id, stage, both times, user, URI,
//! code and the hash of the whole content are equal. Member order, `kind` and `apiVersion` do not count: the webhook leaves the
//! last two out.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::{
    event::Event,
    json::{Text, members},
};

/// The identities of all events so far, 16 bytes each.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashSet<u128>>);

impl Seen {
    /// Remembers the event whose JSON is `text`; false if it was there already.
    pub(crate) fn insert(&self, event: &Event<'_>, text: &str) -> bool {
        let identity = identity(event, text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(identity)
    }
}

fn identity(event: &Event<'_>, text: &str) -> u128 {
    let mut hash = Xxh3::new();
    let mut field = |text: Option<Text<'_>>| {
        let text = text.map(Text::decode);
        hash.update(&[u8::from(text.is_some())]);
        let text = text.unwrap_or_default();
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    field(event.audit_id);
    field(event.stage);
    field(event.user.username);
    field(event.request_uri);
    let numbers = (event.received, event.staged, event.response.code);
    hash.update(format!("{numbers:?}").as_bytes());
    let content = members(text)
        .filter(|(name, _)| !matches!(name.raw(), "kind" | "apiVersion"))
        .map(|(name, value)| xxh3_128(name.raw().as_bytes()).rotate_left(64) ^ xxh3_128(value.raw.as_bytes()))
        .fold(0_u128, u128::wrapping_add);
    hash.update(&content.to_le_bytes());
    hash.digest128()
}
