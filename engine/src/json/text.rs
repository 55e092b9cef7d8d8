//! A JSON string as it is in the input: its bytes between the quotes in, the text, decoded on
//! demand, out.

use std::borrow::Cow;

/// The inside of a JSON string, valid by RFC 8259 §7 (escapes are well-formed, no control byte is
/// raw).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// No text.
    pub(crate) const EMPTY: Text<'static> = Text::plain_text("");

    pub(super) const fn new(raw: &'a str, escaped: bool) -> Self {
        Self { raw, escaped }
    }

    /// Text that was decoded before, taken as it is.
    pub(crate) const fn plain_text(text: &'a str) -> Self {
        Self {
            raw: text,
            escaped: false,
        }
    }

    /// The text as written, escapes included, quotes not.
    pub(crate) const fn raw(self) -> &'a str {
        self.raw
    }

    /// The text itself. A lone surrogate becomes U+FFFD, as in Go's `encoding/json`; see
    /// [`Self::is_exact`].
    #[inline]
    pub(crate) fn decode(self) -> Cow<'a, str> {
        if self.escaped {
            let mut out = String::with_capacity(self.raw.len());
            self.decode_into(&mut out);
            Cow::Owned(out)
        } else {
            Cow::Borrowed(self.raw)
        }
    }

    /// The text itself if it needs no decoding.
    #[inline]
    pub(crate) const fn plain(self) -> Option<&'a str> {
        if self.escaped { None } else { Some(self.raw) }
    }

    /// Appends the decoded text.
    pub(crate) fn decode_into(self, out: &mut String) {
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
            out.push_str(&rest[..at]);
            let (ch, used) = escape(&rest.as_bytes()[at + 1..]);
            out.push(ch);
            rest = &rest[at + 1 + used..];
        }
        out.push_str(rest);
    }

    /// Does decoding lose nothing? False when an escape names a lone surrogate.
    pub(crate) fn is_exact(self) -> bool {
        if !self.escaped {
            return true;
        }
        let bytes = self.raw.as_bytes();
        let mut at = 0;
        while let Some(step) = memchr::memchr(b'\\', &bytes[at..]) {
            let escape_at = at + step + 1;
            let (ch, used) = escape(&bytes[escape_at..]);
            if ch == char::REPLACEMENT_CHARACTER
                && !bytes[escape_at..]
                    .get(1..5)
                    .is_some_and(|hex| hex.eq_ignore_ascii_case(b"fffd"))
            {
                return false;
            }
            at = escape_at + used;
        }
        true
    }

    /// The identity of a member name: the decoded text, or, if decoding loses something, the text
    /// as written.
    pub(crate) fn identity(self) -> Cow<'a, str> {
        if self.is_exact() {
            self.decode()
        } else {
            Cow::Owned(format!("\0{}", self.raw))
        }
    }

    /// Equality with a decoded text, without allocating.
    #[inline]
    pub(crate) fn eq_str(self, other: &str) -> bool {
        if self.escaped {
            self.decode() == other
        } else {
            self.raw == other
        }
    }
}

/// The character of the escape whose bytes after the backslash are `bytes`, and how many of them it
/// takes.
fn escape(bytes: &[u8]) -> (char, usize) {
    match bytes.first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => {
            let unit = hex4(bytes.get(1..5));
            if (0xD800..0xDC00).contains(&unit) && bytes.get(5..7) == Some(b"\\u") {
                let low = hex4(bytes.get(7..11));
                if (0xDC00..0xE000).contains(&low) {
                    let scalar = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
                    return (
                        char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER),
                        11,
                    );
                }
            }
            (
                char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                5,
            )
        }
        Some(&other) => (char::from(other), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

/// Four hex digits; 0xFFFD where they are not (the cursor has checked them).
fn hex4(digits: Option<&[u8]>) -> u32 {
    digits
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .unwrap_or(0xFFFD)
}
