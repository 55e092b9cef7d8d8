//! A cursor over one JSON text: text in; values and members, or where and why there is none, out.
//!
//! Not responsible for: UTF-8, which the caller has checked.

use crate::json::skip;
use crate::json::skip::Stop;
use crate::json::text::Text;

/// Why no value could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text ends inside a value: more bytes could complete it.
    Incomplete,
    /// No continuation would make this JSON.
    Syntax {
        /// Byte position in the cursor's text.
        at: usize,
        /// What is wrong, for people.
        what: &'static str,
    },
}

/// The kind of a value, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueKind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

/// One value: its exact bytes and its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// The bytes of the value, without surrounding white space.
    pub(crate) raw: &'a str,
    pub(crate) kind: ValueKind,
    escaped: bool,
}

impl<'a> Value<'a> {
    /// Empty text.
    pub(crate) const EMPTY_TEXT: Value<'static> = Value {
        raw: "\"\"",
        kind: ValueKind::String,
        escaped: false,
    };

    /// An array whose brackets are known to match.
    pub(crate) const fn array(raw: &'a str) -> Self {
        Self {
            raw,
            kind: ValueKind::Array,
            escaped: false,
        }
    }

    /// The string, if it is one.
    #[inline]
    pub(crate) fn text(self) -> Option<Text<'a>> {
        (self.kind == ValueKind::String)
            .then(|| Text::new(&self.raw[1..self.raw.len() - 1], self.escaped))
    }
}

/// Where a value is in its text, to find it again when the text is borrowed again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    start: usize,
    end: usize,
    kind: ValueKind,
    escaped: bool,
}

impl Span {
    /// Of a value inside `text`.
    pub(crate) fn of(value: Value<'_>, text: &str) -> Self {
        let start = value.raw.as_ptr() as usize - text.as_ptr() as usize;
        Self {
            start,
            end: start + value.raw.len(),
            kind: value.kind,
            escaped: value.escaped,
        }
    }

    /// Of a string inside `text`.
    pub(crate) fn of_text(string: Text<'_>, text: &str) -> Self {
        let start = string.raw().as_ptr() as usize - text.as_ptr() as usize;
        // With its quotes.
        Self {
            start: start - 1,
            end: start + string.raw().len() + 1,
            kind: ValueKind::String,
            escaped: string.plain().is_none(),
        }
    }

    /// The value, in a text with the same bytes.
    pub(crate) fn value(self, text: &str) -> Value<'_> {
        Value {
            raw: &text[self.start..self.end],
            kind: self.kind,
            escaped: self.escaped,
        }
    }
}

