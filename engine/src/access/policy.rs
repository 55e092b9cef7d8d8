//! Events as an audit policy sees them: rows of a statement over `events` in, [`EventFacts`] out.
//!
//! Two statements: [`ALL_REQUESTS`] has a row an event, in the order of the log; that of
//! [`shapes_statement`] has a row for all events that a policy cannot tell apart, with their number
//! and size, so that a log of any length becomes few facts. Verb and target come from the request's
//! URI, the user is the authenticated one. Not responsible for: what a policy decides.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::array::BooleanArray;
use datafusion::arrow::array::Int64Array;
use datafusion::arrow::array::ListArray;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::array::StringViewArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::datatypes::Field;
use datafusion::arrow::datatypes::Int64Type;

use crate::error::ErrorKind;
use crate::error::Result;
use crate::policy::EventBytes;
use crate::policy::EventFacts;
use crate::policy::PolicyLevel;
use crate::policy::PolicyStage;
use crate::policy::RequestAttributes;
use crate::policy::RequestedTarget;
use crate::query::SavedQuery;
use crate::request::RequestUri;

/// Every event with what a policy looks at, in the order of the log where one thread reads it.
pub const ALL_REQUESTS: &str = "\
SELECT audit_id, verb, request_uri AS uri, username, user_groups, \
api_group, resource, subresource, namespace, name FROM events";

/// What tells two events apart for a policy. Of a query only a field selector counts, which can name
/// the object of a list or watch. Some formats have no URI: there the object stands in for it.
const SHAPE: &str = "\
verb, \
CASE WHEN verb IN ('list', 'watch') AND query_param(request_uri, 'fieldSelector') IS NOT NULL \
THEN request_uri ELSE split_part(request_uri, '?', 1) END AS uri, \
username, user_groups, level, stage, \
coalesce(response_code IN (401, 403), false) AS refused, \
CASE WHEN request_uri IS NULL THEN api_group END AS api_group, \
CASE WHEN request_uri IS NULL THEN resource END AS resource, \
CASE WHEN request_uri IS NULL THEN subresource END AS subresource, \
CASE WHEN request_uri IS NULL THEN namespace END AS namespace, \
CASE WHEN request_uri IS NULL THEN name END AS name";

/// The number of expressions in [`SHAPE`].
const SHAPE_COLUMNS: usize = 12;

/// Sizes of the parts of an event. Managed fields are measured with their key.
const SIZES: &str = ", \
sum(event_bytes) AS event_bytes, \
sum(octet_length(request_object)) AS request_bytes, \
sum(octet_length(response_object)) AS response_bytes, \
sum(octet_length(body_text(request_object, 'metadata.managedFields')) + 17) AS managed_request, \
sum(octet_length(body_text(response_object, 'metadata.managedFields')) + 17) AS managed_response";

/// Begins the name of a column that counts the values of one of `events`.
const COUNTED: &str = "count of ";

/// Columns that the level of an event decides on, and that need not be counted.
const BODIES: [&str; 2] = ["request_object", "response_object"];

/// A statement with a row for the events that a policy cannot tell apart: their number, and how
/// many have the columns that saved queries need.
pub fn shapes_statement() -> String {
    shapes("")
}

/// As [`shapes_statement`], with the size of the events by part, for which bodies are read.
pub fn sized_shapes_statement() -> String {
    shapes(SIZES)
}

fn shapes(sizes: &str) -> String {
    let mut sql = format!("SELECT {SHAPE}, count(*) AS events{sizes}");
    for column in needed_columns() {
        let _ = write!(sql, ", count(\"{column}\") AS \"{COUNTED}{column}\"");
    }
    sql.push_str(" FROM events GROUP BY ");
    let keys: Vec<String> = (1..=SHAPE_COLUMNS).map(|key| key.to_string()).collect();
    sql + &keys.join(", ")
}

/// The columns that saved queries need beside bodies, in order.
pub(super) fn needed_columns() -> Vec<&'static str> {
    let needs = SavedQuery::library()
        .iter()
        .flat_map(|query| &query.header.needs);
    let mut columns: Vec<&str> = needs
        .flat_map(|need| need.columns.iter().map(String::as_str))
        .filter(|column| !BODIES.contains(column))
        .collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// Events that were read, and those of them that say too little for a policy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JudgedEvents {
    /// All.
    pub events: u64,
    /// Those without a stage, or without both URI and object.
    pub unclear: u64,
}

/// Rows with a request each.
#[derive(Debug)]
pub struct RequestRows {
    verb: StringViewArray,
    uri: StringViewArray,
    username: StringViewArray,
    groups: ListArray,
    api_group: StringViewArray,
    resource: StringViewArray,
    subresource: StringViewArray,
    namespace: StringViewArray,
    name: StringViewArray,
}

