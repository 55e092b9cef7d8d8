//! Raw JSON: bytes in, borrowed slices out; nothing is allocated, nothing recurses.
//!
//! Audit events are wide and shallow, and most of their bytes are bodies that queries rarely need.
//! So this module does not build a document: [`Cursor`] walks the members of one object and hands
//! out [`Value`]s, slices of the input with a known kind. There are two depths of trust, and every
//! caller chooses one:
//!
//! - [`Cursor::value`] *validates*: the grammar of RFC 8259 holds for every byte of the value. It
//!   is used for an event's own members.
//! - [`Cursor::carry`] *carries*: containers are only checked to be balanced with closed strings,
//!   at the speed of [`skip`]. It is used for bodies, whose insides are judged where they are read.
//!
//! Only memory bounds the depth (one bit a level), so 10⁶ nested arrays are a value like any other.
//! Numbers stay text.
//!
//! Not responsible for: UTF-8, which callers check once for many records; what a value means.

mod cursor;
mod object;
mod skip;
mod text;
mod write;

pub(crate) use cursor::{Cursor, Fault, Span, Value, ValueKind, container_end};
pub(crate) use object::{elements, last_member, members};
pub(crate) use text::Text;
pub(crate) use write::{write_string, write_text};
