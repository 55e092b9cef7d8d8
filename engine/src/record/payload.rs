//! Payloads: what an envelope holds in, the events and envelopes inside it to the sink out.
//!
//! Detection is asked again for every layer, down to [`MOST_LAYERS`].

use crate::account::reason;
use crate::event::{Event, NoEvent};
use crate::format::{
    Envelope, Record, detect, detect_line, detect_resembling, salvage, unpacked, unpacked_list,
};
use crate::json::{Cursor, Fault, Value, ValueKind, elements};
use crate::record::list::{MOST_LISTS, NO_ELEMENT};
use crate::record::scope::Scope;
use crate::record::sink::RecordSink;
use crate::record::unwrapping::{Unwrapping, describe};
use crate::record::walk::Walk;
use crate::source::chunk::too_long;

/// Envelopes in envelopes that are looked into; more is an attack.
const MOST_LAYERS: usize = 8;

/// What EKS writes where it cut an event.
pub(super) const CUT_MARK: &str = "[Truncated...]";

impl<S: RecordSink> Walk<'_, S> {
    /// What an envelope holds: events and envelopes one behind the other, a list of them, or a line
    /// of text around one.
    pub(super) fn payload(&mut self, from: usize, length: usize, text: &str, scope: &Scope<'_>) {
        // An envelope has two scopes: what it is, and what it says of its payload.
        if scope.depth() > 2 * MOST_LAYERS {
            return self.pass_over(from, length, text.as_bytes());
        }
        let mut rest = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let mut first = true;
        loop {
            let end = match rest.as_bytes().first() {
                Some(b'{') => self.payload_object(from, length, rest, scope),
                // `[INFO] …` is not a list.
                Some(b'[') if first && rest[1..].trim_start().starts_with(['{', '[', ']', '"']) => {
                    self.payload_list(from, length, rest, scope, 0);
                    None
                }
                Some(b'"') if let Some(string) = whole_string(rest) => {
                    self.payload_string(from, length, string, scope);
                    Some(string.raw.len())
                }
                Some(_) if first => {
                    self.payload_text(from, length, rest, scope);
                    None
                }
                None if first => {
                    self.skip(reason::NOT_AN_EVENT);
                    None
                }
                _ => None,
            };
            let Some(end) = end else { return };
            rest = rest[end..].trim_start();
            first = false;
        }
    }

    fn payload_list(
        &mut self,
        from: usize,
        length: usize,
        text: &str,
        scope: &Scope<'_>,
        depth: usize,
    ) {
        if let Some(inside) = unpacked_list(Value::array(text.trim_end())) {
            return self.payload(from, length, &inside, &scope.inside(scope.format()));
        }
        let mut list = elements(Value::array(text));
        let mut empty = true;
        for element in list.by_ref() {
            empty = false;
            match element.kind {
                ValueKind::Object => {
                    self.payload_object(from, length, element.raw, scope);
                }
                ValueKind::String => self.payload_string(from, length, element, scope),
                ValueKind::Array if depth < MOST_LISTS => {
                    self.payload_list(from, length, element.raw, scope, depth + 1);
                }
                _ => self.pass_over(from, length, element.raw.as_bytes()),
            }
        }
        if list.fault.is_some() {
            self.reject(from, from + length, reason::JSON, NO_ELEMENT.to_owned());
        } else if empty {
            self.skip(reason::NOT_AN_EVENT);
        }
    }

    fn payload_text(&mut self, from: usize, length: usize, text: &str, scope: &Scope<'_>) {
        match detect_line(text) {
            Some((format, line)) if line.part.is_none_or(|part| part.complete) => {
                let inner = scope.inside(format.name()).with(&line.provenance);
                self.payload(from, length, &line.payload, &inner);
            }
            _ => self.pass_over(from, length, text.as_bytes()),
        }
    }

    /// A JSON string that holds a payload of its own.
    pub(super) fn payload_string(
        &mut self,
        from: usize,
        length: usize,
        string: Value<'_>,
        scope: &Scope<'_>,
    ) {
        match unpacked(string) {
            Some(text) => {
                let inner = scope.inside(scope.format());
                self.payload(from, length, &text, &inner);
            }
            None => self.pass_over(from, length, string.raw.as_bytes()),
        }
    }

    /// The object at the start of `text`; returns where it ends, unless the rest is lost.
    fn payload_object(
        &mut self,
        from: usize,
        length: usize,
        text: &str,
        scope: &Scope<'_>,
    ) -> Option<usize> {
        // As at the top level: a guess at what is quicker to try first.
        if self.records.in_inner
            && let Ok(record) = Record::new(text)
            && let Some(format) = detect(&record)
        {
            self.unwrap_in(from, length, &record, format, scope);
            return Some(record.text.len());
        }
        let limit = self.records.limit;
        let fault = match Event::decode_with(text, None, &mut self.records.memo) {
            Ok((_, end)) | Err(NoEvent::Other { end }) if end > limit => {
                self.reject(from, from + length, reason::TOO_LARGE, too_long(limit));
                return Some(end);
            }
            Ok((event, end)) => {
                match Self::resembling(&event, &text[..end]) {
                    Some((record, format)) => self.unwrap_in(from, length, &record, format, scope),
                    None => {
                        self.records.in_inner = false;
                        self.emit(event, &text[..end], from, length, scope);
                    }
                }
                return Some(end);
            }
            Err(NoEvent::Other { .. }) => None,
            Err(NoEvent::Json(fault)) => Some(fault),
        };
        let record = match Record::new(text) {
            Ok(record) => record,
            Err(fault) => {
                self.broken(from, length, text, fault, scope);
                return None;
            }
        };
        match (detect(&record), fault) {
            (Some(format), _) => self.unwrap_in(from, length, &record, format, scope),
            (None, None) => self.pass_over(from, length, record.text.as_bytes()),
            (None, Some(fault)) => {
                self.reject(from, from + length, reason::JSON, describe(fault));
            }
        }
        Some(record.text.len())
    }

    fn unwrap_in(
        &mut self,
        from: usize,
        length: usize,
        record: &Record<'_>,
        format: &'static dyn Envelope,
        scope: &Scope<'_>,
    ) {
        let limit = self.records.limit;
        if record.text.len() > limit {
            return self.reject(from, from + length, reason::TOO_LARGE, too_long(limit));
        }
        self.records.in_inner = true;
        format.unwrap(
            record,
            &mut Unwrapping {
                walk: self,
                from,
                length,
                scope: scope.inside(format.name()),
            },
        );
    }

    /// The envelope that an event is although it looks like one.
    pub(super) fn resembling<'t>(
        event: &Event<'_>,
        text: &'t str,
    ) -> Option<(Record<'t>, &'static dyn Envelope)> {
        // That one is the apiserver's own.
        let own = usize::from(event.authorization.is_some());
        if event.leftovers.members() <= own {
            return None;
        }
        let record = Record::new(text).ok()?;
        let format = detect_resembling(&record)?;
        Some((record, format))
    }

    /// An event inside envelopes.
    pub(super) fn emit(
        &mut self,
        event: Event<'_>,
        text: &str,
        from: usize,
        length: usize,
        scope: &Scope<'_>,
    ) {
        let envelope = scope.envelope();
        // As long as the envelope's text.
        let mut event = event;
        event.leftovers.envelope = envelope.as_deref();
        event.truncated |= scope.any(|provenance| provenance.truncated);
        event.one_time |= scope.any(|provenance| provenance.one_time);
        self.event(&event, text, from, length, &scope.source(), scope.twin());
    }

    /// An object that ends too early: what delivery cut is salvaged, as far as it goes.
    pub(super) fn broken(
        &mut self,
        from: usize,
        length: usize,
        text: &str,
        fault: Fault,
        scope: &Scope<'_>,
    ) {
        let before = text.trim_ascii_end().strip_suffix(CUT_MARK);
        if before.is_some()
            || (fault == Fault::Incomplete && scope.any(|provenance| provenance.may_be_cut))
        {
            let Some(made) = salvage(before.unwrap_or(text)) else {
                let message = "the event was cut before the members that identify it".to_owned();
                return self.reject(from, from + length, reason::TRUNCATED, message);
            };
            if let Ok((mut event, end)) = Event::decode(&made, None) {
                event.truncated = true;
                return self.emit(event, &made[..end], from, length, scope);
            }
        }
        if fault == Fault::Incomplete && scope.is_line() && self.is_cut(from + length) {
            return self.cut_off(from, reason::JSON, &describe(fault));
        }
        self.reject(from, from + length, reason::JSON, describe(fault));
    }
}

/// The JSON string that `text` begins with.
pub(super) fn whole_string(text: &str) -> Option<Value<'_>> {
    let value = Cursor::new(text).value().ok()?;
    (value.kind == ValueKind::String).then_some(value)
}
