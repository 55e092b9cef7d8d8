//! How each column of `events` is filled: one line a column.
//!
//! The names and types are those of `schemas/tables/events.toml`; a test holds the two together, so a column is added
//! there with its doc and here with its rule.

use std::borrow::Cow;

use super::Row;
use crate::{
    event::{Place, actor_kind, service_account},
    function::uri,
    json::{Text, Value},
};

/// How a column's value is taken from a row. The variant fixes the Arrow type.
#[derive(Clone, Copy)]
pub(crate) enum Fill {
    /// Text of the event.
    Text(for<'a> fn(&Row<'_, 'a>) -> Option<Text<'a>>),
    /// Text that had to be made, or is our own.
    Made(for<'r> fn(&'r Row<'_, '_>) -> Option<Cow<'r, str>>),
    /// JSON, byte for byte.
    Json(for<'a> fn(&Row<'_, 'a>) -> Option<Value<'a>>),
    /// An array of strings.
    List(for<'a> fn(&Row<'_, 'a>) -> Option<Value<'a>>),
    /// An object of strings.
    Map(for<'a> fn(&Row<'_, 'a>) -> Option<Value<'a>>),
    /// An object of arrays of strings.
    MapOfLists(for<'a> fn(&Row<'_, 'a>) -> Option<Value<'a>>),
    Int32(fn(&Row<'_, '_>) -> Option<i32>),
    Int64(fn(&Row<'_, '_>) -> Option<i64>),
    Float64(fn(&Row<'_, '_>) -> Option<f64>),
    Boolean(fn(&Row<'_, '_>) -> Option<bool>),
    /// Microseconds since the epoch.
    Timestamp(fn(&Row<'_, '_>) -> Option<i64>),
    /// Days since the epoch.
    Date(fn(&Row<'_, '_>) -> Option<i32>),
}

use Fill::{Boolean, Date, Float64, Int32, Int64, Json, List, Made, Map, MapOfLists, Text as Txt, Timestamp};

