//! What can be read only once, made readable again: a stream in, a temporary copy out.
//!
//! Several questions may ask for the same stdin at the same time. One of them reads or copies it
//! while the others wait: two that read it side by side would each get a part.

use std::io::{self, Read};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{Error, ErrorKind, Result};
use crate::source::Held;
use crate::temporary;

/// A stream and its copy, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Spool(Mutex<SpoolState>);

#[derive(Debug, Default)]
enum SpoolState {
    /// Nobody has read it.
    #[default]
    Unread,
    /// Its first bytes were looked at: it is read from here.
    Begun(BegunStream),
    /// Somebody reads it, or has: it cannot be read again.
    Taken,
    /// It was copied here. The copy has no name: nothing of it can be left behind.
    Copied(Arc<Held>),
}

/// A stream that still begins with its first byte.
struct BegunStream(Box<dyn Read + Send>);

impl std::fmt::Debug for BegunStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BegunStream")
    }
}

impl Spool {
    /// Of a stream that was looked at.
    pub(super) fn begun(stream: Box<dyn Read + Send>) -> Self {
        Self(Mutex::new(SpoolState::Begun(BegunStream(stream))))
    }

    /// A reader of the copy; without one, the stream itself, which can be read `once` or again.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or was read before.
    pub(super) fn open(
        &self,
        once: bool,
        stream: impl FnOnce() -> io::Result<Box<dyn Read + Send>>,
    ) -> io::Result<Box<dyn Read + Send>> {
        let mut state = self.0.lock();
        match std::mem::replace(&mut *state, SpoolState::Taken) {
            SpoolState::Copied(copy) => {
                let reader = copy.reader(0);
                *state = SpoolState::Copied(copy);
                Ok(Box::new(reader))
            }
            SpoolState::Begun(BegunStream(stream)) => Ok(stream),
            SpoolState::Taken => Err(io::Error::other(ALREADY_READ)),
            SpoolState::Unread => {
                if !once {
                    *state = SpoolState::Unread;
                }
                stream()
            }
        }
    }

    /// Copies the stream, unless it was copied before; `uri` names it in messages.
    ///
    /// # Errors
    ///
    /// When it was read before, or cannot be copied.
    pub(super) fn fill(
        &self,
        uri: &str,
        stream: impl FnOnce() -> io::Result<Box<dyn Read + Send>>,
    ) -> Result<()> {
        let mut state = self.0.lock();
        // Half a copy is none: whoever comes next must not take it for the whole.
        let begun = match std::mem::replace(&mut *state, SpoolState::Taken) {
            SpoolState::Copied(copy) => {
                *state = SpoolState::Copied(copy);
                return Ok(());
            }
            SpoolState::Taken => return Err(Error::input(uri, ALREADY_READ)),
            SpoolState::Begun(BegunStream(stream)) => Some(stream),
            SpoolState::Unread => None,
        };
        let fail = |source: io::Error| {
            let path = format!("the temporary copy of {uri}");
            Error::from(ErrorKind::Output { path, source })
        };
        let mut copy = temporary::nameless().map_err(fail)?;
        let mut stream = begun.map_or_else(stream, Ok).map_err(fail)?;
        io::copy(&mut stream, &mut copy).map_err(fail)?;
        *state = SpoolState::Copied(Held::of(copy).map_err(fail)?);
        Ok(())
    }

    /// The copy, if there is one.
    pub(crate) fn copy(&self) -> Option<Arc<Held>> {
        match &*self.0.lock() {
            SpoolState::Copied(copy) => Some(Arc::clone(copy)),
            SpoolState::Unread | SpoolState::Begun(_) | SpoolState::Taken => None,
        }
    }
}

const ALREADY_READ: &str = "was read by an earlier question and cannot be read again";

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes() -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(&b"one\n"[..]))
    }

    #[test]
    fn a_stream_is_read_once_and_a_copy_often() {
        let spool = Spool::default();
        assert!(spool.open(true, bytes).is_ok());
        assert!(spool.open(true, bytes).is_err());
        let error = spool.fill("stdin", bytes).unwrap_err();
        assert_eq!(error.to_string(), format!("stdin: {ALREADY_READ}"));

        let spool = Spool::begun(bytes().unwrap());
        spool.fill("stdin", || panic!("it was begun")).unwrap();
        assert!(spool.copy().is_some());
        let spool = Spool::begun(bytes().unwrap());
        assert!(spool.open(true, || panic!("it was begun")).is_ok());
        assert!(spool.open(true, bytes).is_err());

        let spool = Spool::default();
        spool.fill("stdin", bytes).unwrap();
        for _ in 0..2 {
            let mut text = String::new();
            let mut copy = spool.open(true, || panic!("it was copied")).unwrap();
            copy.read_to_string(&mut text).unwrap();
            assert_eq!(text, "one\n");
        }
    }
}
