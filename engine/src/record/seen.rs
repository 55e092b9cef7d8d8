//! Duplicates: an event in, whether it is new out.
//!
//! The client chooses the `auditID`, so it proves nothing. Two events are the same when id,
//! stage, both times, user, URI, code and the hash of the whole content are equal. Member order,
//! `kind` and `apiVersion` do not count: the webhook omits the last two.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::event::{Event, content};
use crate::format::Twin;
use crate::json::{Text, members};

/// What is remembered of the events so far.
#[derive(Debug)]
pub(crate) struct SeenEvents {
    mode: SeenMode,
}

#[derive(Debug)]
enum SeenMode {
    /// Only events that come in two streams are remembered, 16 bytes each.
    Twins(Mutex<HashSet<u128>>),
    /// Every event is, 16 bytes each.
    All(Mutex<HashSet<u128>>),
    /// Every event of this run is, 8 bytes each, and those of the lake are asked for.
    KnownEvents(Arc<dyn KnownEvents>),
}

/// What the lake that a run writes to knows of an event.
pub(crate) trait KnownEvents: std::fmt::Debug + Send + Sync {
    /// Notes an event of this `stage_timestamp`; was it there before?
    fn note(&self, staged: Option<i64>, identity: i64) -> Novelty;
}

/// Is an event new?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Novelty {
    /// It is; for a lake, with the hash that identifies it.
    New(Option<i64>),
    /// It was read before.
    Duplicate,
    /// It is in the lake.
    InTheLake,
}

impl SeenEvents {
    /// `all`: leave out every event that was there before.
    pub(crate) fn new(all: bool) -> Self {
        Self {
            mode: if all {
                SeenMode::All(Mutex::default())
            } else {
                SeenMode::Twins(Mutex::default())
            },
        }
    }

    /// Leave out every event that was there before, or is in the lake.
    pub(crate) fn for_lake(lake: Arc<dyn KnownEvents>) -> Self {
        Self {
            mode: SeenMode::KnownEvents(lake),
        }
    }

    /// Is it for a lake?
    pub(crate) const fn is_for_lake(&self) -> bool {
        matches!(self.mode, SeenMode::KnownEvents(_))
    }

    /// Is the event, whose JSON is `text`, new? Remembers it. An event of twin streams is a
    /// duplicate if it came in the other stream before.
    #[inline]
    pub(crate) fn judge(&self, event: &Event<'_>, text: &str, twin: Option<Twin>) -> Novelty {
        let verdict = |new: bool| {
            if new {
                Novelty::New(None)
            } else {
                Novelty::Duplicate
            }
        };
        match &self.mode {
            // Id, stage, times, user, URI and code are members as any other.
            SeenMode::KnownEvents(lake) => lake.note(
                event.staged,
                event.content.unwrap_or_else(|| content(text)) as i64,
            ),
            SeenMode::All(identities) => verdict(identities.lock().insert(identity(event, text))),
            SeenMode::Twins(identities) => {
                let Some(twin) = twin else {
                    return Novelty::New(None);
                };
                let identity = identity(event, text);
                let in_stream = |admin: bool| identity ^ u128::from(admin);
                let admin = twin == Twin::Admin;
                let mut identities = identities.lock();
                let new = !identities.contains(&in_stream(!admin));
                if new {
                    identities.insert(in_stream(admin));
                }
                verdict(new)
            }
        }
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
        .map(|(name, value)| {
            xxh3_128(name.raw().as_bytes()).rotate_left(64) ^ xxh3_128(value.raw.as_bytes())
        })
        .fold(0_u128, u128::wrapping_add);
    hash.update(&content.to_le_bytes());
    hash.digest128()
}
