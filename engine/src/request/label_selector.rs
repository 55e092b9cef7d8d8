//! Label selectors: a text in, whether it is one out.
//!
//! `Parse` in `staging/src/k8s.io/apimachinery/pkg/labels/selector.go`, step by step: a lexer over
//! bytes, then a parser that knows from the context whether `in` is an operator or a word.

/// The longest name or value of a label.
const LONGEST_LABEL: usize = 63;

/// The longest prefix of a label's key, a DNS name.
const LONGEST_PREFIX: usize = 253;

/// A token with its text, which matters for words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LabelToken<'s> {
    Word(&'s [u8]),
    In,
    NotIn,
    Not,
    /// `=`, `==` and `!=`.
    Equality,
    /// `<` and `>`.
    Order,
    Comma,
    Open,
    Close,
    End,
}

/// Whether the apiserver accepts a label selector.
pub(super) fn is_label_selector(selector: &str) -> bool {
    let mut parser = LabelParser {
        rest: LabelLexer {
            text: selector.as_bytes(),
            at: 0,
        },
    };
    parser.requirements().is_some()
}

#[derive(Clone, Copy)]
struct LabelLexer<'s> {
    text: &'s [u8],
    at: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_symbol(byte: u8) -> bool {
    matches!(byte, b'=' | b'!' | b'(' | b')' | b',' | b'>' | b'<')
}

impl<'s> LabelLexer<'s> {
    /// The next byte; 0 at the end. A byte 0 ends the text as well, but only where a token begins.
    fn read(&mut self) -> u8 {
        let byte = self.text.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte.unwrap_or(0)
    }

    fn token(&mut self) -> LabelToken<'s> {
        let mut byte = self.read();
        while is_space(byte) {
            byte = self.read();
        }
        match byte {
            0 => LabelToken::End,
            _ if is_symbol(byte) => {
                self.at -= 1;
                self.symbol()
            }
            _ => {
                self.at -= 1;
                self.word()
            }
        }
    }

    fn word(&mut self) -> LabelToken<'s> {
        let start = self.at;
        let end = loop {
            match self.read() {
                0 => {
                    // Past a byte 0, but not past the end.
                    let is_byte = self.text.get(self.at.wrapping_sub(1)) == Some(&0);
                    break if is_byte { self.at - 1 } else { self.at };
                }
                byte if is_symbol(byte) || is_space(byte) => {
                    self.at -= 1;
                    break self.at;
                }
                _ => {}
            }
        };
        match self.text.get(start..end).unwrap_or_default() {
            b"in" => LabelToken::In,
            b"notin" => LabelToken::NotIn,
            word => LabelToken::Word(word),
        }
    }

    /// The longest symbol.
    fn symbol(&mut self) -> LabelToken<'s> {
        let (first, second) = (self.read(), self.text.get(self.at).copied());
        let (token, length) = match (first, second) {
            (b'=' | b'!', Some(b'=')) => (LabelToken::Equality, 2),
            (b'=', _) => (LabelToken::Equality, 1),
            (b'!', _) => (LabelToken::Not, 1),
            (b'<' | b'>', _) => (LabelToken::Order, 1),
            (b',', _) => (LabelToken::Comma, 1),
            (b'(', _) => (LabelToken::Open, 1),
            _ => (LabelToken::Close, 1),
        };
        self.at += length - 1;
        // The lexer looks for a longer symbol, and does not put a byte 0 back.
        self.at += usize::from(self.text.get(self.at) == Some(&0));
        token
    }
}

struct LabelParser<'s> {
    rest: LabelLexer<'s>,
}

impl<'s> LabelParser<'s> {
    /// The next token, where `in` and `notin` are operators.
    fn operator(&mut self) -> LabelToken<'s> {
        self.rest.token()
    }

    /// The next token, where `in` and `notin` are words.
    fn next(&mut self) -> LabelToken<'s> {
        match self.rest.token() {
            LabelToken::In => LabelToken::Word(b"in"),
            LabelToken::NotIn => LabelToken::Word(b"notin"),
            token => token,
        }
    }

    fn peek(&self) -> LabelToken<'s> {
        Self { rest: self.rest }.next()
    }

    fn requirements(&mut self) -> Option<()> {
        if self.peek() == LabelToken::End {
            return Some(());
        }
        loop {
            self.requirement()?;
            match self.next() {
                LabelToken::End => return Some(()),
                LabelToken::Comma => {}
                _ => return None,
            }
        }
    }

    fn requirement(&mut self) -> Option<()> {
        let mut token = self.next();
        let is_negated = token == LabelToken::Not;
        if is_negated {
            token = self.next();
        }
        let LabelToken::Word(key) = token else {
            return None;
        };
        if !is_key(key) {
            return None;
        }
        if is_negated || matches!(self.peek(), LabelToken::End | LabelToken::Comma) {
            return Some(());
        }
        match self.operator() {
            LabelToken::In | LabelToken::NotIn => self.values(),
            LabelToken::Equality => is_value(self.value()?).then_some(()),
            LabelToken::Order => {
                let value = self.value()?;
                let number = std::str::from_utf8(value).ok()?.parse::<i64>();
                (number.is_ok() && is_value(value)).then_some(())
            }
            _ => None,
        }
    }

    /// One value, perhaps empty.
    fn value(&mut self) -> Option<&'s [u8]> {
        if matches!(self.peek(), LabelToken::End | LabelToken::Comma) {
            return Some(b"");
        }
        match self.next() {
            LabelToken::Word(word) => Some(word),
            _ => None,
        }
    }

    /// `(a,b,)`: between commas a word or nothing.
    fn values(&mut self) -> Option<()> {
        if self.next() != LabelToken::Open {
            return None;
        }
        loop {
            let mut token = self.next();
            if let LabelToken::Word(value) = token {
                if !is_value(value) {
                    return None;
                }
                token = self.next();
            }
            match token {
                LabelToken::Comma => {}
                LabelToken::Close => return Some(()),
                _ => return None,
            }
        }
    }
}

/// `IsLabelValue`.
fn is_value(value: &[u8]) -> bool {
    value.is_empty() || is_name(value)
}

fn is_name(name: &[u8]) -> bool {
    let ends = [name.first(), name.last()];
    name.len() <= LONGEST_LABEL
        && ends
            .iter()
            .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// `IsLabelKey`.
fn is_key(key: &[u8]) -> bool {
    let mut parts = key.split(|byte| *byte == b'/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => is_name(name),
        (Some(prefix), Some(name), None) => is_dns_name(prefix) && is_name(name),
        _ => false,
    }
}

/// `IsDNS1123Subdomain`.
fn is_dns_name(name: &[u8]) -> bool {
    let inside = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &[u8]| {
        let ends = [label.first(), label.last()];
        ends.iter().all(|end| end.is_some_and(inside))
            && label.iter().all(|byte| inside(byte) || *byte == b'-')
    };
    name.len() <= LONGEST_PREFIX && name.split(|byte| *byte == b'.').all(is_label)
}
