//! How each column of `events` is filled: one line a column.
//!
//! The names and types are those of `schemas/tables/events.toml`; a test holds the two together, so
//! a column is added there with its doc and here with its rule.

use std::borrow::Cow;

use crate::column::Row;
use crate::event::{ParentObject, actor_kind, service_account, uri};
use crate::json::{Text, Value};

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

use Fill::{
    Boolean, Date, Float64, Int32, Int64, Json, List, Made, Map, MapOfLists, Text as Txt, Timestamp,
};

/// The part of a row that a column is a function of. What the same part says again need not be
/// worked out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventPart {
    /// Anything.
    Event,
    /// `user` and `impersonatedUser`.
    User,
    SourceIps,
    Annotations,
    /// Where the row came from, its place there aside.
    Input,
}

impl EventPart {
    /// Appends the text of the part: rows with equal texts have equal values in all its columns.
    pub(crate) fn text(self, row: &Row<'_, '_>, out: &mut Vec<u8>) {
        // No UTF-8 holds these bytes.
        const NEXT: u8 = 0xff;
        const NONE: u8 = 0xfe;
        let mut add = |text: Option<&str>| {
            if let Some(text) = text {
                out.extend_from_slice(text.as_bytes());
            }
            out.push(if text.is_some() { NEXT } else { NONE });
        };
        match self {
            Self::Event => {}
            Self::User => [row.event.user.raw, row.event.impersonated.raw]
                .into_iter()
                .for_each(add),
            Self::SourceIps => add(row.event.source_ips.map(|value| value.raw)),
            Self::Annotations => add(row.event.annotations.map(|value| value.raw)),
            Self::Input => {
                let origin = &row.origin;
                let parts = [
                    origin.cluster,
                    origin.account,
                    origin.log_stream,
                    Some(origin.format),
                    Some(origin.source_file),
                    origin.source_id,
                ];
                parts.into_iter().for_each(add);
            }
        }
    }
}

/// A column's name, what it is a function of, and how its value is taken.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) part: EventPart,
    pub(crate) fill: Fill,
}

const fn rule(name: &'static str, part: EventPart, fill: Fill) -> Rule {
    Rule { name, part, fill }
}

use EventPart::{Annotations, Event, Input, SourceIps, User};

/// The rule of a column.
pub(crate) fn fill(name: &str) -> Option<Fill> {
    COLUMNS
        .iter()
        .find(|rule| rule.name == name)
        .map(|rule| rule.fill)
}

const MICROS_A_DAY: i64 = 86_400_000_000;

