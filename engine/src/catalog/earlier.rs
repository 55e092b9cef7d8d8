//! Rows of Parquet files and lakes of an earlier layout in, the same rows as today's files have them
//! out, as SQL.
//!
//! Earlier files have no `principal` and a `dry_run` of the URI alone; still earlier ones have no
//! `object_name`, and NULL where an object is there but not its member, where today's have empty text
//! ([`Absent::Empty`]). What a file has already stays as it is.

use crate::schema::{self, Absent};

/// What today's `object_name` is, of the columns of an earlier file.
const OBJECT_NAME: &str =
    "coalesce(object_name, nullif(name, ''), body_text(response_object, 'metadata.name'))";

/// What today's `principal` is.
const PRINCIPAL: &str = "principal(username, impersonated_username)";

/// What today's `dry_run` is.
const DRY_RUN: &str = "CASE \
    WHEN verb IN ('delete', 'deletecollection') AND request_object IS NOT NULL \
        THEN nullif(array_to_string(json_elements(body_text(request_object, 'dryRun')), ','), '') \
    WHEN subresource = 'eviction' THEN coalesce(dry_run, nullif(array_to_string(json_elements(\
        body_text(request_object, 'deleteOptions.dryRun')), ','), ''), annotations['command.gke.io/dryRun']) \
    ELSE coalesce(dry_run, annotations['command.gke.io/dryRun']) END";

/// Is `objectRef` there? The apiserver gives it a version whenever it gives it anything.
const IS_FOR_A_RESOURCE: &str = "api_version IS NOT NULL OR resource IS NOT NULL";

/// A `SELECT` of the columns of `events` from `table`, whose layout is an earlier one.
pub(super) fn select(table: &str) -> String {
    let columns = schema::event_columns().iter().map(|column| {
        let name = &column.name;
        match column.absent {
            Absent::Empty => format!(
                "CASE WHEN {name} IS NULL AND ({IS_FOR_A_RESOURCE}) THEN '' ELSE {name} END AS {name}"
            ),
            Absent::Null if name == "object_name" => format!(
                "CASE WHEN {IS_FOR_A_RESOURCE} THEN {OBJECT_NAME} ELSE object_name END AS object_name"
            ),
            Absent::Null if name == "principal" => format!("{PRINCIPAL} AS principal"),
            Absent::Null if name == "dry_run" => format!("{DRY_RUN} AS dry_run"),
            Absent::Null => name.clone(),
        }
    });
    format!(
        "SELECT {} FROM {table}",
        columns.collect::<Vec<_>>().join(", ")
    )
}
