//! Policy documents as kube-apiserver reads them: bytes in, values with their lines out.
//!
//! The apiserver reads a document that begins with `{` as JSON and anything else as YAML 1.1 with
//! `sigs.k8s.io/yaml`, which keeps the first document of a stream and turns it into JSON. Not
//! responsible for: what the fields mean (`decode.rs`), what a policy may hold (`validate.rs`).

mod characters;
mod directive;
mod json;
mod nodes;
mod scalar;
mod scalar_text;
mod scanner;
mod yaml;

/// Nesting beyond which a document is refused, so that reading it cannot exhaust the stack. The
/// apiserver stops at 10,000.
const MAXIMUM_DEPTH: usize = 500;

/// A value of a document and the line on which it begins, counted from 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DocumentValue {
    pub(super) line: usize,
    pub(super) data: DocumentData,
}

/// What a [`DocumentValue`] holds, in the types of JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DocumentData {
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
pub(super) struct DocumentMember {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) value: DocumentValue,
}

/// A document that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PolicyDocument {
    pub(super) root: DocumentValue,
    /// Whether the document is YAML; its members then reach the decoder sorted by name.
    pub(super) yaml: bool,
    /// Names that a YAML mapping holds more than once, each with the line of the repetition.
    pub(super) repeated: Vec<(usize, String)>,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SyntaxProblem {
    pub(super) line: usize,
    pub(super) message: String,
}

impl SyntaxProblem {
    fn new(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
        }
    }
}

impl DocumentData {
    /// The kind of value in words, as messages name it.
    pub(super) fn kind(&self) -> &'static str {
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

/// Reads a document.
///
/// # Errors
/// Fails if it is not valid JSON or YAML, or cannot be expressed as JSON.
pub(super) fn read_document(bytes: &[u8]) -> Result<PolicyDocument, SyntaxProblem> {
    if is_json(bytes) {
        let root = json::read_json(bytes)?;
        return Ok(PolicyDocument {
            root,
            yaml: false,
            repeated: Vec::new(),
        });
    }
    let (root, repeated) = yaml::read_yaml(bytes)?;
    Ok(PolicyDocument {
        root,
        yaml: true,
        repeated,
    })
}

/// Whether the first character that is not white space is `{` (apimachinery, `IsJSONBuffer`).
fn is_json(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default())
            .unwrap_or_default(),
    };
    valid.trim_start().starts_with('{')
}