/// Every column of `events`.
pub(crate) static COLUMNS: &[Rule] = &[
    rule("audit_id", Event, Txt(|row| row.event.audit_id)),
    rule("level", Event, Txt(|row| row.event.level)),
    rule("stage", Event, Txt(|row| row.event.stage)),
    rule("verb", Event, Txt(|row| row.event.verb)),
    rule("request_uri", Event, Txt(|row| row.event.request_uri)),
    rule("user_agent", Event, Txt(|row| row.event.user_agent)),
    rule("source_ips", SourceIps, List(|row| row.event.source_ips)),
    rule(
        "dry_run",
        Event,
        Made(|row| {
            uri::joined_param(&row.event.request_uri?.decode(), "dryRun", ",").map(Cow::Owned)
        }),
    ),
    rule("event_api_version", Event, Txt(|row| row.event.api_version)),
    rule(
        "request_received_timestamp",
        Event,
        Timestamp(|row| row.event.received),
    ),
    rule("stage_timestamp", Event, Timestamp(|row| row.event.staged)),
    rule(
        "latency_ms",
        Event,
        Float64(|row| row.latency().map(|micros| micros as f64 / 1000.0)),
    ),
    rule(
        "date",
        Event,
        Date(|row| i32::try_from(row.event.staged?.div_euclid(MICROS_A_DAY)).ok()),
    ),
    rule("username", User, Txt(|row| row.event.user.username)),
    rule("user_uid", User, Txt(|row| row.event.user.uid)),
    rule("user_groups", User, List(|row| row.event.user.groups)),
    rule("user_extra", User, MapOfLists(|row| row.event.user.extra)),
    rule(
        "impersonated_username",
        User,
        Txt(|row| row.event.impersonated.username),
    ),
    rule(
        "impersonated_uid",
        User,
        Txt(|row| row.event.impersonated.uid),
    ),
    rule(
        "impersonated_groups",
        User,
        List(|row| row.event.impersonated.groups),
    ),
    rule(
        "impersonated_extra",
        User,
        MapOfLists(|row| row.event.impersonated.extra),
    ),
    rule(
        "impersonation_constraint",
        Event,
        Txt(|row| row.event.impersonation_constraint),
    ),
    rule("actor", User, Txt(|row| row.event.actor().name)),
    rule("actor_groups", User, List(|row| row.event.actor().groups)),
    rule(
        "actor_kind",
        User,
        Made(|row| Some(actor_kind(&row.actor_name()?).into())),
    ),
    rule(
        "service_account_namespace",
        User,
        Made(|row| service_account(&row.actor_name()?).map(|(space, _)| space.to_owned().into())),
    ),
    rule(
        "service_account_name",
        User,
        Made(|row| service_account(&row.actor_name()?).map(|(_, name)| name.to_owned().into())),
    ),
    rule(
        "pod_name",
        User,
        Txt(|row| row.user_extra("authentication.kubernetes.io/pod-name")),
    ),
    rule(
        "node_name",
        User,
        Txt(|row| row.user_extra("authentication.kubernetes.io/node-name")),
    ),
    rule(
        "credential_id",
        User,
        Txt(|row| row.user_extra("authentication.kubernetes.io/credential-id")),
    ),
    rule("client_ip", SourceIps, Txt(|row| row.source_ip(false))),
    rule("peer_ip", SourceIps, Txt(|row| row.source_ip(true))),
    rule("api_group", Event, Txt(|row| row.event.object.api_group)),
    rule(
        "api_version",
        Event,
        Txt(|row| row.event.object.api_version),
    ),
    rule("resource", Event, Txt(|row| row.event.object.resource)),
    rule(
        "subresource",
        Event,
        Txt(|row| row.event.object.subresource),
    ),
    rule("namespace", Event, Txt(|row| row.event.object.namespace)),
    rule("name", Event, Txt(|row| row.event.object.name)),
    rule("object_uid", Event, Txt(|row| row.event.object.uid)),
    rule(
        "resource_version",
        Event,
        Txt(|row| row.event.object.resource_version),
    ),
    rule("response_code", Event, Int32(|row| row.event.response.code)),
    rule(
        "response_status",
        Event,
        Txt(|row| row.event.response.status),
    ),
    rule(
        "response_reason",
        Event,
        Txt(|row| row.event.response.reason),
    ),
    rule(
        "response_message",
        Event,
        Txt(|row| row.event.response.message),
    ),
    rule(
        "response_details",
        Event,
        Json(|row| row.event.response.details),
    ),
    rule("authz_decision", Annotations, Txt(|row| row.decision())),
    rule("authz_reason", Annotations, Txt(|row| row.reason_text())),
    rule(
        "authorizer",
        Annotations,
        Made(|row| row.reason().authorizer.map(Cow::Borrowed)),
    ),
    rule(
        "binding_kind",
        Annotations,
        Made(|row| Some(row.reason().grant.as_ref()?.binding_kind.into())),
    ),
    rule(
        "binding_namespace",
        Annotations,
        Made(|row| {
            row.reason()
                .grant
                .as_ref()?
                .binding_namespace
                .as_deref()
                .map(Cow::Borrowed)
        }),
    ),
    rule(
        "binding_name",
        Annotations,
        Made(|row| Some(row.reason().grant.as_ref()?.binding_name.as_str().into())),
    ),
    rule(
        "role_kind",
        Annotations,
        Made(|row| Some(row.reason().grant.as_ref()?.role_kind.into())),
    ),
    rule(
        "role_name",
        Annotations,
        Made(|row| Some(row.reason().grant.as_ref()?.role_name.as_str().into())),
    ),
    rule(
        "subject_kind",
        Annotations,
        Made(|row| Some(row.reason().grant.as_ref()?.subject_kind.into())),
    ),
    rule(
        "subject_namespace",
        Annotations,
        Made(|row| {
            row.reason()
                .grant
                .as_ref()?
                .subject_namespace
                .as_deref()
                .map(Cow::Borrowed)
        }),
    ),
    rule(
        "subject_name",
        Annotations,
        Made(|row| Some(row.reason().grant.as_ref()?.subject_name.as_str().into())),
    ),
    rule("annotations", Annotations, Map(|row| row.event.annotations)),
    rule(
        "request_object",
        Event,
        Json(|row| row.event.request_object),
    ),
    rule(
        "response_object",
        Event,
        Json(|row| row.event.response_object),
    ),
    rule(
        "unknown_fields",
        Event,
        Made(|row| row.event.leftovers.to_json(&maps(row)).map(Cow::Owned)),
    ),
    rule("truncated", Event, Boolean(|row| Some(row.truncated()))),
    rule(
        "cluster",
        Input,
        Made(|row| row.origin.cluster.map(Cow::Borrowed)),
    ),
    rule(
        "account",
        Input,
        Made(|row| row.origin.account.map(Cow::Borrowed)),
    ),
    rule(
        "log_stream",
        Input,
        Made(|row| row.origin.log_stream.map(Cow::Borrowed)),
    ),
    rule("format", Input, Made(|row| Some(row.origin.format.into()))),
    rule(
        "source_file",
        Input,
        Made(|row| Some(row.origin.source_file.into())),
    ),
    rule(
        "source_line",
        Event,
        Int64(|row| (row.origin.source_line > 0).then_some(row.origin.source_line)),
    ),
    rule(
        "source_offset",
        Event,
        Int64(|row| Some(row.origin.source_offset)),
    ),
    rule(
        "event_bytes",
        Event,
        Int64(|row| Some(row.origin.event_bytes)),
    ),
    rule(
        "source_id",
        Input,
        Made(|row| row.origin.source_id.map(Into::into)),
    ),
    rule("event_hash", Event, Int64(|row| row.origin.event_hash)),
];

