//! Envelopes in, events out: what a format hands over is an event, another envelope, or counted as
//! neither.
//!
//! Detection is asked again for every layer, down to [`MOST_LAYERS`]. What the layers say of an
//! event adds up: the inner one's word counts, the outer ones' fill in what it leaves open.

use std::borrow::Cow;

use crate::account::reason;
use crate::event::{Event, NoEvent};
use crate::format::{
    Format, PLAIN, PayloadPart, Provenance, Record, Twin, Unwrapped, detect, detect_line,
    detect_resembling, is_plain, salvage,
};
use crate::json::{Fault, Text, Value, ValueKind, elements};
use crate::record::records::{EventSource, RecordSink, TOO_LONG, TOO_SHORT, Walk};

/// Envelopes in envelopes that are looked into; more is an attack.
const MOST_LAYERS: usize = 8;

/// What EKS writes where it cut an event.
pub(super) const CUT_MARK: &str = "[Truncated...]";

/// One envelope, and those around it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s> {
    format: &'static dyn Format,
    provenance: Option<&'s Provenance<'s>>,
    outer: Option<&'s Scope<'s>>,
}

impl<'s> Scope<'s> {
    pub(super) const fn new(format: &'static dyn Format) -> Self {
        Self {
            format,
            provenance: None,
            outer: None,
        }
    }

    /// From the innermost to the outermost.
    fn chain(&self) -> impl Iterator<Item = &Scope<'s>> {
        std::iter::successors(Some(self), |scope| scope.outer)
    }

    fn find<T>(&self, of: impl Fn(&'s Provenance<'s>) -> Option<T>) -> Option<T> {
        self.chain().find_map(|scope| of(scope.provenance?))
    }

    /// The provider's name where one is known, else the wrapper's.
    fn source(&self) -> EventSource<'_> {
        let format = self
            .chain()
            .find(|scope| !is_plain(scope.format))
            .map_or(self.format, |scope| scope.format);
        EventSource {
            format: format.name(),
            cluster: self.find(|provenance| provenance.cluster.as_deref()),
            account: self.find(|provenance| provenance.account.as_deref()),
            log_stream: self.find(|provenance| provenance.log_stream.as_deref()),
        }
    }

    /// Does the payload stand on its line as it is, so that where the line ends the payload does?
    fn is_line(&self) -> bool {
        self.outer.is_none() && self.provenance.is_some()
    }

    fn twin(&self) -> Option<Twin> {
        self.find(|provenance| provenance.twin)
    }

    fn any(&self, of: impl Fn(&Provenance<'_>) -> bool) -> bool {
        self.find(|provenance| of(provenance).then_some(()))
            .is_some()
    }

    /// What the envelopes say beyond the columns: members of an object, an inner envelope's inside
    /// its outer one's.
    fn envelope(&self) -> Option<Cow<'_, str>> {
        let mut text: Option<Cow<'_, str>> = None;
        for members in self
            .chain()
            .filter_map(|scope| scope.provenance?.envelope.as_deref())
        {
            text = Some(match text {
                None => Cow::Borrowed(members),
                Some(inner) => Cow::Owned(format!("{members},\"envelope\":{{{inner}}}")),
            });
        }
        text
    }
}

/// The events of one envelope, on their way to the sink.
pub(super) struct Unwrapping<'u, 'w, S> {
    pub(super) walk: &'u mut Walk<'w, S>,
    /// Where the record begins in the chunk.
    pub(super) from: usize,
    /// The record's length in the chunk.
    pub(super) length: usize,
    pub(super) scope: Scope<'u>,
}

impl<S: RecordSink> Unwrapping<'_, '_, S> {
    /// Text that lies in the chunk has its own place and length; text that was made has the
    /// record's.
    fn locate(&self, text: &str) -> (usize, usize) {
        let chunk = self.walk.bytes();
        let inside = (text.as_ptr() as usize)
            .checked_sub(chunk.as_ptr() as usize)
            .filter(|at| at + text.len() <= chunk.len());
        inside.map_or((self.from, self.length), |at| (at, text.len()))
    }

    fn decoded_at(
        &mut self,
        text: &str,
        (from, length): (usize, usize),
        provenance: &Provenance<'_>,
    ) {
        let scope = Scope {
            format: self.scope.format,
            provenance: Some(provenance),
            outer: Some(&self.scope),
        };
        self.walk.payload(from, length, text, &scope);
    }
}

