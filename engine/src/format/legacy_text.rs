//! The apiserver's `--audit-log-format=legacy`: a line of text in, the event that it was written
//! from out.
//!
//! A line, here on two, is what `EventString` in
//! `staging/src/k8s.io/apiserver/pkg/apis/audit/helpers.go` makes of an event:
//!
//! ```text
//! TIME AUDIT: id="…" stage="…" ip="…" method="…" user="…" groups="\"…\",\"…\"" as="…" asgroups="…"
//!     user-agent="…" namespace="…" uri="…" response="…"
//! ```
//!
//! `method` is the event's verb; values are quoted as Go's `%q` does, the names of a list once
//! more. `<none>`, `<unknown>`, `<self>`, `<lookup>` and `<deferred>` stand for what the event does
//! not have. The time is that of the request's arrival at every stage; it is given as
//! `stageTimestamp`, which a line does not have and which time windows are about. What the request is
//! about follows from the URI.

use std::borrow::Cow;

use crate::event::quoted;
use crate::format::{LineFormat, Provenance, TextLine, request_info, writer};
use crate::json::write_string;
use crate::request::RequestUri;
use crate::time::parse_micros;

pub(super) struct LegacyText;

/// What the event holds.
const KNOWN: [&str; 12] = [
    "id",
    "stage",
    "ip",
    "method",
    "user",
    "groups",
    "as",
    "asgroups",
    "user-agent",
    "namespace",
    "uri",
    "response",
];

impl LineFormat for LegacyText {
    fn name(&self) -> &'static str {
        "legacy-text"
    }

    fn doc(&self) -> &'static str {
        "text lines of an apiserver with --audit-log-format=legacy: a time, AUDIT: and name=\"value\" pairs"
    }

    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>> {
        let (time, rest) = line.trim_ascii_end().split_once(' ')?;
        let rest = rest.strip_prefix("AUDIT:")?;
        parse_micros(time)?;
        let said = Said::parse(rest)?;
        // With less it is not an event: Kubernetes 1.6 wrote the response on a line of its own.
        if said.get("id").is_none()
            || ["stage", "method", "uri"]
                .iter()
                .filter(|name| said.get(name).is_some())
                .count()
                < 2
        {
            return None;
        }
        let payload = Cow::Owned(writer::text(event(time, &said))?);
        Some(TextLine {
            payload,
            provenance: Provenance {
                envelope: said.unknown(),
                ..Provenance::default()
            },
            part: None,
        })
    }
}

/// The pairs of a line.
struct Said<'l>(Vec<(&'l str, Cow<'l, str>)>);

impl<'l> Said<'l> {
    fn parse(mut rest: &'l str) -> Option<Self> {
        let mut pairs = Vec::new();
        while !rest.is_empty() {
            let (name, after) = rest.trim_start_matches(' ').split_once('=')?;
            if name.is_empty()
                || !name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            {
                return None;
            }
            let (value, after) = quoted(after)?;
            pairs.push((name, value));
            rest = after;
        }
        Some(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| &**value)
    }

    /// The value, unless it is empty or the text that stands for none.
    fn given(&self, name: &str, none: &str) -> Option<&str> {
        self.get(name)
            .filter(|value| !value.is_empty() && *value != none)
    }

    /// Pairs that the event does not hold, as JSON members.
    fn unknown(&self) -> Option<String> {
        let mut out = Vec::new();
        for (name, value) in &self.0 {
            if !KNOWN.contains(name) {
                writer::string(&mut out, name, value);
            }
        }
        writer::text(out).filter(|text| !text.is_empty())
    }
}

fn event(time: &str, said: &Said<'_>) -> Vec<u8> {
    let mut out = b"{".to_vec();
    for (theirs, ours) in [
        ("id", "auditID"),
        ("stage", "stage"),
        ("uri", "requestURI"),
        ("method", "verb"),
    ] {
        if let Some(value) = said.get(theirs) {
            writer::string(&mut out, ours, value);
        }
    }
    write_user(
        &mut out,
        "user",
        said.get("user").filter(|user| *user != "<none>"),
        said.given("groups", "<none>"),
    );
    write_user(
        &mut out,
        "impersonatedUser",
        said.get("as").filter(|user| *user != "<self>"),
        said.given("asgroups", "<lookup>"),
    );
    if let Some(ip) = said.given("ip", "<unknown>") {
        writer::list(&mut out, "sourceIPs", ip);
    }
    if let Some(agent) = said.given("user-agent", "") {
        writer::string(&mut out, "userAgent", agent);
    }
    write_object(&mut out, said);
    // Not given: `<deferred>`.
    if let Some(code) = said
        .get("response")
        .and_then(|code| code.parse::<i32>().ok())
    {
        writer::object(&mut out, "responseStatus", |out| {
            writer::raw(out, "metadata", "{}");
            writer::raw(out, "code", &code.to_string());
        });
    }
    writer::string(&mut out, "stageTimestamp", time);
    out.push(b'}');
    out
}

/// What the request is about, as the apiserver derives it from the URI. The name of what a request
/// creates is in its body, which a line does not have.
fn write_object(out: &mut Vec<u8>, said: &Said<'_>) {
    let uri = RequestUri::new(said.get("uri").unwrap_or_default());
    let request = uri.with_verb(said.get("method").unwrap_or_default());
    let namespace = said.given("namespace", "<none>");
    match (&request.resource, namespace) {
        (Some(resource), _) => writer::object(out, "objectRef", |out| {
            request_info::write_reference(resource, out);
        }),
        (None, Some(namespace)) => writer::object(out, "objectRef", |out| {
            writer::string(out, "namespace", namespace);
        }),
        (None, None) => {}
    }
}

fn write_user(out: &mut Vec<u8>, name: &str, username: Option<&str>, groups: Option<&str>) {
    let Some(username) = username else { return };
    writer::object(out, name, |out| {
        writer::string(out, "username", username);
        let Some(groups) = groups else { return };
        match list(groups) {
            Some(groups) => {
                writer::name(out, "groups");
                out.push(b'[');
                for (index, group) in groups.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_string(out, group);
                }
                out.push(b']');
            }
            // Not a list of names, but it is kept.
            None => writer::string(out, "groups", groups),
        }
    });
}

/// `"a","b"`.
fn list(mut text: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut names = Vec::new();
    loop {
        let (name, rest) = quoted(text)?;
        names.push(name);
        if rest.is_empty() {
            return Some(names);
        }
        text = rest.strip_prefix(',')?;
    }
}