/// The rule of a column.
pub(crate) fn fill(name: &str) -> Option<Fill> {
    COLUMNS.iter().find(|(column, _)| *column == name).map(|(_, fill)| *fill)
}

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Every column of `events`.
pub(crate) static COLUMNS: &[(&str, Fill)] = &[
    ("audit_id", Txt(|row| row.event.audit_id)),
    ("level", Txt(|row| row.event.level)),
    ("stage", Txt(|row| row.event.stage)),
    ("verb", Txt(|row| row.event.verb)),
    ("request_uri", Txt(|row| row.event.request_uri)),
    ("user_agent", Txt(|row| row.event.user_agent)),
    ("source_ips", List(|row| row.event.source_ips)),
    ("dry_run", Made(|row| uri::joined_param(&row.event.request_uri?.decode(), "dryRun", ",").map(Cow::Owned))),
    ("event_api_version", Txt(|row| row.event.api_version)),
    ("request_received_timestamp", Timestamp(|row| row.event.received)),
    ("stage_timestamp", Timestamp(|row| row.event.staged)),
    ("latency_ms", Float64(|row| Some(row.event.staged?.checked_sub(row.event.received?)? as f64 / 1000.0))),
    ("date", Date(|row| i32::try_from(row.event.staged?.div_euclid(MICROS_A_DAY)).ok())),
    ("username", Txt(|row| row.event.user.username)),
    ("user_uid", Txt(|row| row.event.user.uid)),
    ("user_groups", List(|row| row.event.user.groups)),
    ("user_extra", MapOfLists(|row| row.event.user.extra)),
    ("impersonated_username", Txt(|row| row.event.impersonated.username)),
    ("impersonated_uid", Txt(|row| row.event.impersonated.uid)),
    ("impersonated_groups", List(|row| row.event.impersonated.groups)),
    ("impersonated_extra", MapOfLists(|row| row.event.impersonated.extra)),
    ("impersonation_constraint", Txt(|row| row.event.impersonation_constraint)),
    ("actor", Txt(|row| row.event.actor().name)),
    ("actor_groups", List(|row| row.event.actor().groups)),
    ("actor_kind", Made(|row| Some(actor_kind(&row.actor_name()?).into()))),
    ("service_account_namespace", Made(|row| service_account(&row.actor_name()?).map(|(space, _)| space.to_owned().into()))),
    ("service_account_name", Made(|row| service_account(&row.actor_name()?).map(|(_, name)| name.to_owned().into()))),
    ("pod_name", Txt(|row| row.user_extra("authentication.kubernetes.io/pod-name"))),
    ("node_name", Txt(|row| row.user_extra("authentication.kubernetes.io/node-name"))),
    ("credential_id", Txt(|row| row.user_extra("authentication.kubernetes.io/credential-id"))),
    ("client_ip", Txt(|row| row.source_ip(false))),
    ("peer_ip", Txt(|row| row.source_ip(true))),
    ("api_group", Txt(|row| row.event.object.api_group)),
    ("api_version", Txt(|row| row.event.object.api_version)),
    ("resource", Txt(|row| row.event.object.resource)),
    ("subresource", Txt(|row| row.event.object.subresource)),
    ("namespace", Txt(|row| row.event.object.namespace)),
    ("name", Txt(|row| row.event.object.name)),
    ("object_uid", Txt(|row| row.event.object.uid)),
    ("resource_version", Txt(|row| row.event.object.resource_version)),
    ("response_code", Int32(|row| row.event.response.code)),
    ("response_status", Txt(|row| row.event.response.status)),
    ("response_reason", Txt(|row| row.event.response.reason)),
    ("response_message", Txt(|row| row.event.response.message)),
    ("response_details", Json(|row| row.event.response.details)),
    ("authz_decision", Txt(|row| row.decision())),
    ("authz_reason", Txt(|row| row.reason_text())),
    ("authorizer", Made(|row| row.reason().authorizer.map(Cow::Borrowed))),
    ("binding_kind", Made(|row| Some(row.reason().grant.as_ref()?.binding_kind.into()))),
    ("binding_namespace", Made(|row| row.reason().grant.as_ref()?.binding_namespace.as_deref().map(Cow::Borrowed))),
    ("binding_name", Made(|row| Some(row.reason().grant.as_ref()?.binding_name.as_str().into()))),
    ("role_kind", Made(|row| Some(row.reason().grant.as_ref()?.role_kind.into()))),
    ("role_name", Made(|row| Some(row.reason().grant.as_ref()?.role_name.as_str().into()))),
    ("subject_kind", Made(|row| Some(row.reason().grant.as_ref()?.subject_kind.into()))),
    ("subject_namespace", Made(|row| row.reason().grant.as_ref()?.subject_namespace.as_deref().map(Cow::Borrowed))),
    ("subject_name", Made(|row| Some(row.reason().grant.as_ref()?.subject_name.as_str().into()))),
    ("annotations", Map(|row| row.event.annotations)),
    ("request_object", Json(|row| row.event.request_object)),
    ("response_object", Json(|row| row.event.response_object)),
    ("unknown_fields", Made(|row| row.event.leftovers.to_json(&maps(row)).map(Cow::Owned))),
    ("truncated", Boolean(|row| Some(row.truncated()))),
    ("cluster", Made(|row| row.origin.cluster.map(Cow::Borrowed))),
    ("log_stream", Made(|row| row.origin.log_stream.map(Cow::Borrowed))),
    ("format", Made(|row| Some(row.origin.format.into()))),
    ("source_file", Made(|row| Some(row.origin.source_file.into()))),
    ("source_line", Int64(|row| (row.origin.source_line > 0).then_some(row.origin.source_line))),
    ("source_offset", Int64(|row| Some(row.origin.source_offset))),
    ("event_bytes", Int64(|row| Some(row.origin.event_bytes))),
];

/// The map columns, whose duplicate keys are looked for only here.
fn maps<'a>(row: &Row<'_, 'a>) -> [(Place, Option<Value<'a>>); 3] {
    [
        (Place::Annotations, row.event.annotations),
        (Place::UserExtra, row.event.user.extra),
        (Place::ImpersonatedExtra, row.event.impersonated.extra),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_documented_column_has_a_rule_of_its_type() {
        let table = schema::table("events").unwrap();
        let documented: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let filled: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
        assert_eq!(documented, filled, "schemas/tables/events.toml and COLUMNS differ");
        for column in &table.columns {
            let types: &[&str] = match fill(&column.name).unwrap() {
                Txt(_) | Made(_) => &["string", "json"],
                Json(_) => &["json"],
                List(_) => &["list<string>"],
                Map(_) => &["map<string,string>"],
                MapOfLists(_) => &["map<string,list<string>>"],
                Int32(_) => &["int32"],
                Int64(_) => &["int64"],
                Float64(_) => &["float64"],
                Boolean(_) => &["boolean"],
                Timestamp(_) => &["timestamp"],
                Date(_) => &["date"],
            };
            assert!(types.contains(&column.type_name.as_str()), "{}: {}", column.name, column.type_name);
            assert!(!column.doc.is_empty() && schema::data_type(&column.type_name).is_some(), "{}", column.name);
        }
    }
}