impl RequestRows {
    /// The rows of a batch of either statement.
    ///
    /// # Errors
    ///
    /// When a column is missing.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        let item = Arc::new(Field::new_list_field(DataType::Utf8View, true));
        let groups = typed(batch, "user_groups", &DataType::List(item))?;
        Ok(Self {
            verb: texts(batch, "verb")?,
            uri: texts(batch, "uri")?,
            username: texts(batch, "username")?,
            groups: groups.as_list::<i32>().clone(),
            api_group: texts(batch, "api_group")?,
            resource: texts(batch, "resource")?,
            subresource: texts(batch, "subresource")?,
            namespace: texts(batch, "namespace")?,
            name: texts(batch, "name")?,
        })
    }

    /// Calls `visit` with each row and its request; `None` where the event does not say what the
    /// request is for.
    pub fn for_each(&self, mut visit: impl FnMut(usize, Option<RequestAttributes<'_>>)) {
        let all_groups = self.groups.values().as_string_view_opt();
        let mut groups = Vec::new();
        for row in 0..self.verb.len() {
            groups.clear();
            if let (Some(values), true) = (all_groups, self.groups.is_valid(row)) {
                let ends = self.groups.value_offsets();
                let (from, to) = (ends[row] as usize, ends[row + 1] as usize);
                groups.extend((from..to).map(|index| values.value(index)));
            }
            let user = text(&self.username, row);
            let verb = text(&self.verb, row).unwrap_or_default();
            if let Some(uri) = text(&self.uri, row) {
                let uri = RequestUri::new(uri);
                let info = uri.with_verb(verb);
                let target = RequestedTarget::from(&info);
                let groups = &groups;
                visit(
                    row,
                    Some(RequestAttributes {
                        user,
                        groups,
                        verb,
                        target,
                    }),
                );
                continue;
            }
            let part = |column| text(column, row).unwrap_or_default();
            let target = text(&self.resource, row).map(|resource| RequestedTarget::Resource {
                api_group: part(&self.api_group),
                resource,
                subresource: part(&self.subresource),
                namespace: part(&self.namespace),
                name: part(&self.name),
            });
            let groups = &groups;
            let request = target.map(|target| RequestAttributes {
                user,
                groups,
                verb,
                target,
            });
            visit(row, request);
        }
    }
}

/// Rows with the number and size of the events that are alike.
#[derive(Debug)]
pub struct EventShapes {
    requests: RequestRows,
    stage: StringViewArray,
    level: StringViewArray,
    refused: BooleanArray,
    events: Int64Array,
    /// `None` where sizes were not asked for.
    sizes: Option<[Int64Array; 5]>,
    /// Numbers of values, by [`needed_columns`].
    counted: Vec<Int64Array>,
}

impl EventShapes {
    /// The rows of a batch of [`shapes_statement`] or [`sized_shapes_statement`].
    ///
    /// # Errors
    ///
    /// When a column is missing.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        let sizes = match batch.column_by_name("event_bytes") {
            Some(_) => Some([
                numbers(batch, "event_bytes")?,
                numbers(batch, "request_bytes")?,
                numbers(batch, "response_bytes")?,
                numbers(batch, "managed_request")?,
                numbers(batch, "managed_response")?,
            ]),
            None => None,
        };
        let counted = needed_columns().into_iter();
        Ok(Self {
            requests: RequestRows::new(batch)?,
            stage: texts(batch, "stage")?,
            level: texts(batch, "level")?,
            refused: typed(batch, "refused", &DataType::Boolean)?
                .as_boolean()
                .clone(),
            events: numbers(batch, "events")?,
            sizes,
            counted: counted
                .map(|column| numbers(batch, &format!("{COUNTED}{column}")))
                .collect::<Result<_>>()?,
        })
    }

    /// Calls `visit` with the facts of each row and, by needed column, the number of events that
    /// have it; the number of events, and of those that say too little.
    pub fn for_each(&self, mut visit: impl FnMut(&EventFacts<'_>, &[u64])) -> JudgedEvents {
        let mut judged = JudgedEvents::default();
        let mut counted = Vec::with_capacity(self.counted.len());
        self.requests.for_each(|row, request| {
            let events = number(&self.events, row);
            judged.events += events;
            let stage = text(&self.stage, row).and_then(PolicyStage::from_name);
            let (Some(request), Some(stage)) = (request, stage) else {
                judged.unclear += events;
                return;
            };
            let bytes = self.bytes(row);
            counted.clear();
            counted.extend(self.counted.iter().map(|column| number(column, row)));
            let facts = EventFacts {
                request,
                stage,
                level: self.level(row, &bytes),
                events,
                bytes,
                refused: self.refused.value(row),
            };
            visit(&facts, &counted);
        });
        judged
    }

    fn bytes(&self, row: usize) -> EventBytes {
        let Some(sizes) = &self.sizes else {
            return EventBytes::default();
        };
        let [all, request, response, in_request, in_response] =
            sizes.each_ref().map(|column| number(column, row));
        EventBytes {
            metadata: all.saturating_sub(request + response),
            request_object: request,
            response_object: response,
            managed_fields: Some((in_request.min(request), in_response.min(response))),
        }
    }

    /// The level of the events; where a format does not say, the lowest that holds their bodies.
    fn level(&self, row: usize, bytes: &EventBytes) -> PolicyLevel {
        let said = text(&self.level, row).and_then(PolicyLevel::from_name);
        said.unwrap_or(match (bytes.request_object, bytes.response_object) {
            (0, 0) => PolicyLevel::Metadata,
            (_, 0) => PolicyLevel::Request,
            _ => PolicyLevel::RequestResponse,
        })
    }
}

fn typed(batch: &RecordBatch, name: &str, wanted: &DataType) -> Result<ArrayRef> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| ErrorKind::Internal(format!("the rows of events have no column {name}")))?;
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    cast(column, wanted).map_err(|error| ErrorKind::Internal(format!("{name}: {error}")).into())
}

fn texts(batch: &RecordBatch, name: &str) -> Result<StringViewArray> {
    Ok(typed(batch, name, &DataType::Utf8View)?
        .as_string_view()
        .clone())
}

fn numbers(batch: &RecordBatch, name: &str) -> Result<Int64Array> {
    let column = typed(batch, name, &DataType::Int64)?;
    Ok(column.as_primitive::<Int64Type>().clone())
}

fn text(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// A count or a sum; a sum over nothing is NULL.
fn number(column: &Int64Array, row: usize) -> u64 {
    match column.is_valid(row) {
        true => u64::try_from(column.value(row)).unwrap_or_default(),
        false => 0,
    }
}
