//! The log being written: events in, whole lines out, in blocks.

use std::io::{self, Write};

use super::template::{Moment, Template};

/// The log and what was written so far.
pub(super) struct Log<'a, W> {
    out: &'a mut W,
    buffer: Vec<u8>,
    pub(super) bytes: u64,
    pub(super) events: u64,
    /// The last event's `stageTimestamp`, in microseconds since 1970.
    pub(super) last: i64,
}

const BUFFER: usize = 1 << 18;

impl<'a, W: Write> Log<'a, W> {
    /// A log whose first event is later than `begin`.
    pub(super) fn new(out: &'a mut W, begin: i64) -> Self {
        Self {
            out,
            buffer: Vec::with_capacity(BUFFER + (1 << 16)),
            bytes: 0,
            events: 0,
            last: begin,
        }
    }

    /// Writes an event, at the moment's stage or just after the last event.
    pub(super) fn write(&mut self, template: &Template, mut moment: Moment<'_>) -> io::Result<()> {
        self.last = moment.stage.max(self.last + 1);
        moment.stage = self.last;
        let before = self.buffer.len();
        template.write(&mut self.buffer, &mut moment);
        self.bytes += (self.buffer.len() - before) as u64;
        self.events += 1;
        if self.buffer.len() >= BUFFER {
            self.flush()
        } else {
            Ok(())
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
