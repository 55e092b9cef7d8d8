//! The engine's error: what happened, where, and the step that mends it.
//!
//! Bad records are no errors: they are counted and kept as rejects (`scan::report`). An error ends
//! the run.

use std::fmt;

use datafusion::{arrow::error::ArrowError, error::DataFusionError, parquet::errors::ParquetError};

/// A result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not go on.
#[derive(Debug)]
pub struct Error {
    kind: Box<ErrorKind>,
}

/// What kind of failure an [`Error`] is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An input does not exist, cannot be listed, or is of a kind that cannot be read.
    #[error("{uri}: {message}")]
    Input {
        /// As given by the user.
        uri: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Output {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A saved query is unknown, its file is malformed, or its parameters do not fit.
    #[error("{0}")]
    SavedQuery(String),
    /// A statement is refused because it would write.
    #[error("{0}")]
    ReadOnly(String),
    /// SQL did not parse or plan, or failed while it ran.
    #[error("{0}")]
    Sql(String),
    /// The user stopped the run.
    #[error("interrupted")]
    Interrupted,
    /// Something that should not happen.
    #[error("{0}; this is a defect of auditql")]
    Internal(String),
}

impl Error {
    /// What kind of failure this is.
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    pub(crate) fn input(uri: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::Input {
            uri: uri.into(),
            message: message.into(),
        }
        .into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self {
            kind: Box::new(kind),
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        // Contexts and shared wrappers carry no news for the reader; an error of ours inside comes
        // out as it went in.
        match error.find_root() {
            DataFusionError::External(inner) => match inner.downcast_ref::<Self>() {
                Some(ours) => ErrorKind::Sql(ours.to_string()).into(),
                None => ErrorKind::Sql(inner.to_string()).into(),
            },
            root => ErrorKind::Sql(sql_message(&root.to_string())).into(),
        }
    }
}

/// DataFusion's message without the name of its class, and without the request to report user
/// errors as bugs.
fn sql_message(message: &str) -> String {
    const CLASSES: [&str; 9] = [
        "SQL error: ",
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
        "Arrow error: ",
        "Optimizer rule ",
        "External error: ",
        "This feature is not implemented: ",
        "Resources exhausted: ",
    ];
    let mut message = message;
    while let Some(rest) = CLASSES
        .iter()
        .filter(|class| !class.starts_with("Optimizer"))
        .find_map(|class| message.strip_prefix(class))
    {
        message = rest;
    }
    let message = message.split("\n\nbacktrace:").next().unwrap_or(message);
    match message
        .strip_prefix("ParserError(\"")
        .and_then(|rest| rest.strip_suffix("\")"))
    {
        Some(inner) => inner.replace("\\\"", "\""),
        None => message.to_owned(),
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        DataFusionError::from(error).into()
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}