impl<S: RecordSink> Unwrapped for Unwrapping<'_, '_, S> {
    fn event<'t>(&mut self, text: &'t str, inherited: Option<Text<'t>>) {
        let (from, length) = self.locate(text);
        let (reason, message) = match Event::decode(text, inherited) {
            Ok((event, end)) if end <= self.walk.limit() => {
                self.walk
                    .emit(event, &text[..end], from, length, &self.scope);
                return;
            }
            Err(NoEvent::Other { end }) if end <= self.walk.limit() => {
                self.walk.skip(reason::NOT_AN_EVENT);
                return;
            }
            Ok(_) | Err(NoEvent::Other { .. }) => (reason::TOO_LARGE, TOO_LONG.to_owned()),
            Err(NoEvent::Json(fault)) => (reason::JSON, describe(fault)),
        };
        self.walk.reject(from, from + length, reason, message);
    }

    fn payload(&mut self, value: Value<'_>, provenance: &Provenance<'_>) {
        let place = self.locate(value.raw);
        match value.text() {
            Some(text) => self.decoded_at(&text.decode(), place, provenance),
            None => self.decoded_at(value.raw, place, provenance),
        }
    }

    fn decoded(&mut self, text: &str, provenance: &Provenance<'_>) {
        self.decoded_at(text, (self.from, self.length), provenance);
    }

    fn made(&mut self, text: &str, provenance: &Provenance<'_>) {
        let scope = Scope {
            format: self.scope.format,
            provenance: Some(provenance),
            outer: self.scope.outer,
        };
        match Event::decode(text, None) {
            Ok((event, end)) => self
                .walk
                .emit(event, &text[..end], self.from, self.length, &scope),
            Err(NoEvent::Other { .. }) => self.walk.skip(reason::NOT_AN_EVENT),
            Err(NoEvent::Json(fault)) => self.walk.reject(
                self.from,
                self.from + self.length,
                reason::JSON,
                describe(fault),
            ),
        }
    }

    fn part(&mut self, text: &str, part: PayloadPart<'_>, provenance: &Provenance<'_>) {
        let scope = Scope {
            format: self.scope.format,
            provenance: Some(provenance),
            outer: Some(&self.scope),
        };
        self.walk
            .part(self.from, self.length, text.as_bytes(), part, &scope);
    }

    fn reject(&mut self, text: &str, message: &str) {
        let (from, length) = self.locate(text);
        self.walk
            .reject(from, from + length, reason::JSON, message.to_owned());
    }

    fn skip(&mut self) {
        self.walk.skip(reason::NOT_AN_EVENT);
    }
}

fn describe(fault: Fault) -> String {
    match fault {
        Fault::Incomplete => TOO_SHORT.to_owned(),
        Fault::Syntax { at, what } => format!("{what} (byte {at} of the record)"),
    }
}

