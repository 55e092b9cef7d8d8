//! JSON documents: bytes in, values with their lines and repeated names out.
//!
//! Follows Go's `encoding/json`: nothing may follow the value, and bytes that are not UTF-8 become
//! U+FFFD inside strings. Not responsible for: YAML (`yaml.rs`).

use super::value::{DocumentData, DocumentMember, DocumentValue, MAXIMUM_DEPTH, SyntaxProblem};

/// Reads one JSON value that fills the whole document.
pub(super) fn read_json(bytes: &[u8]) -> Result<DocumentValue, SyntaxProblem> {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = JsonReader {
        rest: &text,
        line: 1,
    };
    let value = reader.value(0)?;
    reader.skip_space();
    match reader.rest.chars().next() {
        None => Ok(value),
        Some(found) => Err(reader.problem(format!(
            "invalid character `{}` after top-level value",
            found.escape_debug()
        ))),
    }
}

struct JsonReader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> JsonReader<'a> {
    fn problem(&self, message: impl Into<String>) -> SyntaxProblem {
        SyntaxProblem::new(self.line, message)
    }

    fn skip_space(&mut self) {
        while let Some(first) = self.rest.chars().next() {
            match first {
                '\n' => self.line += 1,
                ' ' | '\t' | '\r' => {}
                _ => return,
            }
            self.rest = &self.rest[1..];
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn unexpected(&self, wanted: &str) -> SyntaxProblem {
        match self.rest.chars().next() {
            None => self.problem("unexpected end of JSON input"),
            Some(found) => self.problem(format!(
                "invalid character `{}` looking for {wanted}",
                found.escape_debug()
            )),
        }
    }

    fn value(&mut self, depth: usize) -> Result<DocumentValue, SyntaxProblem> {
        if depth > MAXIMUM_DEPTH {
            return Err(self.problem("exceeded max depth"));
        }
        self.skip_space();
        let line = self.line;
        let data = match self.rest.chars().next() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => DocumentData::Text(self.string()?),
            Some('-' | '0'..='9') => DocumentData::Number(self.number()?),
            _ => self.word()?,
        };
        Ok(DocumentValue { line, data })
    }

    fn word(&mut self) -> Result<DocumentData, SyntaxProblem> {
        let words = [
            ("null", DocumentData::Null),
            ("true", DocumentData::Bool(true)),
            ("false", DocumentData::Bool(false)),
        ];
        for (word, data) in words {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(data);
            }
        }
        Err(self.unexpected("beginning of value"))
    }

    fn object(&mut self, depth: usize) -> Result<DocumentData, SyntaxProblem> {
        self.take('{');
        let mut members = Vec::new();
        self.skip_space();
        if self.take('}') {
            return Ok(DocumentData::Object(members));
        }
        loop {
            self.skip_space();
            let line = self.line;
            if !self.rest.starts_with('"') {
                return Err(self.unexpected("beginning of object key string"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(':') {
                return Err(self.unexpected("`:` after object key"));
            }
            let value = self.value(depth + 1)?;
            members.push(DocumentMember { line, name, value });
            self.skip_space();
            if self.take('}') {
                return Ok(DocumentData::Object(members));
            }
            if !self.take(',') {
                return Err(self.unexpected("`,` or `}` after object value"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<DocumentData, SyntaxProblem> {
        self.take('[');
        let mut elements = Vec::new();
        self.skip_space();
        if self.take(']') {
            return Ok(DocumentData::List(elements));
        }
        loop {
            elements.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(']') {
                return Ok(DocumentData::List(elements));
            }
            if !self.take(',') {
                return Err(self.unexpected("`,` or `]` after list element"));
            }
        }
    }

    /// A number by the grammar of RFC 8259, section 6.
    fn number(&mut self) -> Result<String, SyntaxProblem> {
        let mut taken = String::new();
        self.take_while(&mut taken, "-", 1);
        if self.rest.starts_with('0') {
            self.take_while(&mut taken, "0", 1);
        } else {
            self.digits(&mut taken)?;
        }
        if self.rest.starts_with('.') {
            self.take_while(&mut taken, ".", 1);
            self.digits(&mut taken)?;
        }
        if self.rest.starts_with(['e', 'E']) {
            self.take_while(&mut taken, "eE", 1);
            self.take_while(&mut taken, "+-", 1);
            self.digits(&mut taken)?;
        }
        Ok(taken)
    }

    fn digits(&mut self, taken: &mut String) -> Result<(), SyntaxProblem> {
        if !self.rest.starts_with(|found: char| found.is_ascii_digit()) {
            return Err(self.unexpected("a digit of a number"));
        }
        self.take_while(taken, "0123456789", usize::MAX);
        Ok(())
    }

    fn take_while(&mut self, taken: &mut String, allowed: &str, most: usize) {
        let mut count = 0;
        while let Some(first) = self.rest.chars().next() {
            if count == most || !allowed.contains(first) {
                return;
            }
            taken.push(first);
            self.rest = &self.rest[first.len_utf8()..];
            count += 1;
        }
    }

    fn string(&mut self) -> Result<String, SyntaxProblem> {
        self.take('"');
        let mut text = String::new();
        loop {
            let Some(first) = self.rest.chars().next() else {
                return Err(self.problem("unexpected end of JSON input"));
            };
            self.rest = &self.rest[first.len_utf8()..];
            match first {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => {
                    return Err(self.problem("invalid control character in string literal"));
                }
                other => text.push(other),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxProblem> {
        let Some(kind) = self.rest.chars().next() else {
            return Err(self.problem("unexpected end of JSON input"));
        };
        self.rest = &self.rest[kind.len_utf8()..];
        Ok(match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.code_point()?,
            other => {
                return Err(self.problem(format!(
                    "invalid character `{}` in string escape code",
                    other.escape_debug()
                )));
            }
        })
    }

    /// The character of `\uXXXX`, joined with a low surrogate that follows; a lone surrogate is
    /// U+FFFD.
    fn code_point(&mut self) -> Result<char, SyntaxProblem> {
        let high = self.hexadecimal()?;
        if let (0xd800..=0xdbff, Some(rest)) = (high, self.rest.strip_prefix("\\u")) {
            let before = self.rest;
            self.rest = rest;
            let low = self.hexadecimal()?;
            if let 0xdc00..=0xdfff = low {
                let joined = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.rest = before;
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hexadecimal(&mut self) -> Result<u32, SyntaxProblem> {
        let digits = self
            .rest
            .get(..4)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(digits) = digits else {
            return Err(self.problem("invalid character in `\\u` hexadecimal character escape"));
        };
        self.rest = &self.rest[4..];
        Ok(u32::from_str_radix(digits, 16).unwrap_or(0xfffd))
    }
}