/// A position in a text that is known to be UTF-8.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    const fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes()
    }

    const fn syntax<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(Fault::Syntax { at: self.at, what })
    }

    /// The next byte that is not white space, not consumed.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Result<u8, Fault> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(&byte) => return Ok(byte),
                None => return Err(Fault::Incomplete),
            }
        }
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Steps over bytes that are known to end at a character boundary.
    pub(crate) const fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// What was read since `start`, as an object.
    pub(crate) fn object_since(&self, start: usize) -> Value<'a> {
        Value {
            raw: &self.text[start..self.at],
            kind: ValueKind::Object,
            escaped: false,
        }
    }

    /// What was read since `start`, as an array.
    pub(crate) fn array_since(&self, start: usize) -> Value<'a> {
        Value {
            raw: &self.text[start..self.at],
            kind: ValueKind::Array,
            escaped: false,
        }
    }

    /// Consumes `byte` if it is next.
    #[inline(always)]
    pub(crate) fn take(&mut self, byte: u8) -> Result<bool, Fault> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        Ok(found)
    }

    /// The start of an object: `{`.
    pub(crate) fn open_object(&mut self) -> Result<(), Fault> {
        if self.take(b'{')? {
            Ok(())
        } else {
            self.syntax("expected `{`")
        }
    }

    /// The name of the next member, with its colon consumed; `None` at the closing brace.
    /// `first` says that no member came before.
    #[inline(always)]
    pub(crate) fn name(&mut self, first: bool) -> Result<Option<Text<'a>>, Fault> {
        match self.peek()? {
            b'}' if first => {
                self.at += 1;
                return Ok(None);
            }
            b'"' if first => {}
            b'}' => {
                self.at += 1;
                return Ok(None);
            }
            b',' if !first => {
                self.at += 1;
                if self.peek()? != b'"' {
                    return self.syntax("expected a member name after `,`");
                }
            }
            _ if first => return self.syntax("expected a member name or `}`"),
            _ => return self.syntax("expected `,` or `}`"),
        }
        let name = self.string()?;
        if !self.take(b':')? {
            return self.syntax("expected `:` after a member name");
        }
        Ok(Some(name))
    }

    /// Is there another array element? Consumes the comma before it, or the closing bracket.
    #[inline(always)]
    pub(crate) fn element(&mut self, first: bool) -> Result<bool, Fault> {
        match self.peek()? {
            b']' => {
                self.at += 1;
                Ok(false)
            }
            _ if first => Ok(true),
            b',' => {
                self.at += 1;
                if self.peek()? == b']' {
                    return self.syntax("expected an element after `,`");
                }
                Ok(true)
            }
            _ => self.syntax("expected `,` or `]`"),
        }
    }

    /// A string; the cursor stands on its opening quote.
    #[inline(always)]
    fn string(&mut self) -> Result<Text<'a>, Fault> {
        let start = self.at + 1;
        let (end, escaped) = self.string_end(start)?;
        self.at = end + 1;
        Ok(Text::new(&self.text[start..end], escaped))
    }

    /// The position of the closing quote of the string whose inside begins at `at`, and whether it
    /// has escapes.
    #[inline(always)]
    fn string_end(&mut self, at: usize) -> Result<(usize, bool), Fault> {
        let end = skip::special(self.bytes(), at);
        if self.bytes().get(end) == Some(&b'"') {
            Ok((end, false))
        } else {
            self.escaped_end(end)
        }
    }

    #[cold]
    fn escaped_end(&mut self, mut at: usize) -> Result<(usize, bool), Fault> {
        let bytes = self.bytes();
        let mut escaped = false;
        loop {
            match bytes.get(at) {
                None => return Err(Fault::Incomplete),
                Some(b'"') => return Ok((at, escaped)),
                Some(b'\\') => {
                    escaped = true;
                    let end = skip::escapes(bytes, at);
                    if end > at {
                        at = end;
                        continue;
                    }
                    let length = match bytes.get(at + 1) {
                        None => return Err(Fault::Incomplete),
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u') => {
                            for i in at + 2..at + 6 {
                                match bytes.get(i) {
                                    None => return Err(Fault::Incomplete),
                                    Some(byte) if byte.is_ascii_hexdigit() => {}
                                    Some(_) => {
                                        return Err(Fault::Syntax {
                                            at: i,
                                            what: "`\\u` needs four hex digits",
                                        });
                                    }
                                }
                            }
                            6
                        }
                        Some(_) => {
                            return Err(Fault::Syntax {
                                at,
                                what: "unknown escape in a string",
                            });
                        }
                    };
                    at = skip::special(bytes, at + length);
                }
                Some(0..0x20) => {
                    return Err(Fault::Syntax {
                        at,
                        what: "raw control byte in a string",
                    });
                }
                Some(_) => at = skip::special(bytes, at),
            }
        }
    }

    /// The next value, every byte of it validated.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Fault> {
        match self.peek()? {
            b'{' | b'[' => self.nested(),
            _ => self.scalar(),
        }
    }

    /// The next value; a container's insides are only checked for balance and closed strings.
    #[inline(always)]
    pub(crate) fn carry(&mut self) -> Result<Value<'a>, Fault> {
        let kind = match self.peek()? {
            b'{' => ValueKind::Object,
            b'[' => ValueKind::Array,
            _ => return self.scalar(),
        };
        let start = self.at;
        match skip::container(self.bytes(), start) {
            Ok(end) => {
                self.at = end;
                Ok(Value {
                    raw: &self.text[start..end],
                    kind,
                    escaped: false,
                })
            }
            Err(Stop::End) => Err(Fault::Incomplete),
            Err(Stop::Bad(at)) => Err(Fault::Syntax {
                at,
                what: if self.bytes().get(at) == Some(&b'\n') {
                    "raw newline in a string"
                } else {
                    "bracket closes another kind"
                },
            }),
        }
    }

    #[inline(always)]
    fn scalar(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        let (kind, escaped) = match self.peek()? {
            b'"' => {
                let (end, escaped) = self.string_end(start + 1)?;
                self.at = end + 1;
                (ValueKind::String, escaped)
            }
            b't' => (self.literal("true", ValueKind::Boolean)?, false),
            b'f' => (self.literal("false", ValueKind::Boolean)?, false),
            b'n' => (self.literal("null", ValueKind::Null)?, false),
            b'-' | b'0'..=b'9' => (self.number()?, false),
            _ => return self.syntax("expected a value"),
        };
        Ok(Value {
            raw: &self.text[start..self.at],
            kind,
            escaped,
        })
    }

    fn literal(&mut self, word: &'static str, kind: ValueKind) -> Result<ValueKind, Fault> {
        let rest = &self.bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(kind)
        } else if word.as_bytes().starts_with(rest) {
            Err(Fault::Incomplete)
        } else {
            self.syntax("expected a value")
        }
    }

    /// A number by RFC 8259 §6. At the end of the text it is incomplete: more digits could follow.
    fn number(&mut self) -> Result<ValueKind, Fault> {
        let start = self.at;
        self.at += usize::from(self.bytes().get(self.at) == Some(&b'-'));
        match self.bytes().get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            None => return Err(Fault::Incomplete),
            Some(_) => return self.syntax("expected a digit"),
        }
        if self.bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes().get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes().get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        if self.at == self.text.len() && start != 0 {
            Err(Fault::Incomplete)
        } else {
            Ok(ValueKind::Number)
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while self.bytes().get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at > start {
            Ok(())
        } else if self.at == self.text.len() {
            Err(Fault::Incomplete)
        } else {
            self.syntax("expected a digit")
        }
    }

    /// A container, validated without recursion: a bit a level says whether it is an object.
    fn nested(&mut self) -> Result<Value<'a>, Fault> {
        let start = self.at;
        let kind = if self.bytes()[start] == b'{' {
            ValueKind::Object
        } else {
            ValueKind::Array
        };
        let mut levels: Vec<bool> = Vec::new();
        // `opened`: the container on top of the stack was opened just now.
        let mut opened = true;
        levels.push(kind == ValueKind::Object);
        self.at += 1;
        while let Some(&object) = levels.last() {
            let more = if object {
                self.name(opened)?.is_some()
            } else {
                self.element(opened)?
            };
            if !more {
                levels.pop();
                opened = false;
                continue;
            }
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    levels.push(open == b'{');
                    opened = true;
                }
                _ => {
                    self.scalar()?;
                    opened = false;
                }
            }
        }
        Ok(Value {
            raw: &self.text[start..self.at],
            kind,
            escaped: false,
        })
    }
}

/// The position after the container that opens at `open` in bytes that need not be UTF-8, as
/// [`Cursor::carry`] finds it; `None` when no container opens there.
pub(crate) fn container_end(bytes: &[u8], open: usize) -> Option<Result<usize, Fault>> {
    if !matches!(bytes.get(open), Some(b'{' | b'[')) {
        return None;
    }
    Some(match skip::container(bytes, open) {
        Ok(end) => Ok(end),
        Err(Stop::End) => Err(Fault::Incomplete),
        Err(Stop::Bad(at)) => Err(Fault::Syntax {
            at,
            what: "brackets do not match",
        }),
    })
}
