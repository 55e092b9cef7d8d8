//! What the loader says of a document: why it is refused, and what is ignored in it.
//!
//! Plain data. Not responsible for: finding any of it (`load.rs`).

/// Why the apiserver does not start with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRefusal {
    /// The line in the document, from 1.
    pub line: usize,
    /// What is wrong, beginning with the field's path if it has one.
    pub reason: String,
    /// What to do about it.
    pub mend: String,
}

/// What the apiserver ignores in a policy, with no more than a line in its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWarning {
    /// The line in the document, from 1.
    pub line: usize,
    /// What is ignored.
    pub kind: WarningKind,
    /// The field's name as the document spells it.
    pub field: String,
    /// The warning in words.
    pub message: String,
}

/// What a [`PolicyWarning`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WarningKind {
    /// A field that a policy does not have.
    UnknownField,
    /// A field that stands more than once in its object.
    RepeatedField,
}
