//! Lakes as inputs: the rows and views of the logs they were made from, alone and together with
//! other inputs, within a window, from folders with odd names; the original events again; and what
//! is refused.

mod asked;
mod earlier;
mod places;
mod refusals;
mod rows;

use serde_json::Value;

/// Every column that raw logs have, too.
const EVENTS: &str = "SELECT * FROM events";

/// Rows as texts, without what only a lake knows.
fn texts(rows: &[Value]) -> Vec<String> {
    let members = |row: &Value| -> serde_json::Map<String, Value> {
        let members = row
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "source_id" | "event_hash"));
        members
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    rows.iter()
        .map(|row| Value::Object(members(row)).to_string())
        .collect()
}
