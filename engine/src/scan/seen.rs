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
    format::Twin,
    json::{Text, members},
};

/// What is remembered of the events so far, 16 bytes each.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Is every event remembered, or only those that come in two streams?
    all: bool,
    identities: Mutex<HashSet<u128>>,
}

impl Seen {
    /// `all`: leave out every event that was there before.
    pub(crate) fn new(all: bool) -> Self {
        Self { all, identities: Mutex::default() }
    }

    /// Is the event, whose JSON is `text`, to be shown? Remembers it. An event of one of two streams that carry the same events is left
    /// out where the other stream's was there before.
    #[inline]
    pub(crate) fn is_new(&self, event: &Event<'_>, text: &str, twin: Option<Twin>) -> bool {
        if !self.all && twin.is_none() {
            return true;
        }
        let identity = identity(event, text);
        let mut identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        if self.all {
            return identities.insert(identity);
        }
        let in_stream = |admin: bool| identity ^ u128::from(admin);
        let admin = twin == Some(Twin::Admin);
        if identities.contains(&in_stream(!admin)) {
            return false;
        }
        identities.insert(in_stream(admin));
        true
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