/// The map columns, whose duplicate keys are looked for only here.
fn maps<'a>(row: &Row<'_, 'a>) -> [(ParentObject, Option<Value<'a>>); 3] {
    [
        (ParentObject::Annotations, row.event.annotations),
        (ParentObject::UserExtra, row.event.user.extra),
        (
            ParentObject::ImpersonatedExtra,
            row.event.impersonated.extra,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_documented_column_has_a_rule_of_its_type() {
        let table = schema::table("events").unwrap();
        let documented: Vec<_> = table
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let filled: Vec<_> = COLUMNS.iter().map(|rule| rule.name).collect();
        assert_eq!(
            documented, filled,
            "schemas/tables/events.toml and COLUMNS differ"
        );
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
            assert!(
                types.contains(&column.type_name.as_str()),
                "{}: {}",
                column.name,
                column.type_name
            );
            // `encode/` keeps only texts by their parts, and lists not otherwise.
            let rule = COLUMNS
                .iter()
                .find(|rule| rule.name == column.name)
                .unwrap();
            match rule.fill {
                Txt(_) | Made(_) => {}
                List(_) | Map(_) | MapOfLists(_) => assert_ne!(rule.part, Event, "{}", column.name),
                _ => assert_eq!(rule.part, Event, "{}", column.name),
            }
            assert!(
                !column.doc.is_empty() && schema::data_type(&column.type_name).is_some(),
                "{}",
                column.name
            );
        }
    }
}
