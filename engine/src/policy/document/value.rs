//! The values of a document, with their lines.
//!
//! Plain data. Not responsible for: reading them (`json.rs`, `yaml.rs`).

/// Nesting beyond which a document is refused, so that reading it cannot exhaust the stack. The
/// apiserver stops at 10,000.
pub(super) const MAXIMUM_DEPTH: usize = 500;

/// A value of a document and the line on which it begins, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) struct DocumentValue {
    pub(in crate::policy) line: usize,
    pub(in crate::policy) data: DocumentData,
}

/// What a [`DocumentValue`] holds, in the types of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) enum DocumentData {
    Null,
    Bool(bool),
    /// A number as it would stand in JSON.
    Number(String),
    Text(String),
    List(Vec<DocumentValue>),
    /// Members in the order of the document. A JSON object keeps repeated names, since the
    /// apiserver decodes them one after the other; a YAML mapping keeps the last.
    Object(Vec<DocumentMember>),
}

/// A name and its value inside an object.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) struct DocumentMember {
    pub(in crate::policy) line: usize,
    pub(in crate::policy) name: String,
    pub(in crate::policy) value: DocumentValue,
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::policy) struct PolicyDocument {
    pub(in crate::policy) root: DocumentValue,
    /// Whether the document is YAML; its members then reach the decoder sorted by name.
    pub(in crate::policy) yaml: bool,
    /// Names that a YAML mapping holds more than once, each with the line of the repetition.
    pub(in crate::policy) repeated: Vec<(usize, String)>,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::policy) struct SyntaxProblem {
    pub(in crate::policy) line: usize,
    pub(in crate::policy) message: String,
}

impl SyntaxProblem {
    pub(super) fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

impl DocumentData {
    /// The kind of value in words, as messages name it.
    pub(in crate::policy) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}
