//! One try to read a record: the text from its brace on in; an event or the contents of an envelope
//! to the sink, and where the record ends, or why there is none, out.

use crate::account::reason;
use crate::event::{Event, NoEvent};
use crate::format::{Envelope, EventList, Format, PLAIN, Record, detect, is_event};
use crate::json::{Fault, Text, container_end};
use crate::record::scope::Scope;
use crate::record::sink::{EventSource, RecordSink};
use crate::record::unwrapping::Unwrapping;
use crate::record::walk::{NOT_UTF8, TOO_SHORT, Walk};
use crate::source::chunk::{DOCUMENT, too_long};
use crate::source::elements::is_document;

/// How a try to read a record ended.
pub(super) enum Attempt {
    /// The record ends at this byte of the chunk.
    Until(usize),
    /// More text might complete it.
    Incomplete,
    /// It is longer than the limit.
    TooLarge,
    /// It cannot be read, for this reason; met at this byte of the chunk.
    Bad {
        at: usize,
        reason: &'static str,
        what: &'static str,
    },
}

impl<'w, S: RecordSink> Walk<'w, S> {
    /// Tries to read the record at `from`, which has to end before `to`.
    pub(super) fn try_record(&mut self, from: usize, to: usize) -> Attempt {
        let text = match self.text {
            Some(text) => &text[from..to],
            None => match self.utf8(from, to) {
                Ok(text) => text,
                Err(attempt) => return attempt,
            },
        };
        if let Some(forced) = self.records.forced {
            return self.try_forced(from, text, forced);
        }
        // Where the record before was in an envelope, this one probably is, and decoding it as an
        // event would be in vain. What is found is the same either way.
        if self.records.in_envelope
            && let Ok(record) = Record::new(text)
            && let Some(format) = detect(&record)
        {
            return self.unwrap(from, &record, format);
        }
        let limit = self.records.limit;
        let inherited = self.chunk.inherited.as_deref().map(Text::plain_text);
        match Event::decode_with(text, inherited, &mut self.records.memo) {
            Ok((_, end)) if end > limit => Attempt::TooLarge,
            Ok((event, end)) => {
                if let Some((record, format)) = Self::resembling(&event, &text[..end]) {
                    return self.unwrap(from, &record, format);
                }
                let format = if inherited.is_some() {
                    EventList.name()
                } else {
                    PLAIN
                };
                let source = EventSource::plain(format);
                self.records.in_envelope = false;
                self.event(&event, &text[..end], from, end, &source, None);
                Attempt::Until(from + end)
            }
            Err(NoEvent::Other { end })
                if end > limit && !is_document(&text.as_bytes()[..end], limit) =>
            {
                Attempt::TooLarge
            }
            Err(no_event) => self.try_envelope(from, text, no_event),
        }
    }

    /// The record at `from`, which is not an event, or not a whole one: the fault may lie in one of
    /// many events in an envelope.
    fn try_envelope(&mut self, from: usize, text: &str, no_event: NoEvent) -> Attempt {
        let record = match (Record::new(text), &no_event) {
            (Ok(record), _) => record,
            (Err(_), NoEvent::Json(fault)) => return self.fault(from, text, *fault),
            (Err(fault), NoEvent::Other { .. }) => return self.fault(from, text, fault),
        };
        match (detect(&record), no_event) {
            (Some(format), _) => self.unwrap(from, &record, format),
            (None, NoEvent::Json(fault)) => self.fault(from, text, fault),
            (None, NoEvent::Other { .. }) => {
                self.pass_over(from, record.text.len(), record.text.as_bytes());
                Attempt::Until(from + record.text.len())
            }
        }
    }

    /// The text of the record at `from`, in a chunk that is not UTF-8 as a whole. Only the value
    /// itself has to be UTF-8, not what follows it on the line.
    fn utf8(&self, from: usize, to: usize) -> Result<&'w str, Attempt> {
        let end = match container_end(&self.bytes[..to], from) {
            Some(Ok(end)) => end,
            _ => to,
        };
        std::str::from_utf8(&self.bytes[from..end]).map_err(|error| match error.error_len() {
            None => Attempt::Incomplete,
            Some(_) => Attempt::Bad {
                at: from + error.valid_up_to(),
                reason: reason::UTF8,
                what: NOT_UTF8,
            },
        })
    }

    /// The record, where only one format is wanted.
    fn try_forced(&mut self, from: usize, text: &str, forced: Format) -> Attempt {
        match (Record::new(text), forced) {
            (Ok(record), Format::Envelope(format)) if format.recognises(&record) => {
                self.unwrap(from, &record, format)
            }
            (Ok(record), _) => {
                self.pass_over(from, record.text.len(), record.text.as_bytes());
                Attempt::Until(from + record.text.len())
            }
            (Err(fault), _) => self.fault(from, text, fault),
        }
    }

    /// How long what begins here may be.
    pub(super) fn longest(&self, at: usize) -> usize {
        let limit = self.records.limit;
        let rest = &self.bytes[at..];
        if rest.len() > limit && is_document(rest, limit) {
            DOCUMENT.max(limit)
        } else {
            limit
        }
    }

    fn fault(&self, from: usize, text: &str, fault: Fault) -> Attempt {
        match fault {
            Fault::Incomplete if text.len() > self.longest(from) => Attempt::TooLarge,
            Fault::Incomplete => Attempt::Incomplete,
            Fault::Syntax { at, what } => Attempt::Bad {
                at: from + at,
                reason: reason::JSON,
                what,
            },
        }
    }

    fn unwrap(
        &mut self,
        from: usize,
        record: &Record<'_>,
        format: &'static dyn Envelope,
    ) -> Attempt {
        let (length, limit) = (record.text.len(), self.records.limit);
        if length > limit && (is_event(record) || !is_document(record.text.as_bytes(), limit)) {
            return Attempt::TooLarge;
        }
        self.records.in_envelope = true;
        format.unwrap(
            record,
            &mut Unwrapping {
                walk: self,
                from,
                length,
                scope: Scope::new(format.name()),
            },
        );
        Attempt::Until(from + length)
    }

    /// Rejects the record in `[from, to)`, which a try found to be bad or too large.
    pub(super) fn reject_attempt(&mut self, from: usize, to: usize, attempt: &Attempt) {
        let (reason, message) = match attempt {
            Attempt::TooLarge => (reason::TOO_LARGE, too_long(self.records.limit)),
            Attempt::Bad { at, reason, what } if *reason == reason::JSON => (
                *reason,
                format!("{what} (byte {} of the record)", at - from),
            ),
            Attempt::Bad { reason, what, .. } => (*reason, (*what).to_owned()),
            Attempt::Until(_) | Attempt::Incomplete => (reason::JSON, TOO_SHORT.to_owned()),
        };
        self.reject(from, to, reason, message);
    }
}