impl<S: RecordSink> Walk<'_, S> {
    /// An event that stands in envelopes.
    pub(super) fn emit(
        &mut self,
        event: Event<'_>,
        text: &str,
        from: usize,
        length: usize,
        scope: &Scope<'_>,
    ) {
        let envelope = scope.envelope();
        let mut event = event;
        event.leftovers.envelope = envelope.as_deref();
        event.truncated |= scope.any(|provenance| provenance.truncated);
        event.one_time = scope.any(|provenance| provenance.one_time);
        self.event(&event, text, from, length, &scope.source(), scope.twin());
    }

    /// The format of an event that may be an envelope itself.
    pub(super) fn resembling<'t>(
        event: &Event<'_>,
        text: &'t str,
    ) -> Option<(Record<'t>, &'static dyn Format)> {
        if !event.leftovers.has_members() {
            return None;
        }
        let record = Record::new(text).ok()?;
        let format = detect_resembling(&record)?;
        Some((record, format))
    }

    /// What an envelope holds: events and envelopes one behind the other, a list of them, or a line
    /// with a prefix of its own.
    pub(super) fn payload(&mut self, from: usize, length: usize, text: &str, scope: &Scope<'_>) {
        if scope.chain().count() > 2 * MOST_LAYERS {
            self.skip(reason::NOT_AN_EVENT);
            return;
        }
        let mut rest = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        let mut first = true;
        loop {
            let end = match rest.as_bytes().first() {
                Some(b'{') => self.payload_object(from, length, rest, scope),
                // `[INFO] …` is no list.
                Some(b'[') if first && rest[1..].trim_start().starts_with(['{', '[', ']']) => {
                    self.payload_list(from, length, rest, scope);
                    None
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

    fn payload_list(&mut self, from: usize, length: usize, text: &str, scope: &Scope<'_>) {
        let mut list = elements(Value::array(text));
        let mut empty = true;
        for element in list.by_ref() {
            empty = false;
            match element.kind {
                ValueKind::Object => {
                    self.payload_object(from, length, element.raw, scope);
                }
                _ => self.skip(reason::NOT_AN_EVENT),
            }
        }
        if list.fault.is_some() {
            self.reject(
                from,
                from + length,
                reason::JSON,
                "the list goes on with something that is no element".to_owned(),
            );
        } else if empty {
            self.skip(reason::NOT_AN_EVENT);
        }
    }

    fn payload_text(&mut self, from: usize, length: usize, text: &str, scope: &Scope<'_>) {
        match detect_line(text) {
            Some((format, line)) if line.part.is_none_or(|part| part.complete) => {
                let inner = Scope {
                    format,
                    provenance: Some(&line.provenance),
                    outer: Some(scope),
                };
                self.payload(from, length, &line.payload, &inner);
            }
            _ => self.skip(reason::NOT_AN_EVENT),
        }
    }

    /// The object at the start of `text`; where it ends, unless the rest is lost.
    fn payload_object(
        &mut self,
        from: usize,
        length: usize,
        text: &str,
        scope: &Scope<'_>,
    ) -> Option<usize> {
        if let Some(format) = self.records.inner
            && let Ok(record) = Record::new(text)
            && format.recognises(&record)
        {
            self.unwrap_in(from, length, &record, format, scope);
            return Some(record.text.len());
        }
        let fault = match Event::decode_with(text, None, &mut self.records.memo) {
            Ok((_, end)) | Err(NoEvent::Other { end }) if end > self.limit() => {
                let message = TOO_LONG.to_owned();
                self.reject(from, from + length, reason::TOO_LARGE, message);
                return Some(end);
            }
            Ok((event, end)) => {
                match Self::resembling(&event, &text[..end]) {
                    Some((record, format)) => self.unwrap_in(from, length, &record, format, scope),
                    None => {
                        self.records.inner = None;
                        self.emit(event, &text[..end], from, length, scope);
                    }
                }
                return Some(end);
            }
            Err(NoEvent::Other { .. }) => None,
            Err(NoEvent::Json(fault)) => Some(fault),
        };
        match (Record::new(text), fault) {
            (Ok(record), fault) => {
                match (
                    detect(&record).filter(|format| format.name() != PLAIN),
                    fault,
                ) {
                    (Some(format), _) => self.unwrap_in(from, length, &record, format, scope),
                    (None, None) => self.skip(reason::NOT_AN_EVENT),
                    (None, Some(fault)) => {
                        self.reject(from, from + length, reason::JSON, describe(fault))
                    }
                }
                Some(record.text.len())
            }
            (Err(fault), _) => {
                self.broken(from, length, text, fault, scope);
                None
            }
        }
    }

    fn unwrap_in(
        &mut self,
        from: usize,
        length: usize,
        record: &Record<'_>,
        format: &'static dyn Format,
        scope: &Scope<'_>,
    ) {
        self.records.inner = Some(format).filter(|format| format.name() != PLAIN);
        let scope = Scope {
            format,
            provenance: None,
            outer: Some(scope),
        };
        format.unwrap(
            record,
            &mut Unwrapping {
                walk: self,
                from,
                length,
                scope,
            },
        );
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
                let message = "the event was cut before it said what it is".to_owned();
                return self.reject(from, from + length, reason::TRUNCATED, message);
            };
            if let Ok((mut event, end)) = Event::decode(&made, None) {
                event.truncated = true;
                return self.emit(event, &made[..end], from, length, scope);
            }
        }
        if fault == Fault::Incomplete && scope.is_line() && self.may_still_grow(from, length) {
            return self.skip_tail(from);
        }
        self.reject(from, from + length, reason::JSON, describe(fault));
    }

    /// A part of a payload, joined to the parts before it.
    pub(super) fn part(
        &mut self,
        from: usize,
        length: usize,
        bytes: &[u8],
        part: PayloadPart<'_>,
        scope: &Scope<'_>,
    ) {
        let Some(whole) = self.joined(from, bytes, part) else {
            return;
        };
        match std::str::from_utf8(&whole) {
            Ok(text) => self.payload(from, length, text, scope),
            Err(_) => self.reject(
                from,
                from + length,
                reason::UTF8,
                "the record is no UTF-8".to_owned(),
            ),
        }
    }

    /// A line of text that a format knows; false if none does.
    pub(super) fn text_line(&mut self, at: usize, line_end: usize) -> bool {
        let bytes = self.bytes();
        let line = bytes[at..line_end].trim_ascii_end();
        // A part may end inside a character.
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or_default(),
        };
        let Some((format, line_of)) = detect_line(text) else {
            return false;
        };
        // A line of the legacy format that was cut looks like any program's.
        if !line_of.payload.starts_with('{') && text.contains(" AUDIT: id=\"") {
            return false;
        }
        let length = line.len();
        let scope = Scope {
            format,
            provenance: Some(&line_of.provenance),
            outer: None,
        };
        match (&line_of.payload, line_of.part) {
            (Cow::Borrowed(payload), Some(part)) => {
                let offset = payload.as_ptr() as usize - text.as_ptr() as usize;
                // Blanks belong to the text that a part cuts.
                let whole = &bytes[at..line_end];
                let whole = whole.strip_suffix(b"\r").unwrap_or(whole);
                self.part(at, length, &whole[offset..], part, &scope);
            }
            _ if text.len() < line.len() => self.reject(
                at,
                at + length,
                reason::UTF8,
                "the record is no UTF-8".to_owned(),
            ),
            (payload, _) => self.payload(at, length, payload, &scope),
        }
        true
    }
}
