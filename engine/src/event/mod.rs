//! An event's bytes in, a borrowed [`Event`] out.
//!
//! [`Event::decode`] alone decides whether a record is an event, and it always does the same work,
//! whatever a query asks for: it validates every byte of the event's own members and carries the
//! bodies. So the verdict cannot depend on a projection. Nothing is copied; `column/` takes from
//! the event what a query needs.
//!
//! What the columns cannot hold is kept in [`Leftovers`] and written to `unknown_fields`;
//! `column/json` is the inverse of both. Not responsible for: envelopes (`format/`), columns
//! (`column/`).

mod actor;
mod authorization;
mod decode;
mod fields;
mod leftover;
mod members;
mod memo;
mod objects;
mod reason;
mod retype;

pub(crate) use actor::{actor_kind, is_proxy, service_account};
pub(crate) use authorization::structured_decision;
pub(crate) use leftover::{Leftovers, ParentObject};
pub(crate) use memo::UserMemo;
pub(crate) use reason::{Grant, Reason, ReasonCache, quoted};
pub(crate) use retype::{epoch_micros, retyped};

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::json::{Fault, Text, Value, members};

/// One audit event, `audit.k8s.io/v1 Event`, as slices of the input. Every field is `None` when the
/// event does not have it or has it with a wrong type (then it is among the leftovers).
///
/// Source of the fields: `k8s.io/apiserver/pkg/apis/audit/v1/types.go`.
#[derive(Debug, Default)]
pub(crate) struct Event<'a> {
    pub(crate) api_version: Option<Text<'a>>,
    pub(crate) level: Option<Text<'a>>,
    pub(crate) audit_id: Option<Text<'a>>,
    pub(crate) stage: Option<Text<'a>>,
    pub(crate) request_uri: Option<Text<'a>>,
    pub(crate) verb: Option<Text<'a>>,
    pub(crate) user: User<'a>,
    pub(crate) impersonated: User<'a>,
    pub(crate) impersonation_constraint: Option<Text<'a>>,
    /// An array of strings.
    pub(crate) source_ips: Option<Value<'a>>,
    pub(crate) user_agent: Option<Text<'a>>,
    pub(crate) object: ObjectRef<'a>,
    pub(crate) response: ResponseStatus<'a>,
    /// Any JSON but `null`, carried.
    pub(crate) request_object: Option<Value<'a>>,
    /// Any JSON but `null`, carried.
    pub(crate) response_object: Option<Value<'a>>,
    /// Microseconds since the epoch, UTC.
    pub(crate) received: Option<i64>,
    /// Microseconds since the epoch, UTC.
    pub(crate) staged: Option<i64>,
    /// An object; values that are not strings are left over.
    pub(crate) annotations: Option<Value<'a>>,
    /// `authorizationDecision`, an object; it is among the leftovers, too.
    pub(crate) authorization: Option<Value<'a>>,
    /// What no column holds.
    pub(crate) leftovers: Leftovers<'a>,
    /// The delivery cut a part of it.
    pub(crate) truncated: bool,
    /// Both times are the same one: the envelope has no other.
    pub(crate) one_time: bool,
    /// [`content`] of its text, where it was computed on the way.
    pub(crate) content: Option<u64>,
}

/// A hash of everything that an event says, from its JSON. The order of members does not count, nor
/// do `kind` and `apiVersion`, which the webhook leaves out.
pub(crate) fn content(text: &str) -> u64 {
    members(text)
        .map(|(name, value)| member_hash(name.raw(), value.raw))
        .fold(0, u64::wrapping_add)
}

/// What a member adds to [`content`].
#[inline(always)]
fn member_hash(name: &str, value: &str) -> u64 {
    match name {
        "kind" | "apiVersion" => 0,
        _ => {
            let seed = xxh3_64(name.as_bytes());
            if is_spaced(value.as_bytes()) {
                xxh3_64_with_seed(&compact(value), seed)
            } else {
                xxh3_64_with_seed(value.as_bytes(), seed)
            }
        }
    }
}

/// Does an object or array have blanks between its parts? A writer that puts them there does so
/// everywhere, so the first parts tell. Where they do not, the same event in another spelling counts
/// as another event, and none is lost.
#[inline(always)]
fn is_spaced(value: &[u8]) -> bool {
    let [b'{' | b'[', inside @ ..] = value else {
        return false;
    };
    let blank = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    if blank(inside.first()) {
        return true;
    }
    match (value[0], inside) {
        (b'[', [b'{', ..]) => is_spaced(inside),
        // Behind a name there is a colon, behind the first text of a list perhaps a comma.
        (_, [b'"', text @ ..]) => match memchr::memchr(b'"', text).map(|end| &text[end + 1..]) {
            Some([b':' | b',', after @ ..]) => blank(after.first()),
            Some(after) => blank(after.first()),
            None => false,
        },
        _ => false,
    }
}

