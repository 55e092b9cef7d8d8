//! Rows of a statement over `events` in, [`AccessEvent`]s out.
//!
//! RequestReceived has no decision and is left out; bodies are read of access reviews alone. Not
//! responsible for: counting (`rbac/observed.rs`), running the statement.

use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::array::Int64Array;
use datafusion::arrow::array::ListArray;
use datafusion::arrow::array::MapArray;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::array::StringViewArray;
use datafusion::arrow::array::TimestampMicrosecondArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::datatypes::Field;

use crate::error::ErrorKind;
use crate::error::Result;
use crate::rbac::AccessEvent;
use crate::rbac::EventUser;
use crate::rbac::RecordedDecision;

/// Every event that can tell of access.
pub const ACCESS_EVENTS: &str = "\
SELECT stage, audit_id, verb, request_uri, username, user_uid, user_groups, user_extra, \
impersonated_username, impersonated_uid, impersonated_groups, impersonated_extra, \
impersonation_constraint, authz_decision, authz_reason, response_code, \
CASE WHEN response_code = 403 AND authz_decision IS NULL THEN response_message END AS message, \
CASE WHEN api_group = 'authorization.k8s.io' AND verb = 'create' THEN request_object END AS request, \
CASE WHEN api_group = 'authorization.k8s.io' AND verb = 'create' THEN response_object END AS response, \
coalesce(request_received_timestamp, stage_timestamp) AS time \
FROM events WHERE stage <> 'RequestReceived'";

/// As [`ACCESS_EVENTS`], in the order of time.
pub fn access_events_by_time() -> String {
    format!("{ACCESS_EVENTS} ORDER BY time")
}

/// The events of one request.
pub fn access_events_of(audit_id: &str) -> String {
    format!(
        "{ACCESS_EVENTS} AND audit_id = '{}'",
        audit_id.replace('\'', "''")
    )
}

/// Rows of [`ACCESS_EVENTS`].
#[derive(Debug)]
pub struct AccessRows {
    texts: [StringViewArray; TEXTS.len()],
    user: UserColumns,
    impersonated: UserColumns,
    code: Int64Array,
    time: TimestampMicrosecondArray,
}

const TEXTS: [&str; 10] = [
    "stage",
    "audit_id",
    "verb",
    "request_uri",
    "impersonation_constraint",
    "authz_decision",
    "authz_reason",
    "message",
    "request",
    "response",
];

/// The columns of a user.
#[derive(Debug)]
struct UserColumns {
    name: StringViewArray,
    uid: StringViewArray,
    groups: ListArray,
    extra: MapArray,
}

/// What a user's groups and extra values are borrowed from while an event is visited.
#[derive(Default)]
struct UserParts<'a> {
    groups: Vec<&'a str>,
    values: Vec<Vec<&'a str>>,
    keys: Vec<&'a str>,
}

impl AccessRows {
    /// The rows of a batch of the statement.
    ///
    /// # Errors
    ///
    /// When a column is missing.
    pub fn new(batch: &RecordBatch) -> Result<Self> {
        let mut texts = Vec::with_capacity(TEXTS.len());
        for name in TEXTS {
            texts.push(text_column(batch, name)?);
        }
        let texts = texts.try_into().map_err(|_| missing("stage"))?;
        Ok(Self {
            texts,
            user: UserColumns::new(batch, ["username", "user_uid", "user_groups", "user_extra"])?,
            impersonated: UserColumns::new(
                batch,
                [
                    "impersonated_username",
                    "impersonated_uid",
                    "impersonated_groups",
                    "impersonated_extra",
                ],
            )?,
            code: typed(batch, "response_code", &DataType::Int64)?
                .as_primitive_opt()
                .cloned()
                .ok_or_else(|| missing("response_code"))?,
            time: column(batch, "time")?
                .as_primitive_opt()
                .cloned()
                .ok_or_else(|| missing("time"))?,
        })
    }

