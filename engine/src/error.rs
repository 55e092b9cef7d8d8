//! The engine's error: what happened, where, and a hint at the step that mends it; without the
//! passwords and tokens of URLs ([`redact`]).
//!
//! Bad records are no errors: they are counted and kept as rejects (`account/`). An error ends the
//! run. The engine knows no flags or commands: it says what is wrong and gives a typed [`Hint`],
//! which the caller words.

pub(crate) mod redact;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;

/// A result of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not go on. Clones share what they say, so that an error comes out of DataFusion
/// as it went in.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Arc<ErrorKind>,
    hint: Option<Hint>,
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
    /// A lake is not there, is broken, or cannot take what is asked of it.
    #[error("{lake}: {message}")]
    Lake {
        /// The folder or URL, without secrets.
        lake: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A store does not answer, does not let us in, or fails.
    #[error("{url}: {message}")]
    Store {
        /// What was asked for, without secrets.
        url: String,
        /// What it said.
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
    /// The options of an engine do not fit each other.
    #[error("{0}")]
    Options(String),
    /// A saved query is unknown, its file is malformed, or its parameters do not fit.
    #[error("{0}")]
    SavedQuery(String),
    /// A statement is refused because it would write.
    #[error("{0}")]
    ReadOnly(String),
    /// SQL did not parse or plan, or failed while it ran.
    #[error("{0}")]
    Sql(String),
    /// A query needs more memory than it may have, and cannot spill.
    #[error("{0}")]
    Memory(String),
    /// The user stopped the run.
    #[error("interrupted")]
    Interrupted,
    /// Something that should not happen.
    #[error("{0}; this is a bug in auditql")]
    Internal(String),
}

/// The step that mends an error. The engine names it; the caller says how it is done there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Allow statements that write ([`Options::allow_writes`](crate::Options::allow_writes)).
    AllowWrites,
    /// Give more memory ([`Options::memory`](crate::Options::memory)), or room for temporary files.
    MoreMemory,
    /// Leave out the window ([`Options::window`](crate::Options::window)).
    WithoutWindow,
    /// Make a lake of this name by a conversion into it.
    MakeLake {
        /// The folder or URL.
        lake: String,
    },
    /// List the versions of a lake.
    ListVersions {
        /// The folder or URL.
        lake: String,
    },
    /// List the sources of a lake.
    ListSources {
        /// The folder or URL.
        lake: String,
    },
    /// Compare a lake with its evidence.
    VerifyLake {
        /// The folder or URL.
        lake: String,
    },
    /// Give a value for this parameter of a saved query.
    GiveParameter {
        /// Its name.
        name: String,
    },
    /// List the saved queries.
    ListQueries,
    /// Give an input ([`Options::inputs`](crate::Options::inputs)).
    GiveInput,
    /// Give the begin of the window ([`Options::window`](crate::Options::window)).
    GiveWindow,
}

impl Error {
    /// What kind of failure this is.
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// The step that mends it, where one is known.
    pub const fn hint(&self) -> Option<&Hint> {
        self.hint.as_ref()
    }

    pub(crate) fn input(uri: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::Input {
            uri: redact::redacted(&uri.into()),
            message: message.into(),
        }
        .into()
    }

    pub(crate) fn lake(lake: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::Lake {
            lake: redact::redacted(&lake.into()),
            message: message.into(),
        }
        .into()
    }

    pub(crate) fn store(url: impl Into<String>, message: impl Into<String>) -> Self {
        ErrorKind::Store {
            url: redact::redacted(&url.into()),
            message: message.into(),
        }
        .into()
    }

    pub(crate) fn with_hint(self, hint: Hint) -> Self {
        Self {
            hint: Some(hint),
            ..self
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact::redacted_text(&self.kind.to_string()))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        let hint = match &kind {
            ErrorKind::ReadOnly(_) => Some(Hint::AllowWrites),
            ErrorKind::Memory(_) => Some(Hint::MoreMemory),
            _ => None,
        };
        Self {
            kind: Arc::new(kind),
            hint,
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        // Contexts and shared wrappers carry no news for the reader; an error of ours inside comes
        // out as it went in.
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            if let Some(ours) = error.downcast_ref::<Self>() {
                return ours.clone();
            }
            cause = error.source();
        }
        match error.find_root() {
            DataFusionError::External(inner) => ErrorKind::Sql(inner.to_string()).into(),
            DataFusionError::ResourcesExhausted(message) => {
                ErrorKind::Memory(sql_message(message)).into()
            }
            root => ErrorKind::Sql(sql_message(&root.to_string())).into(),
        }
    }
}

/// DataFusion's message without the name of its class, and without the request to report user errors
/// as bugs.
fn sql_message(message: &str) -> String {
    const CLASSES: [&str; 8] = [
        "SQL error: ",
        "Error during planning: ",
        "Schema error: ",
        "Execution error: ",
        "Arrow error: ",
        "External error: ",
        "This feature is not implemented: ",
        "Resources exhausted: ",
    ];
    let mut message = message;
    while let Some(rest) = CLASSES.iter().find_map(|class| message.strip_prefix(class)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_comes_out_of_datafusion_as_it_went_in() {
        let ours = Error::lake("s3://b/lake", "is broken").with_hint(Hint::VerifyLake {
            lake: "s3://b/lake".to_owned(),
        });
        let wrapped = DataFusionError::from(ours).context("while planning");
        let back = Error::from(wrapped);
        assert!(matches!(back.kind(), ErrorKind::Lake { lake, .. } if lake == "s3://b/lake"));
        assert!(matches!(back.hint(), Some(Hint::VerifyLake { .. })));
        assert_eq!(back.to_string(), "s3://b/lake: is broken");
        // Also out of a store, as the Parquet crate and DataFusion wrap it.
        let read = object_store::Error::Generic {
            store: "lake",
            source: Box::new(back),
        };
        let wrapped = DataFusionError::from(ParquetError::External(Box::new(read)));
        assert_eq!(Error::from(wrapped).to_string(), "s3://b/lake: is broken");
    }

    #[test]
    fn messages_name_no_classes() {
        let error = DataFusionError::Plan("no such column".to_owned());
        assert_eq!(Error::from(error).to_string(), "no such column");
        let error = Error::from(DataFusionError::ResourcesExhausted("too much".to_owned()));
        assert!(matches!(error.kind(), ErrorKind::Memory(_)));
        assert_eq!(error.hint(), Some(&Hint::MoreMemory));
    }
}
