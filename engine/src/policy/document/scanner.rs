//! The tokens of a YAML stream: characters in, tokens out.
//!
//! The usual scanner of YAML 1.1: indentation opens and closes block collections, and a token that
//! may turn out to be a key is held back until a `:` shows it. What is allowed where follows
//! go-yaml v2. Not responsible for: the text of scalars (`scalar_text.rs`), the tree (`yaml.rs`).

use std::collections::VecDeque;

use super::characters::{Characters, YamlMark, is_blank_or_end, is_break, is_word};
use super::value::{MAXIMUM_DEPTH, SyntaxProblem};

/// A token and the line on which it begins, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlToken {
    pub(super) line: usize,
    pub(super) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamEnd,
    Version { major: u32, minor: u32 },
    TagDirective { handle: String, prefix: String },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(String),
    Anchor(String),
    Tag { handle: String, suffix: String },
    Scalar { text: String, plain: bool },
}

/// A token that is a key if a `:` follows on its line within 1,024 characters.
#[derive(Debug, Clone, Copy)]
struct PossibleKey {
    required: bool,
    token: usize,
    mark: YamlMark,
}

/// The scanner; one token of look-ahead is enough for its user.
pub(super) struct Scanner<'a> {
    pub(super) characters: Characters<'a>,
    /// The column of the innermost block collection; `None` outside of all.
    pub(super) indent: Option<usize>,
    outer_indents: Vec<Option<usize>>,
    pub(super) key_allowed: bool,
    /// One for the block context, and one for each open flow collection.
    possible_keys: Vec<Option<PossibleKey>>,
    tokens: VecDeque<YamlToken>,
    /// How many tokens were handed out.
    taken: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            characters: Characters::new(bytes),
            indent: None,
            outer_indents: Vec::new(),
            key_allowed: true,
            possible_keys: vec![None],
            tokens: VecDeque::new(),
            taken: 0,
        }
    }

    /// The next token, left in place.
    pub(super) fn peek(&mut self) -> Result<&YamlToken, SyntaxProblem> {
        while self.needs_more()? {
            self.fetch()?;
        }
        let line = self.characters.mark().line + 1;
        self.tokens
            .front()
            .ok_or_else(|| SyntaxProblem::new(line, "unexpected end of the document"))
    }

    /// Takes the token that was peeked at.
    pub(super) fn skip(&mut self) {
        if self.tokens.pop_front().is_some() {
            self.taken += 1;
        }
    }

    pub(super) fn in_flow(&self) -> bool {
        self.possible_keys.len() > 1
    }

    /// A problem at the present character.
    pub(super) fn problem(&self, message: &str) -> SyntaxProblem {
        SyntaxProblem::new(self.characters.mark().line + 1, message)
    }

    /// Whether the first token may still turn out to be a key.
    fn needs_more(&mut self) -> Result<bool, SyntaxProblem> {
        if self.tokens.is_empty() {
            return Ok(true);
        }
        let taken = self.taken;
        let is_first = |key: &Option<PossibleKey>| key.is_some_and(|key| key.token == taken);
        match self.possible_keys.iter().position(is_first) {
            Some(place) => self.is_still_possible(place),
            None => Ok(false),
        }
    }

    fn is_still_possible(&mut self, place: usize) -> Result<bool, SyntaxProblem> {
        let Some(Some(key)) = self.possible_keys.get(place).copied() else {
            return Ok(false);
        };
        let mark = self.characters.mark();
        if key.mark.line >= mark.line && key.mark.index + 1024 >= mark.index {
            return Ok(true);
        }
        if key.required {
            return Err(missing_colon(&key));
        }
        self.set_key(place, None);
        Ok(false)
    }

    fn set_key(&mut self, place: usize, key: Option<PossibleKey>) {
        if let Some(slot) = self.possible_keys.get_mut(place) {
            *slot = key;
        }
    }

    fn innermost(&self) -> usize {
        self.possible_keys.len().saturating_sub(1)
    }

    pub(super) fn save_key(&mut self) -> Result<(), SyntaxProblem> {
        if !self.key_allowed {
            return Ok(());
        }
        let mark = self.characters.mark();
        let key = PossibleKey {
            required: !self.in_flow() && self.indent == Some(mark.column),
            token: self.taken + self.tokens.len(),
            mark,
        };
        self.remove_key()?;
        self.set_key(self.innermost(), Some(key));
        Ok(())
    }

    fn remove_key(&mut self) -> Result<(), SyntaxProblem> {
        let place = self.innermost();
        match self.possible_keys.get(place).copied().flatten() {
            Some(key) if key.required => Err(missing_colon(&key)),
            _ => {
                self.set_key(place, None);
                Ok(())
            }
        }
    }

    fn add(&mut self, line: usize, kind: TokenKind) {
        self.tokens.push_back(YamlToken {
            line: line + 1,
            kind,
        });
    }

    /// Opens a block collection at a column that lies deeper than the present one.
    fn indent_to(
        &mut self,
        mark: YamlMark,
        before: Option<usize>,
        kind: TokenKind,
    ) -> Result<(), SyntaxProblem> {
        if self.in_flow() || self.indent >= Some(mark.column) {
            return Ok(());
        }
        if self.outer_indents.len() > MAXIMUM_DEPTH {
            return Err(self.problem("exceeded max depth"));
        }
        self.outer_indents.push(self.indent);
        self.indent = Some(mark.column);
        let token = YamlToken {
            line: mark.line + 1,
            kind,
        };
        let place = before.map_or(self.tokens.len(), |token| token - self.taken);
        self.tokens.insert(place.min(self.tokens.len()), token);
        Ok(())
    }

    fn unindent_to(&mut self, column: Option<usize>) {
        while !self.in_flow() && self.indent > column {
            self.add(self.characters.mark().line, TokenKind::BlockEnd);
            self.indent = self.outer_indents.pop().flatten();
        }
    }

    fn skip_to_token(&mut self) -> Result<(), SyntaxProblem> {
        loop {
            // go-yaml looks for a second byte order mark at the start of the stream only, and then
            // passes a character on every line.
            if self.characters.mark().column == 0 && self.characters.begins_with_mark()? {
                self.characters.skip();
            }
            // A tab may part tokens, but not indent what could be a key.
            let tabs = self.in_flow() || !self.key_allowed;
            while matches!(self.characters.peek()?, ' ')
                || (tabs && self.characters.peek()? == '\t')
            {
                self.characters.skip();
            }
            self.characters.skip_comment()?;
            if !is_break(self.characters.peek()?) {
                return Ok(());
            }
            self.characters.skip_break()?;
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    fn fetch(&mut self) -> Result<(), SyntaxProblem> {
        self.skip_to_token()?;
        let mark = self.characters.mark();
        self.unindent_to(Some(mark.column));
        let first = self.characters.peek()?;
        if first == '\0' {
            return self.fetch_stream_end();
        }
        if mark.column == 0 && first == '%' {
            self.leave_blocks()?;
            let kind = self.scan_directive()?;
            self.add(mark.line, kind);
            return Ok(());
        }
        if let Some(indicator) = self.characters.at_document_indicator()? {
            self.leave_blocks()?;
            (0..3).for_each(|_| self.characters.skip());
            self.add(
                mark.line,
                match indicator {
                    '-' => TokenKind::DocumentStart,
                    _ => TokenKind::DocumentEnd,
                },
            );
            return Ok(());
        }
        let parted = is_blank_or_end(self.characters.ahead(1)?);
        let flow = self.in_flow();
        match first {
            '[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            '{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            ']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            '}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            ',' => {
                self.remove_key()?;
                self.key_allowed = true;
                self.take_one(TokenKind::FlowEntry)
            }
            '-' if parted => self.fetch_block_entry(),
            '?' if flow || parted => self.fetch_key(),
            ':' if flow || parted => self.fetch_value(),
            '*' | '&' => self.fetch_anchor(first),
            '!' => {
                self.save_key()?;
                self.key_allowed = false;
                let kind = self.scan_tag()?;
                self.add(mark.line, kind);
                Ok(())
            }
            '|' | '>' if !flow => {
                self.remove_key()?;
                self.key_allowed = true;
                let text = self.scan_block_scalar(first == '|')?;
                self.add(mark.line, TokenKind::Scalar { text, plain: false });
                Ok(())
            }
            '\'' | '"' => {
                self.save_key()?;
                self.key_allowed = false;
                let text = self.scan_quoted(first)?;
                self.add(mark.line, TokenKind::Scalar { text, plain: false });
                Ok(())
            }
            '|' | '>' | '%' | '@' | '`' | '\t' => {
                Err(self.problem("found character that cannot start any token"))
            }
            _ => {
                self.save_key()?;
                self.key_allowed = false;
                let text = self.scan_plain()?;
                self.add(mark.line, TokenKind::Scalar { text, plain: true });
                Ok(())
            }
        }
    }

    /// Ends every block collection, before a directive or a document indicator.
    fn leave_blocks(&mut self) -> Result<(), SyntaxProblem> {
        self.unindent_to(None);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn take_one(&mut self, kind: TokenKind) -> Result<(), SyntaxProblem> {
        self.add(self.characters.mark().line, kind);
        self.characters.skip();
        Ok(())
    }

    fn fetch_stream_end(&mut self) -> Result<(), SyntaxProblem> {
        self.characters.end_line();
        self.leave_blocks()?;
        self.add(self.characters.mark().line, TokenKind::StreamEnd);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), SyntaxProblem> {
        self.save_key()?;
        if self.possible_keys.len() > MAXIMUM_DEPTH {
            return Err(self.problem("exceeded max depth"));
        }
        self.possible_keys.push(None);
        self.key_allowed = true;
        self.take_one(kind)
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), SyntaxProblem> {
        self.remove_key()?;
        if self.in_flow() {
            self.possible_keys.pop();
        }
        self.key_allowed = false;
        self.take_one(kind)
    }

    fn fetch_block_entry(&mut self) -> Result<(), SyntaxProblem> {
        if !self.in_flow() {
            if !self.key_allowed {
                let message = "block sequence entries are not allowed in this context";
                return Err(self.problem(message));
            }
            let mark = self.characters.mark();
            self.indent_to(mark, None, TokenKind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.take_one(TokenKind::BlockEntry)
    }

    fn fetch_key(&mut self) -> Result<(), SyntaxProblem> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.problem("mapping keys are not allowed in this context"));
            }
            let mark = self.characters.mark();
            self.indent_to(mark, None, TokenKind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.key_allowed = !self.in_flow();
        self.take_one(TokenKind::Key)
    }

    fn fetch_value(&mut self) -> Result<(), SyntaxProblem> {
        let place = self.innermost();
        let key = match self.is_still_possible(place)? {
            true => self.possible_keys.get(place).copied().flatten(),
            false => None,
        };
        if let Some(key) = key {
            let token = YamlToken {
                line: key.mark.line + 1,
                kind: TokenKind::Key,
            };
            let at = (key.token - self.taken).min(self.tokens.len());
            self.tokens.insert(at, token);
            self.indent_to(key.mark, Some(key.token), TokenKind::BlockMappingStart)?;
            self.set_key(place, None);
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return Err(self.problem("mapping values are not allowed in this context"));
                }
                let mark = self.characters.mark();
                self.indent_to(mark, None, TokenKind::BlockMappingStart)?;
            }
            self.key_allowed = !self.in_flow();
        }
        self.take_one(TokenKind::Value)
    }

    fn fetch_anchor(&mut self, indicator: char) -> Result<(), SyntaxProblem> {
        self.save_key()?;
        self.key_allowed = false;
        let line = self.characters.mark().line;
        self.characters.skip();
        let mut name = String::new();
        while is_word(self.characters.peek()?) {
            self.characters.read(&mut name)?;
        }
        let next = self.characters.peek()?;
        let ends = is_blank_or_end(next) || "?:,]}%@`".contains(next);
        if name.is_empty() || !ends {
            let message = "did not find expected alphabetic or numeric character";
            return Err(self.problem(message));
        }
        self.add(
            line,
            match indicator {
                '&' => TokenKind::Anchor(name),
                _ => TokenKind::Alias(name),
            },
        );
        Ok(())
    }
}

fn missing_colon(key: &PossibleKey) -> SyntaxProblem {
    SyntaxProblem::new(key.mark.line + 1, "could not find expected ':'")
}