    /// Calls `visit` with each event.
    pub fn for_each(&self, mut visit: impl FnMut(&AccessEvent<'_>)) {
        for row in 0..self.code.len() {
            let text = |at: usize| value(&self.texts[at], row);
            let decision = text(5).map(|decision| RecordedDecision {
                is_allowed: decision == "allow",
                reason: text(6),
            });
            let (mut own, mut other) = (UserParts::default(), UserParts::default());
            let user = self.user.parts(row, &mut own);
            let impersonated = self.impersonated.parts(row, &mut other);
            let (own_extra, other_extra) = (own.extra(), other.extra());
            visit(&AccessEvent {
                stage: text(0).unwrap_or_default(),
                audit_id: text(1).unwrap_or_default(),
                verb: text(2).unwrap_or_default(),
                request_uri: text(3).unwrap_or_default(),
                user: user.map(|(name, uid)| EventUser {
                    name,
                    uid,
                    groups: &own.groups,
                    extra: &own_extra,
                }),
                impersonated: impersonated.map(|(name, uid)| EventUser {
                    name,
                    uid,
                    groups: &other.groups,
                    extra: &other_extra,
                }),
                impersonation_constraint: text(4),
                decision,
                code: if self.code.is_valid(row) {
                    self.code.value(row)
                } else {
                    0
                },
                message: text(7).unwrap_or_default(),
                request_object: text(8),
                response_object: text(9),
                time: if self.time.is_valid(row) {
                    self.time.value(row)
                } else {
                    0
                },
            });
        }
    }
}

impl UserColumns {
    fn new(batch: &RecordBatch, [name, uid, groups, extra]: [&str; 4]) -> Result<Self> {
        let item = Arc::new(Field::new_list_field(DataType::Utf8View, true));
        Ok(Self {
            name: text_column(batch, name)?,
            uid: text_column(batch, uid)?,
            groups: typed(batch, groups, &DataType::List(item))?
                .as_list_opt()
                .cloned()
                .ok_or_else(|| missing(groups))?,
            extra: column(batch, extra)?
                .as_map_opt()
                .cloned()
                .ok_or_else(|| missing(extra))?,
        })
    }

    /// Name and UID; groups and extra values go into `parts`.
    fn parts<'a>(&'a self, row: usize, parts: &mut UserParts<'a>) -> Option<(&'a str, &'a str)> {
        let name = value(&self.name, row)?;
        if let Some(values) = self.groups.values().as_string_view_opt()
            && self.groups.is_valid(row)
        {
            let ends = self.groups.value_offsets();
            let (from, to) = (ends[row] as usize, ends[row + 1] as usize);
            parts.groups.extend((from..to).map(|at| values.value(at)));
        }
        self.extra_parts(row, parts);
        Some((name, value(&self.uid, row).unwrap_or_default()))
    }

    fn extra_parts<'a>(&'a self, row: usize, parts: &mut UserParts<'a>) {
        if self.extra.is_null(row) {
            return;
        }
        let lists = self.extra.values().as_list_opt::<i32>();
        let (Some(keys), Some(lists)) = (self.extra.keys().as_string_opt::<i32>(), lists) else {
            return;
        };
        let Some(values) = lists.values().as_string_opt::<i32>() else {
            return;
        };
        let (ends, value_ends) = (self.extra.value_offsets(), lists.value_offsets());
        for at in ends[row] as usize..ends[row + 1] as usize {
            let (from, to) = (value_ends[at] as usize, value_ends[at + 1] as usize);
            parts.keys.push(keys.value(at));
            parts
                .values
                .push((from..to).map(|index| values.value(index)).collect());
        }
    }
}

impl<'a> UserParts<'a> {
    fn extra(&self) -> Vec<(&'a str, &[&'a str])> {
        let values = self.values.iter().map(Vec::as_slice);
        self.keys.iter().copied().zip(values).collect()
    }
}

fn value(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    batch.column_by_name(name).ok_or_else(|| missing(name))
}

fn typed(batch: &RecordBatch, name: &str, data_type: &DataType) -> Result<ArrayRef> {
    Ok(cast(column(batch, name)?, data_type)?)
}

fn text_column(batch: &RecordBatch, name: &str) -> Result<StringViewArray> {
    let texts = typed(batch, name, &DataType::Utf8View)?;
    texts
        .as_string_view_opt()
        .cloned()
        .ok_or_else(|| missing(name))
}

fn missing(name: &str) -> crate::error::Error {
    ErrorKind::Internal(format!("the statement has no column {name}")).into()
}
