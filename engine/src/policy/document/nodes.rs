//! The nodes of a YAML document: bytes in, the first document's nodes out, aliases unexpanded.
//!
//! The grammar of YAML 1.1 over the scanner's tokens. What follows the first document is not read.
//! Not responsible for: what nodes stand for (`yaml.rs`).

use std::collections::HashMap;

use super::scanner::{Scanner, TokenKind, YamlToken};
use super::value::{MAXIMUM_DEPTH, SyntaxProblem};

/// A node and the line on which it begins, counted from 1.
pub(super) struct YamlNode {
    pub(super) line: usize,
    pub(super) content: YamlContent,
}

/// What a node holds; children are positions in the list of nodes.
pub(super) enum YamlContent {
    Scalar {
        text: String,
        tag: Option<String>,
        plain: bool,
    },
    Sequence(Vec<usize>),
    /// Keys and values in turn.
    Mapping(Vec<usize>),
    Alias {
        name: String,
        target: usize,
    },
}

/// Reads the nodes of the first document and says which is its root; an empty stream has none.
pub(super) fn read_nodes(bytes: &[u8]) -> Result<(Vec<YamlNode>, Option<usize>), SyntaxProblem> {
    let mut reader = NodeReader {
        scanner: Scanner::new(bytes),
        nodes: Vec::new(),
        anchors: HashMap::new(),
        handles: HashMap::new(),
        depth: 0,
    };
    let root = reader.document()?;
    Ok((reader.nodes, root))
}

struct NodeReader<'a> {
    scanner: Scanner<'a>,
    nodes: Vec<YamlNode>,
    anchors: HashMap<String, usize>,
    handles: HashMap<String, String>,
    depth: usize,
}

