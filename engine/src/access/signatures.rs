//! What kinds of requests a log holds at all: rows of a short statement in, proofs that a saved query
//! has nothing to find out.
//!
//! As the columns of `events` have it, which is what queries ask: not as the URI has it, by which
//! policies decide (`policy.rs`).

use std::collections::HashSet;

use datafusion::arrow::array::{Array, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::cast::as_string_view_array;

use crate::error::Result;
use crate::query::QueryNeed;
use crate::query::SavedQuery;

/// A row for each kind of request.
pub(crate) const SIGNATURES: &str =
    "SELECT DISTINCT verb, api_group, resource, subresource FROM events";

/// The kinds of requests of a log.
#[derive(Debug, Default)]
pub(crate) struct LogSignatures {
    known: HashSet<RequestSignature>,
}

/// A kind of request; `None` where the events do not say.
#[derive(Debug, PartialEq, Eq, Hash)]
struct RequestSignature {
    verb: Option<String>,
    api_group: Option<String>,
    resource: Option<String>,
    subresource: Option<String>,
}

impl LogSignatures {
    /// Adds the rows of a batch of [`SIGNATURES`].
    ///
    /// # Errors
    ///
    /// When a column is missing.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = Vec::with_capacity(4);
        for column in batch.columns() {
            columns.push(cast(column, &DataType::Utf8View)?);
        }
        let texts: Vec<&StringViewArray> = columns
            .iter()
            .map(|column| as_string_view_array(column))
            .collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let cell = |index: usize| {
                let column = texts.get(index)?;
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            self.known.insert(RequestSignature {
                verb: cell(0),
                api_group: cell(1),
                resource: cell(2),
                subresource: cell(3),
            });
        }
        Ok(())
    }

    /// Whether the log has a request that the query looks at; whoever sent it, and whatever came of it.
    /// Only a shipped query is taken at the word of its `needs`.
    pub(crate) fn can_interest(&self, query: &SavedQuery) -> bool {
        if !query.is_shipped {
            return true;
        }
        let needs = || query.header.needs.iter();
        let mut known = self.known.iter();
        known.any(|signature| needs().any(|need| signature.fits(need)))
    }
}

impl RequestSignature {
    fn fits(&self, need: &QueryNeed) -> bool {
        let has_verb = self.verb.as_deref().is_none_or(|verb| need.has_verb(verb));
        let text = |part: &'_ Option<String>| part.clone().unwrap_or_default();
        has_verb
            && match &self.resource {
                Some(resource) => {
                    need.has_resource(&text(&self.api_group), resource, &text(&self.subresource))
                }
                // A path, or a request of which the events do not say what it is for.
                None => {
                    let mut resources = need.resources.iter();
                    !need.paths.is_empty() || resources.any(|resource| resource.text() == "*")
                }
            }
    }
}
