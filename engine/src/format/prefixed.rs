//! Lines with a short prefix before the event: any text up to the first `{"` in, the object from
//! there on out.
//!
//! `kubectl logs --prefix` and `--timestamps`, stern, `grep -r` and `-n`, `aws logs tail`, awslogs,
//! logcli, docker compose, talosctl, ansible and fluentd's files put a pod, a time, a stream or a
//! file in front of each line; `aws --output text` and fluent-bit's files put something behind it,
//! too. The line is of this format only if the object is an event or an envelope. Source: the
//! documentation of these tools.

use std::borrow::Cow;

use crate::format::cloudwatch::may_hold_events;
use crate::format::marks::is_spelled;
use crate::format::{LineFormat, Provenance, Record, TextLine, detect, is_event, writer};
use crate::time::parse_micros;

pub(super) struct Prefixed;

/// Longer text before an object, and behind it, is no prefix.
const LONGEST_PREFIX: usize = 1024;
const LONGEST_REST: usize = 64;

impl LineFormat for Prefixed {
    fn name(&self) -> &'static str {
        "prefixed"
    }

    fn doc(&self) -> &'static str {
        "lines with a short prefix before each event: kubectl logs --prefix, stern, grep, aws logs tail, logcli, docker compose and others"
    }

    fn line<'l>(&self, line: &'l str) -> Option<TextLine<'l>> {
        let at = object(line)?;
        let (prefix, payload) = line.split_at(at);
        // A member of an event that is printed over several lines.
        if prefix.trim_start().starts_with('"') || is_message(prefix) {
            return None;
        }
        let length = match Record::new(payload) {
            Ok(record) => {
                let rest = payload[record.text.len()..].trim();
                let short = rest.len() <= LONGEST_REST && !rest.contains(['{', '"']);
                let known = short && (is_event(&record) || detect(&record).is_some());
                known.then_some(record.text.len())?
            }
            // What is left of an event.
            Err(_) => is_spelled(payload.as_bytes()).then_some(payload.len())?,
        };
        Some(TextLine {
            payload: Cow::Borrowed(&payload[..length]),
            provenance: provenance(prefix, &payload[length..]),
            part: None,
        })
    }
}

/// Where the first object with a member begins.
fn object(line: &str) -> Option<usize> {
    let head = &line.as_bytes()[..line.len().min(LONGEST_PREFIX)];
    memchr::memchr_iter(b'{', head)
        .find(|at| line[at + 1..].trim_start().starts_with('"'))
        .filter(|at| *at > 0)
}

/// Is the text before the object a message of a program that quotes it, and not the prefix of a
/// tool? Whoever can make a program log a text of his choice could forge an event: the body of a
/// request in a line of klog, a header in quotes, a sentence with what was received.
///
/// A prefix has times, names and paths, and at most two words.
fn is_message(prefix: &str) -> bool {
    const LEVELS: [&str; 12] = [
        "stdout", "stderr", "info", "warn", "warning", "error", "debug", "notice", "daemon",
        "user", "kern", "auth",
    ];
    let is_day_or_month = |word: &str| {
        word.len() == 3 && word.starts_with(|letter: char| letter.is_ascii_uppercase())
    };
    let plain = |word: &&str| {
        let word = word.trim_end_matches([',', ':', ';', '.', '!']);
        word.len() > 1
            && word.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word))
            && !is_day_or_month(word)
    };
    let quotes = prefix.ends_with('"');
    let klog = begins(prefix).any(|at| is_klog(&prefix[at..]) && !prefix.trim_end().ends_with(']'));
    quotes || klog || prefix.split([' ', '\t', '|']).filter(plain).count() > 2
}

/// Where a word begins.
fn begins(text: &str) -> impl Iterator<Item = usize> + '_ {
    std::iter::once(0).chain(text.match_indices([' ', '\t', ':']).map(|(at, _)| at + 1))
}

/// What the prefix says: a time, and the stream or pod.
fn provenance<'l>(prefix: &'l str, rest: &str) -> Provenance<'l> {
    let mut envelope = Vec::new();
    writer::string(&mut envelope, "prefix", prefix.trim());
    let words = || {
        prefix
            .split([' ', '\t', '|'])
            .filter(|word| !word.is_empty())
    };
    if let Some(time) = words().find(|word| parse_micros(word).is_some()) {
        writer::string(&mut envelope, "timestamp", time);
    }
    if !rest.trim().is_empty() {
        writer::string(&mut envelope, "rest", rest.trim());
    }
    // `[pod/NAME/CONTAINER]`, `NAME CONTAINER` of stern, `STREAM` of AWS, `host:`.
    let names: Vec<&str> = words()
        .filter(|word| parse_micros(word).is_none())
        .map(|word| word.trim_matches(['[', ']']).trim_end_matches(':'))
        .filter(|word| word.contains(|letter: char| letter.is_ascii_alphabetic()))
        .collect();
    let stream = names
        .iter()
        .find(|name| name.starts_with("kube-apiserver-audit-") || name.starts_with("pod/"))
        .or(match names.as_slice() {
            [name] | [name, _] if !name.contains(['/', '=', '{', '"']) => Some(name),
            _ => None,
        });
    Provenance {
        log_stream: stream.map(|name| Cow::Borrowed(*name)),
        envelope: writer::text(envelope),
        ..Provenance::default()
    }
}

/// Is it text of another stream or of a tool, beside which events stand: klog behind a prefix, the
/// headers of `tail` and ansible, the separator of `grep`?
pub(crate) fn is_beside(line: &str) -> bool {
    let line = line.trim();
    let header = line == "--"
        || (line.starts_with("==> ") && line.ends_with(" <=="))
        || (line.contains(" | rc=") && line.ends_with(">>"))
        || line.starts_with("Attaching to ");
    let head = &line[..line.floor_char_boundary(LONGEST_PREFIX)];
    header
        || begins(head).any(|at| is_klog(&line[at..]))
        || line
            .split([' ', '\t'])
            .take(3)
            .any(|word| word.len() > 32 && !may_hold_events(None, Some(word)))
}

/// A line of klog: `I1122 10:18:25.147713       1 file.go:9] message`.
fn is_klog(line: &str) -> bool {
    let bytes = line.as_bytes();
    matches!(bytes.first(), Some(b'I' | b'W' | b'E' | b'F'))
        && bytes
            .get(1..5)
            .is_some_and(|date| date.iter().all(u8::is_ascii_digit))
        && bytes.get(5) == Some(&b' ')
        && line.contains("] ")
}
