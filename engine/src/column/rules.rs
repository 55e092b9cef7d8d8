//! How each column of `events` is filled: one line a column.
//!
//! A row goes in, the value of one column comes out. Everything else about a column (its type, its
//! doc, how it is stored) stands in `schemas/tables/events.toml`. A test holds the two together, so
//! a column is added there and here.

use std::borrow::Cow;

use crate::column::Row;
use crate::event::actor_kind;
use crate::json::{Text, Value};

/// How a column's value is taken from a row. The variant fixes the Arrow type.
#[derive(Clone, Copy)]
pub(crate) enum Fill {
    /// Text of the event.
    Text(for<'a> fn(&Row<'_, 'a>) -> Option<Text<'a>>),
    /// Text that is computed, or our own.
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

/// How the column `name` is filled; `None` when no column has that name.
#[allow(clippy::too_many_lines, reason = "a table: one line a column")]
pub(crate) fn fill(name: &str) -> Option<Fill> {
    Some(match name {
        "audit_id" => Txt(|row| row.event.audit_id),
        "level" => Txt(|row| row.event.level),
        "stage" => Txt(|row| row.event.stage),
        "verb" => Txt(|row| row.event.verb),
        "request_uri" => Txt(|row| row.event.request_uri),
        "user_agent" => Txt(|row| row.event.user_agent),
        "source_ips" => List(|row| row.event.source_ips),
        "dry_run" => Made(|row| row.dry_run()),
        "event_api_version" => Txt(|row| row.event.api_version),
        "request_received_timestamp" => Timestamp(|row| row.event.received),
        "stage_timestamp" => Timestamp(|row| row.event.staged),
        "latency_ms" => Float64(|row| Some(row.latency()? as f64 / 1000.0)),
        "date" => Date(|row| row.date()),
        "username" => Txt(|row| row.event.user.username),
        "user_uid" => Txt(|row| row.event.user.uid),
        "user_groups" => List(|row| row.event.user.groups),
        "user_extra" => MapOfLists(|row| row.event.user.extra),
        "impersonated_username" => Txt(|row| row.event.impersonated.username),
        "impersonated_uid" => Txt(|row| row.event.impersonated.uid),
        "impersonated_groups" => List(|row| row.event.impersonated.groups),
        "impersonated_extra" => MapOfLists(|row| row.event.impersonated.extra),
        "impersonation_constraint" => Txt(|row| row.event.impersonation_constraint),
        "actor" => Txt(|row| row.event.actor().name),
        "principal" => Txt(|row| row.event.principal()),
        "actor_groups" => List(|row| row.event.actor().groups),
        "actor_kind" => Made(|row| Some(actor_kind(&row.actor_name()?).into())),
        "service_account_namespace" => Made(|row| row.service_account(|namespace, _| namespace)),
        "service_account_name" => Made(|row| row.service_account(|_, name| name)),
        "pod_name" => Txt(|row| row.user_extra("authentication.kubernetes.io/pod-name")),
        "node_name" => Txt(|row| row.user_extra("authentication.kubernetes.io/node-name")),
        "credential_id" => Txt(|row| row.user_extra("authentication.kubernetes.io/credential-id")),
        "client_ip" => Txt(|row| row.source_ip(false)),
        "peer_ip" => Txt(|row| row.source_ip(true)),
        "api_group" => Txt(|row| row.of_object(|object| object.api_group)),
        "api_version" => Txt(|row| row.event.object.api_version),
        "resource" => Txt(|row| row.event.object.resource),
        "subresource" => Txt(|row| row.of_object(|object| object.subresource)),
        "namespace" => Txt(|row| row.of_object(|object| object.namespace)),
        "name" => Txt(|row| row.of_object(|object| object.name)),
        "object_name" => Made(|row| row.object_name()),
        "object_uid" => Txt(|row| row.event.object.uid),
        "resource_version" => Txt(|row| row.event.object.resource_version),
        "response_code" => Int32(|row| row.event.response.code),
        "response_status" => Txt(|row| row.event.response.status),
        "response_reason" => Txt(|row| row.event.response.reason),
        "response_message" => Txt(|row| row.event.response.message),
        "response_details" => Json(|row| row.event.response.details),
        "authz_decision" => Txt(|row| row.decision()),
        "authz_reason" => Txt(|row| row.reason_text()),
        "authorizer" => Made(|row| row.reason().authorizer.as_deref().map(Into::into)),
        "binding_kind" => Made(|row| text(&row.grant()?.binding_kind)),
        "binding_namespace" => Made(|row| text(&row.grant()?.binding_namespace)),
        "binding_name" => Made(|row| text(&row.grant()?.binding_name)),
        "role_kind" => Made(|row| text(&row.grant()?.role_kind)),
        "role_name" => Made(|row| text(&row.grant()?.role_name)),
        "subject_kind" => Made(|row| text(&row.grant()?.subject_kind)),
        "subject_namespace" => Made(|row| text(&row.grant()?.subject_namespace)),
        "subject_name" => Made(|row| text(&row.grant()?.subject_name)),
        "annotations" => Map(|row| row.event.annotations),
        "request_object" => Json(|row| row.event.request_object),
        "response_object" => Json(|row| row.event.response_object),
        "unknown_fields" => Made(|row| row.unknown_fields().map(Into::into)),
        "truncated" => Boolean(|row| Some(row.truncated())),
        "cluster" => Made(|row| row.origin.cluster.map(Into::into)),
        "account" => Made(|row| row.origin.account.map(Into::into)),
        "log_stream" => Made(|row| row.origin.log_stream.map(Into::into)),
        "format" => Made(|row| Some(row.origin.format.into())),
        "source_file" => Made(|row| Some(row.origin.source_file.into())),
        "source_line" => Int64(|row| row.source_line()),
        "source_offset" => Int64(|row| Some(row.origin.source_offset)),
        "event_bytes" => Int64(|row| Some(row.origin.event_bytes)),
        "source_id" => Made(|row| row.origin.source_id.map(Into::into)),
        "event_hash" => Int64(|row| row.origin.event_hash),
        _ => return None,
    })
}

fn text(value: &Option<String>) -> Option<Cow<'_, str>> {
    value.as_deref().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{self, EventPart};

    #[test]
    fn every_documented_column_has_a_rule_of_its_type() {
        for column in schema::event_columns() {
            let name = &column.name;
            let fill = fill(name).unwrap_or_else(|| panic!("no rule fills `{name}`"));
            let types: &[&str] = match fill {
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
                "{name}: {}",
                column.type_name
            );
            // `parquet/` keeps only texts by their parts, and lists not otherwise.
            match fill {
                Txt(_) | Made(_) => {}
                List(_) | Map(_) | MapOfLists(_) => {
                    assert_ne!(column.of, EventPart::Event, "{name}")
                }
                _ => assert_eq!(column.of, EventPart::Event, "{name}"),
            }
        }
    }

    #[test]
    fn every_rule_is_of_a_documented_column() {
        let rules = include_str!("rules.rs").lines();
        let rules = rules.filter_map(|line| line.strip_prefix("        \"")?.split_once("\" =>"));
        let rules: Vec<&str> = rules.map(|(name, _)| name).collect();
        let columns: Vec<&str> = schema::event_columns()
            .iter()
            .map(|column| &*column.name)
            .collect();
        assert_eq!(
            rules, columns,
            "rules.rs and schemas/tables/events.toml differ"
        );
    }
}