/// JSON without the blanks between its parts.
#[cold]
fn compact(value: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let (mut inside, mut escaped) = (false, false);
    for &byte in value.as_bytes() {
        if inside {
            inside = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            inside = byte == b'"';
        }
        out.push(byte);
    }
    out
}

/// `user` or `impersonatedUser`: `authentication.k8s.io/v1 UserInfo`.
#[derive(Debug, Default)]
pub(crate) struct User<'a> {
    /// The object as it was written.
    pub(crate) raw: Option<&'a str>,
    pub(crate) username: Option<Text<'a>>,
    pub(crate) uid: Option<Text<'a>>,
    /// An array of strings.
    pub(crate) groups: Option<Value<'a>>,
    /// An object; values that are not arrays of strings are left over.
    pub(crate) extra: Option<Value<'a>>,
}

/// `objectRef`, as recorded.
#[derive(Debug, Default)]
pub(crate) struct ObjectRef<'a> {
    /// Does it say anything: is the request one for a resource?
    pub(crate) is_given: bool,
    pub(crate) resource: Option<Text<'a>>,
    pub(crate) namespace: Option<Text<'a>>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) uid: Option<Text<'a>>,
    pub(crate) api_group: Option<Text<'a>>,
    pub(crate) api_version: Option<Text<'a>>,
    pub(crate) resource_version: Option<Text<'a>>,
    pub(crate) subresource: Option<Text<'a>>,
}

/// `responseStatus`: `meta/v1 Status`.
#[derive(Debug, Default)]
pub(crate) struct ResponseStatus<'a> {
    pub(crate) code: Option<i32>,
    pub(crate) status: Option<Text<'a>>,
    pub(crate) reason: Option<Text<'a>>,
    pub(crate) message: Option<Text<'a>>,
    /// Any JSON but `null`.
    pub(crate) details: Option<Value<'a>>,
}

/// Why a record is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEvent {
    /// It is not a complete JSON object.
    Json(Fault),
    /// It is a JSON object of another kind; it ends at this byte.
    Other {
        /// The position after the object.
        end: usize,
    },
}

impl From<Fault> for NoEvent {
    fn from(fault: Fault) -> Self {
        Self::Json(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_does_not_depend_on_how_it_was_read() {
        let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data");
        let mut log = std::fs::read_to_string(data.join("hostile/round-trip.jsonl")).unwrap();
        log.push_str("{ \"auditID\" : \"a\" ,\t\"stage\":\"Panic\", \"verb\":\"get\",\"\\u0075ser\":{} , \"x\": [1, 2]  }\n");
        let mut memo = UserMemo::new(true);
        let mut hashed = 0;
        for line in log.lines() {
            let Ok((event, end)) = Event::decode_with(line, None, &mut memo) else {
                continue;
            };
            if let Some(got) = event.content {
                assert_eq!(got, content(&line[..end]), "{line}");
                hashed += 1;
            }
        }
        assert!(hashed > 0);
        let hash = |text: &str| content(text);
        assert_eq!(
            hash(r#"{"a":1,"b":2}"#),
            hash(r#"{"b":2, "kind":"Event","a":1}"#)
        );
        assert_ne!(hash(r#"{"a":1,"b":2}"#), hash(r#"{"a":2,"b":1}"#));
        let tight = r#"{"a":{"b \\" c":[1,2],"d":"x: y, z"},"e":["f","g"],"h":[{"i":"j"}]}"#;
        for spaced in [
            "{\"a\": {\"b \\\\\" c\": [1, 2], \"d\": \"x: y, z\"}, \"e\": [\"f\", \"g\"], \"h\": [{\"i\": \"j\"}]}",
            "{\n \"a\" : {\n  \"b \\\\\" c\": [\n 1,\n 2\n],\n \"d\": \"x: y, z\"\n},\n \"e\": [\n\"f\",\"g\"],\"h\": [\n{\"i\": \"j\"}]}",
        ] {
            let spaced = spaced.replace("\\\\", "\\");
            assert_eq!(
                hash(&spaced),
                hash(&tight.replace("\\\\", "\\")),
                "{spaced}"
            );
        }
    }
}
