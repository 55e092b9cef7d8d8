//! Directives and tags of YAML: characters in, their tokens out.
//!
//! Not responsible for: which versions and handles are known (`yaml.rs`).

use super::characters::{is_blank, is_blank_or_end, is_break_or_end, is_word};
use super::scanner::{Scanner, TokenKind};
use super::value::SyntaxProblem;

impl Scanner<'_> {
    pub(super) fn scan_directive(&mut self) -> Result<TokenKind, SyntaxProblem> {
        self.characters.skip();
        let mut name = String::new();
        while is_word(self.characters.peek()?) {
            self.characters.read(&mut name)?;
        }
        if name.is_empty() || !is_blank_or_end(self.characters.peek()?) {
            return Err(self.problem("could not find expected directive name"));
        }
        let kind = match name.as_str() {
            "YAML" => {
                self.characters.skip_blanks()?;
                let major = self.version_number()?;
                if self.characters.peek()? != '.' {
                    return Err(self.problem("did not find expected digit or '.' character"));
                }
                self.characters.skip();
                let minor = self.version_number()?;
                TokenKind::Version { major, minor }
            }
            "TAG" => self.tag_directive()?,
            _ => return Err(self.problem("found unknown directive name")),
        };
        self.characters.skip_blanks()?;
        self.characters.skip_comment()?;
        if !is_break_or_end(self.characters.peek()?) {
            return Err(self.problem("did not find expected comment or line break"));
        }
        self.characters.skip_break()?;
        Ok(kind)
    }

    fn version_number(&mut self) -> Result<u32, SyntaxProblem> {
        let mut digits = String::new();
        while self.characters.peek()?.is_ascii_digit() {
            self.characters.read(&mut digits)?;
        }
        match digits.parse() {
            Ok(number) if digits.len() <= 2 => Ok(number),
            _ => Err(self.problem("did not find expected version number")),
        }
    }

    fn tag_directive(&mut self) -> Result<TokenKind, SyntaxProblem> {
        self.characters.skip_blanks()?;
        let handle = self.tag_handle()?;
        if handle != "!" && !(handle.len() > 1 && handle.ends_with('!')) {
            return Err(self.problem("did not find expected '!'"));
        }
        if !is_blank(self.characters.peek()?) {
            return Err(self.problem("did not find expected whitespace"));
        }
        self.characters.skip_blanks()?;
        let mut prefix = String::new();
        if !self.tag_uri(&mut prefix)? {
            return Err(self.problem("did not find expected tag URI"));
        }
        if !is_blank_or_end(self.characters.peek()?) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }

    pub(super) fn scan_tag(&mut self) -> Result<TokenKind, SyntaxProblem> {
        let mut suffix = String::new();
        let mut handle = String::new();
        if self.characters.ahead(1)? == '<' {
            self.characters.skip();
            self.characters.skip();
            if !self.tag_uri(&mut suffix)? {
                return Err(self.problem("did not find expected tag URI"));
            }
            if self.characters.peek()? != '>' {
                return Err(self.problem("did not find the expected '>'"));
            }
            self.characters.skip();
        } else {
            handle = self.tag_handle()?;
            let named = handle.len() > 1 && handle.ends_with('!');
            if !named {
                suffix.push_str(handle.get(1..).unwrap_or_default());
            }
            let more = self.tag_uri(&mut suffix)?;
            if named && !more {
                return Err(self.problem("did not find expected tag URI"));
            }
            if !named {
                "!".clone_into(&mut handle);
                // `!` alone is a tag, not a handle.
                if suffix.is_empty() {
                    std::mem::swap(&mut handle, &mut suffix);
                }
            }
        }
        if !is_blank_or_end(self.characters.peek()?) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::Tag { handle, suffix })
    }

    fn tag_handle(&mut self) -> Result<String, SyntaxProblem> {
        if self.characters.peek()? != '!' {
            return Err(self.problem("did not find expected '!'"));
        }
        let mut handle = String::new();
        self.characters.read(&mut handle)?;
        while is_word(self.characters.peek()?) {
            self.characters.read(&mut handle)?;
        }
        if self.characters.peek()? == '!' {
            self.characters.read(&mut handle)?;
        }
        Ok(handle)
    }

    /// Takes the characters of a tag's URI; whether there was one.
    fn tag_uri(&mut self, uri: &mut String) -> Result<bool, SyntaxProblem> {
        let mut found = false;
        loop {
            let next = self.characters.peek()?;
            if next == '%' {
                self.uri_escape(uri)?;
            } else if is_word(next) || ";/?:@&=+$,.!~*'()[]".contains(next) {
                self.characters.read(uri)?;
            } else {
                return Ok(found);
            }
            found = true;
        }
    }

    /// A character as percent-encoded UTF-8.
    fn uri_escape(&mut self, uri: &mut String) -> Result<(), SyntaxProblem> {
        let mut bytes = Vec::new();
        while bytes.len() < 4 {
            let high = self.characters.ahead(1)?.to_digit(16);
            let low = self.characters.ahead(2)?.to_digit(16);
            let (Some(high), Some(low), '%') = (high, low, self.characters.peek()?) else {
                break;
            };
            (0..3).for_each(|_| self.characters.skip());
            bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            if let Ok(text) = std::str::from_utf8(&bytes) {
                uri.push_str(text);
                return Ok(());
            }
        }
        Err(self.problem("did not find URI escaped octet"))
    }
}
