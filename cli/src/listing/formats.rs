//! The log formats that the engine reads.

use super::Listing;

/// Every format with its description.
pub(crate) fn formats() -> Listing {
    Listing {
        columns: &["format", "doc"],
        rows: auditql_engine::formats()
            .map(|format| vec![format.name.to_owned(), format.doc.to_owned()])
            .collect(),
    }
}
