//! The text of YAML scalars: characters in, the text with line breaks folded and escapes undone
//! out.
//!
//! Follows go-yaml v2. Not responsible for: the type that the text stands for (`scalar.rs`).

use super::characters::{is_blank, is_blank_or_end, is_break, is_break_or_end};
use super::scanner::Scanner;
use super::value::SyntaxProblem;

/// White space inside a scalar that is not yet known to lie between two words.
#[derive(Default)]
struct PendingSpace {
    blanks: String,
    first_break: String,
    more_breaks: String,
    broken: bool,
}

impl PendingSpace {
    /// Adds the space in front of a word: one line break is a space, more are themselves.
    fn fold_into(&mut self, text: &mut String) {
        if !self.broken {
            text.push_str(&self.blanks);
            self.blanks.clear();
            return;
        }
        if !self.first_break.starts_with('\n') {
            text.push_str(&self.first_break);
            text.push_str(&self.more_breaks);
        } else if self.more_breaks.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.more_breaks);
        }
        self.first_break.clear();
        self.more_breaks.clear();
        self.broken = false;
    }
}

#[derive(PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn scan_plain(&mut self) -> Result<String, SyntaxProblem> {
        let mut text = String::new();
        let mut space = PendingSpace::default();
        let indent = self.indent.map_or(0, |indent| indent + 1);
        loop {
            if self.characters.at_document_indicator()?.is_some() || self.characters.peek()? == '#'
            {
                break;
            }
            while !is_blank_or_end(self.characters.peek()?) && !self.ends_plain()? {
                if space.broken || !space.blanks.is_empty() {
                    space.fold_into(&mut text);
                }
                self.characters.read(&mut text)?;
            }
            if !is_blank(self.characters.peek()?) && !is_break(self.characters.peek()?) {
                break;
            }
            self.take_space(&mut space, Some(indent))?;
            if !self.in_flow() && self.characters.mark().column < indent {
                break;
            }
        }
        if space.broken {
            self.key_allowed = true;
        }
        Ok(text)
    }

    fn ends_plain(&mut self) -> Result<bool, SyntaxProblem> {
        Ok(match self.characters.peek()? {
            ':' => is_blank_or_end(self.characters.ahead(1)?),
            ',' | '?' | '[' | ']' | '{' | '}' => self.in_flow(),
            _ => false,
        })
    }

    /// Takes blanks and line breaks; in a plain scalar a tab may not stand before `indent`.
    fn take_space(
        &mut self,
        space: &mut PendingSpace,
        indent: Option<usize>,
    ) -> Result<(), SyntaxProblem> {
        loop {
            let next = self.characters.peek()?;
            if is_blank(next) {
                let column = self.characters.mark().column;
                if space.broken && next == '\t' && indent.is_some_and(|indent| column < indent) {
                    return Err(self.problem("found a tab character that violates indentation"));
                }
                match space.broken {
                    true => self.characters.skip(),
                    false => self.characters.read(&mut space.blanks)?,
                }
            } else if is_break(next) {
                if space.broken {
                    self.characters.read_break(&mut space.more_breaks)?;
                } else {
                    space.blanks.clear();
                    self.characters.read_break(&mut space.first_break)?;
                    space.broken = true;
                }
            } else {
                return Ok(());
            }
        }
    }

    pub(super) fn scan_quoted(&mut self, quote: char) -> Result<String, SyntaxProblem> {
        self.characters.skip();
        let mut text = String::new();
        loop {
            if self.characters.at_document_indicator()?.is_some() {
                return Err(self.problem("found unexpected document indicator"));
            }
            if self.characters.peek()? == '\0' {
                return Err(self.problem("found unexpected end of stream"));
            }
            let mut space = PendingSpace::default();
            while !is_blank_or_end(self.characters.peek()?) {
                let next = self.characters.peek()?;
                if next == '\'' && quote == '\'' && self.characters.ahead(1)? == '\'' {
                    text.push('\'');
                    self.characters.skip();
                    self.characters.skip();
                } else if next == quote {
                    break;
                } else if next == '\\' && quote == '"' {
                    if is_break(self.characters.ahead(1)?) {
                        self.characters.skip();
                        self.characters.skip_break()?;
                        space.broken = true;
                        break;
                    }
                    self.scan_escape(&mut text)?;
                } else {
                    self.characters.read(&mut text)?;
                }
            }
            if self.characters.peek()? == quote {
                self.characters.skip();
                return Ok(text);
            }
            self.take_space(&mut space, None)?;
            space.fold_into(&mut text);
        }
    }

    fn scan_escape(&mut self, text: &mut String) -> Result<(), SyntaxProblem> {
        let (character, digits) = match self.characters.ahead(1)? {
            '0' => ('\0', 0),
            'a' => ('\u{7}', 0),
            'b' => ('\u{8}', 0),
            't' | '\t' => ('\t', 0),
            'n' => ('\n', 0),
            'v' => ('\u{b}', 0),
            'f' => ('\u{c}', 0),
            'r' => ('\r', 0),
            'e' => ('\u{1b}', 0),
            same @ (' ' | '"' | '\'' | '\\') => (same, 0),
            'N' => ('\u{85}', 0),
            '_' => ('\u{a0}', 0),
            'L' => ('\u{2028}', 0),
            'P' => ('\u{2029}', 0),
            'x' => ('\0', 2),
            'u' => ('\0', 4),
            'U' => ('\0', 8),
            _ => return Err(self.problem("found unknown escape character")),
        };
        self.characters.skip();
        self.characters.skip();
        if digits == 0 {
            text.push(character);
            return Ok(());
        }
        let mut value = 0_u32;
        for _ in 0..digits {
            let Some(digit) = self.characters.peek()?.to_digit(16) else {
                return Err(self.problem("did not find expected hexadecimal number"));
            };
            value = value.wrapping_shl(4) | digit;
            self.characters.skip();
        }
        match char::from_u32(value) {
            Some(character) => text.push(character),
            None => return Err(self.problem("found invalid Unicode character escape code")),
        }
        Ok(())
    }

    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<String, SyntaxProblem> {
        self.characters.skip();
        let (chomping, increment) = self.block_header()?;
        let mut indent = match increment {
            0 => 0,
            _ => self.indent.unwrap_or(0) + increment,
        };
        let mut text = String::new();
        let mut breaks = String::new();
        let mut last_break = String::new();
        let mut blank_before = false;
        self.block_breaks(&mut indent, &mut breaks)?;
        while self.characters.mark().column == indent && self.characters.peek()? != '\0' {
            let blank = is_blank(self.characters.peek()?);
            if !literal && !blank_before && !blank && last_break.starts_with('\n') {
                if breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&last_break);
            }
            last_break.clear();
            text.push_str(&breaks);
            breaks.clear();
            blank_before = blank;
            while !is_break_or_end(self.characters.peek()?) {
                self.characters.read(&mut text)?;
            }
            self.characters.read_break(&mut last_break)?;
            self.block_breaks(&mut indent, &mut breaks)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(&last_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        }
        Ok(text)
    }

    /// `|` or `>` may be followed by chomping and an indentation, in either order.
    fn block_header(&mut self) -> Result<(Chomping, usize), SyntaxProblem> {
        let mut chomping = None;
        let mut increment = None;
        loop {
            let next = self.characters.peek()?;
            match next {
                '+' if chomping.is_none() => chomping = Some(Chomping::Keep),
                '-' if chomping.is_none() => chomping = Some(Chomping::Strip),
                '0' if increment.is_none() => {
                    return Err(self.problem("found an indentation indicator equal to 0"));
                }
                '1'..='9' if increment.is_none() => increment = next.to_digit(10),
                _ => break,
            }
            self.characters.skip();
        }
        self.characters.skip_blanks()?;
        self.characters.skip_comment()?;
        if !is_break_or_end(self.characters.peek()?) {
            return Err(self.problem("did not find expected comment or line break"));
        }
        self.characters.skip_break()?;
        let increment = increment.and_then(|digit| usize::try_from(digit).ok());
        Ok((chomping.unwrap_or(Chomping::Clip), increment.unwrap_or(0)))
    }

    /// Takes empty lines and the indentation of the next; finds the indentation if it is 0.
    fn block_breaks(
        &mut self,
        indent: &mut usize,
        breaks: &mut String,
    ) -> Result<(), SyntaxProblem> {
        let mut deepest = 0;
        loop {
            let within = |column: usize| *indent == 0 || column < *indent;
            while within(self.characters.mark().column) && self.characters.peek()? == ' ' {
                self.characters.skip();
            }
            let column = self.characters.mark().column;
            deepest = deepest.max(column);
            if within(column) && self.characters.peek()? == '\t' {
                let message = "found a tab character where an indentation space is expected";
                return Err(self.problem(message));
            }
            if !is_break(self.characters.peek()?) {
                break;
            }
            self.characters.read_break(breaks)?;
        }
        if *indent == 0 {
            *indent = deepest
                .max(self.indent.map_or(0, |indent| indent + 1))
                .max(1);
        }
        Ok(())
    }
}