impl NodeReader<'_> {
    fn peek(&mut self) -> Result<&YamlToken, SyntaxProblem> {
        self.scanner.peek()
    }

    /// The next token if it is of this kind, taken.
    fn take(&mut self, kind: &TokenKind) -> Result<bool, SyntaxProblem> {
        let found = self.peek()?.kind == *kind;
        if found {
            self.scanner.skip();
        }
        Ok(found)
    }

    fn next_is(&mut self, kinds: &[TokenKind]) -> Result<bool, SyntaxProblem> {
        let next = &self.peek()?.kind;
        Ok(kinds.contains(next))
    }

    fn expected(&mut self, message: &str) -> SyntaxProblem {
        match self.peek() {
            Ok(token) => SyntaxProblem::new(token.line, message),
            Err(problem) => problem,
        }
    }

    fn document(&mut self) -> Result<Option<usize>, SyntaxProblem> {
        if self.peek()?.kind == TokenKind::StreamEnd {
            return Ok(None);
        }
        let explicit = matches!(
            self.peek()?.kind,
            TokenKind::Version { .. } | TokenKind::TagDirective { .. } | TokenKind::DocumentStart
        );
        self.directives()?;
        if explicit && !self.take(&TokenKind::DocumentStart)? {
            return Err(self.expected("did not find expected <document start>"));
        }
        let empty = matches!(
            self.peek()?.kind,
            TokenKind::Version { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        );
        let root = match explicit && empty {
            true => self.empty()?,
            false => self.node(true, false)?,
        };
        // The end is looked at, as go-yaml does; anything may stand there.
        self.peek()?;
        Ok(Some(root))
    }

    fn directives(&mut self) -> Result<(), SyntaxProblem> {
        let mut version_seen = false;
        loop {
            let token = self.peek()?.clone();
            match token.kind {
                TokenKind::Version { .. } if version_seen => {
                    let message = "found duplicate %YAML directive";
                    return Err(SyntaxProblem::new(token.line, message));
                }
                TokenKind::Version { major: 1, minor: 1 } => version_seen = true,
                TokenKind::Version { .. } => {
                    let message = "found incompatible YAML document";
                    return Err(SyntaxProblem::new(token.line, message));
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.handles.insert(handle, prefix).is_some() {
                        let message = "found duplicate %TAG directive";
                        return Err(SyntaxProblem::new(token.line, message));
                    }
                }
                _ => break,
            }
            self.scanner.skip();
        }
        for (handle, prefix) in [("!", "!"), ("!!", "tag:yaml.org,2002:")] {
            let prefix = prefix.to_owned();
            self.handles.entry(handle.to_owned()).or_insert(prefix);
        }
        Ok(())
    }

    fn add(&mut self, line: usize, content: YamlContent) -> usize {
        self.nodes.push(YamlNode { line, content });
        self.nodes.len() - 1
    }

    /// An absent node: null.
    fn empty(&mut self) -> Result<usize, SyntaxProblem> {
        let line = self.peek()?.line;
        let content = YamlContent::Scalar {
            text: String::new(),
            tag: None,
            plain: true,
        };
        Ok(self.add(line, content))
    }

    fn node(&mut self, block: bool, indentless: bool) -> Result<usize, SyntaxProblem> {
        let YamlToken { line, kind } = self.peek()?.clone();
        if let TokenKind::Alias(name) = kind {
            let Some(&target) = self.anchors.get(&name) else {
                let message = format!("unknown anchor '{name}' referenced");
                return Err(SyntaxProblem::new(line, message));
            };
            self.scanner.skip();
            return Ok(self.add(line, YamlContent::Alias { name, target }));
        }
        let (anchor, tag) = self.properties()?;
        let node = self.add(line, YamlContent::Sequence(Vec::new()));
        // Known before its content, which may refer to it.
        if let Some(anchor) = &anchor {
            self.anchors.insert(anchor.clone(), node);
        }
        self.depth += 1;
        if self.depth > MAXIMUM_DEPTH {
            return Err(SyntaxProblem::new(line, "exceeded max depth"));
        }
        let named = anchor.is_some() || tag.is_some();
        let content = self.content(block, indentless, tag, named)?;
        self.depth -= 1;
        if let Some(place) = self.nodes.get_mut(node) {
            place.content = content;
        }
        Ok(node)
    }

    /// An anchor and a tag, in either order.
    fn properties(&mut self) -> Result<(Option<String>, Option<String>), SyntaxProblem> {
        let mut anchor = None;
        let mut tag = None;
        loop {
            let token = self.peek()?.clone();
            match token.kind {
                TokenKind::Anchor(name) if anchor.is_none() => anchor = Some(name),
                TokenKind::Tag { handle, suffix } if tag.is_none() => {
                    tag = Some(match self.handles.get(&handle) {
                        _ if handle.is_empty() => suffix,
                        Some(prefix) => format!("{prefix}{suffix}"),
                        None => {
                            let message = "found undefined tag handle";
                            return Err(SyntaxProblem::new(token.line, message));
                        }
                    });
                }
                _ => return Ok((anchor, tag)),
            }
            self.scanner.skip();
        }
    }

    fn content(
        &mut self,
        block: bool,
        indentless: bool,
        tag: Option<String>,
        named: bool,
    ) -> Result<YamlContent, SyntaxProblem> {
        let kind = self.peek()?.kind.clone();
        match kind {
            TokenKind::BlockEntry if indentless => self.indentless_sequence(),
            TokenKind::Scalar { text, plain } => {
                self.scanner.skip();
                // The tag `!` makes go-yaml look at the text, but fits no type.
                let plain = plain && tag.is_none();
                Ok(YamlContent::Scalar { text, tag, plain })
            }
            TokenKind::FlowSequenceStart => self.flow_sequence(),
            TokenKind::FlowMappingStart => self.flow_mapping(),
            TokenKind::BlockSequenceStart if block => self.block_sequence(),
            TokenKind::BlockMappingStart if block => self.block_mapping(),
            _ if named => Ok(YamlContent::Scalar {
                text: String::new(),
                plain: tag.is_none(),
                tag,
            }),
            _ => Err(self.expected("did not find expected node content")),
        }
    }

    fn block_sequence(&mut self) -> Result<YamlContent, SyntaxProblem> {
        self.scanner.skip();
        let mut elements = Vec::new();
        while self.take(&TokenKind::BlockEntry)? {
            let absent = self.next_is(&[TokenKind::BlockEntry, TokenKind::BlockEnd])?;
            elements.push(match absent {
                true => self.empty()?,
                false => self.node(true, false)?,
            });
        }
        match self.take(&TokenKind::BlockEnd)? {
            true => Ok(YamlContent::Sequence(elements)),
            false => Err(self.expected("did not find expected '-' indicator")),
        }
    }

    /// A sequence at the indentation of the mapping that holds it.
    fn indentless_sequence(&mut self) -> Result<YamlContent, SyntaxProblem> {
        let ends = [
            TokenKind::BlockEntry,
            TokenKind::Key,
            TokenKind::Value,
            TokenKind::BlockEnd,
        ];
        let mut elements = Vec::new();
        while self.take(&TokenKind::BlockEntry)? {
            elements.push(match self.next_is(&ends)? {
                true => self.empty()?,
                false => self.node(true, false)?,
            });
        }
        Ok(YamlContent::Sequence(elements))
    }

    fn block_mapping(&mut self) -> Result<YamlContent, SyntaxProblem> {
        self.scanner.skip();
        let ends = [TokenKind::Key, TokenKind::Value, TokenKind::BlockEnd];
        let mut members = Vec::new();
        while self.take(&TokenKind::Key)? {
            members.push(match self.next_is(&ends)? {
                true => self.empty()?,
                false => self.node(true, true)?,
            });
            let has_value = self.take(&TokenKind::Value)?;
            members.push(match !has_value || self.next_is(&ends)? {
                true => self.empty()?,
                false => self.node(true, true)?,
            });
        }
        match self.take(&TokenKind::BlockEnd)? {
            true => Ok(YamlContent::Mapping(members)),
            false => Err(self.expected("did not find expected key")),
        }
    }

    fn flow_sequence(&mut self) -> Result<YamlContent, SyntaxProblem> {
        self.scanner.skip();
        let mut elements = Vec::new();
        let mut first = true;
        loop {
            if self.take(&TokenKind::FlowSequenceEnd)? {
                return Ok(YamlContent::Sequence(elements));
            }
            if !first && !self.take(&TokenKind::FlowEntry)? {
                return Err(self.expected("did not find expected ',' or ']'"));
            }
            first = false;
            if self.peek()?.kind == TokenKind::Key {
                elements.push(self.single_pair()?);
            } else if self.peek()?.kind != TokenKind::FlowSequenceEnd {
                elements.push(self.node(false, false)?);
            }
        }
    }

    /// `key: value` inside a flow sequence: a mapping of one.
    fn single_pair(&mut self) -> Result<usize, SyntaxProblem> {
        let line = self.peek()?.line;
        self.scanner.skip();
        let ends = [
            TokenKind::Value,
            TokenKind::FlowEntry,
            TokenKind::FlowSequenceEnd,
        ];
        let mapping = self.add(line, YamlContent::Mapping(Vec::new()));
        let key = match self.next_is(&ends)? {
            // go-yaml passes the token that shows that the key is absent.
            true => {
                let empty = self.empty()?;
                self.scanner.skip();
                empty
            }
            false => self.node(false, false)?,
        };
        let has_value = self.take(&TokenKind::Value)?;
        let value = match !has_value || self.next_is(&ends[1..])? {
            true => self.empty()?,
            false => self.node(false, false)?,
        };
        if let Some(place) = self.nodes.get_mut(mapping) {
            place.content = YamlContent::Mapping(vec![key, value]);
        }
        Ok(mapping)
    }

    fn flow_mapping(&mut self) -> Result<YamlContent, SyntaxProblem> {
        self.scanner.skip();
        let ends = [TokenKind::FlowEntry, TokenKind::FlowMappingEnd];
        let mut members = Vec::new();
        let mut first = true;
        loop {
            if self.take(&TokenKind::FlowMappingEnd)? {
                return Ok(YamlContent::Mapping(members));
            }
            if !first && !self.take(&TokenKind::FlowEntry)? {
                return Err(self.expected("did not find expected ',' or '}'"));
            }
            first = false;
            if self.take(&TokenKind::Key)? {
                let absent = self.next_is(&ends)? || self.peek()?.kind == TokenKind::Value;
                members.push(match absent {
                    true => self.empty()?,
                    false => self.node(false, false)?,
                });
                let has_value = self.take(&TokenKind::Value)?;
                members.push(match !has_value || self.next_is(&ends)? {
                    true => self.empty()?,
                    false => self.node(false, false)?,
                });
            } else if self.peek()?.kind != TokenKind::FlowMappingEnd {
                members.push(self.node(false, false)?);
                members.push(self.empty()?);
            }
        }
    }
}
