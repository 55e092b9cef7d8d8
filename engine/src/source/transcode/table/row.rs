//! One row of a table: its cells and the names of the columns in, one line of JSON out.

use csv::ByteRecord;

use crate::json::{Cursor, ValueKind, write_string};

/// The columns of a table.
pub(super) struct Columns {
    /// Of each the path that its name is.
    paths: Vec<Vec<String>>,
}

/// Columns that tables of audit events have, in lower case.
const OF_EVENTS: [&str; 12] = [
    "auditid",
    "audit_id",
    "requesturi",
    "request_uri",
    "protopayload.methodname",
    "protopayload_auditlog.methodname",
    "protopayload_auditlog",
    "protopayload",
    "log_s",
    "@message",
    "_raw",
    "kubernetes.audit.auditid",
];
/// Objects whose keys have dots themselves.
const MAPS: [&str; 4] = ["labels", "annotations", "extra", "attributes"];

/// Do tables of audit events have such a column?
pub(super) fn are_of_events<'c>(mut names: impl Iterator<Item = &'c [u8]>) -> bool {
    names.any(|name| {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        OF_EVENTS.contains(&&*name) || name.ends_with(".auditid")
    })
}

impl Columns {
    pub(super) fn new(header: &ByteRecord) -> Self {
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_owned())
            .collect();
        let paths = names
            .iter()
            .map(|name| {
                let path = path(name);
                // `a` and `a.b` cannot both be members.
                let clash = (1..path.len()).any(|length| names.contains(&path[..length].join(".")));
                if clash { vec![name.clone()] } else { path }
            })
            .collect();
        Self { paths }
    }

    /// Appends the row as an object. Cells beyond the header have no name and are numbered.
    pub(super) fn write(&self, row: &ByteRecord, out: &mut Vec<u8>) {
        let mut cells: Vec<(Vec<String>, String)> = row
            .iter()
            .enumerate()
            .map(|(at, cell)| {
                let path = self.paths.get(at).cloned();
                let path = path.unwrap_or_else(|| vec![format!("column {}", at + 1)]);
                (path, String::from_utf8_lossy(cell).into_owned())
            })
            .collect();
        // Members of one object stand together; the order is otherwise that of the columns.
        let first = |path: &[String], length: usize| {
            let same = |other: &Vec<String>| other.get(..length) == path.get(..length);
            self.paths.iter().position(same).unwrap_or(usize::MAX)
        };
        cells.sort_by_key(|(path, _)| {
            (1..=path.len())
                .map(|length| first(path, length))
                .collect::<Vec<_>>()
        });
        object(&cells, 0, out);
    }
}

/// The path that a name is: `a.b` is `b` in `a`. Portals write `Name [UTC]` over times.
fn path(name: &str) -> Vec<String> {
    let name = name
        .strip_suffix("[UTC]")
        .or_else(|| name.strip_suffix("(UTC)"))
        .unwrap_or(name)
        .trim();
    let mut path = Vec::new();
    let mut rest = name;
    while let Some((step, after)) = rest.split_once('.') {
        if step.is_empty() || after.is_empty() || step.starts_with(['@', '_']) {
            return vec![name.to_owned()];
        }
        path.push(step.to_owned());
        rest = after;
        if MAPS.contains(&step) && path.len() > 1 || step == "labels" {
            // The labels of a resource have simple names, those of an entry do not.
            break;
        }
    }
    path.push(rest.to_owned());
    path
}

/// Appends the object that these cells make, whose paths are alike up to `depth`.
fn object(cells: &[(Vec<String>, String)], depth: usize, out: &mut Vec<u8>) {
    out.push(b'{');
    let mut rest = cells;
    while let Some((path, cell)) = rest.first() {
        if out.last() != Some(&b'{') {
            out.push(b',');
        }
        write_string(out, &path[depth]);
        out.push(b':');
        if path.len() == depth + 1 {
            value(cell, out);
            rest = &rest[1..];
            continue;
        }
        let same = rest
            .iter()
            .take_while(|(other, _)| other.len() > depth + 1 && other[depth] == path[depth])
            .count();
        object(&rest[..same], depth + 1, out);
        rest = &rest[same..];
    }
    out.push(b'}');
}

/// Appends a cell: JSON as it is, on one line, any other text as a string.
fn value(cell: &str, out: &mut Vec<u8>) {
    let text = cell.trim();
    if text.starts_with(['{', '[']) {
        let mut cursor = Cursor::new(text);
        let whole = cursor
            .value()
            .is_ok_and(|value| matches!(value.kind, ValueKind::Object | ValueKind::Array))
            && cursor.at() == text.len();
        if whole {
            let blank = |byte: u8| {
                if matches!(byte, b'\n' | b'\r') {
                    b' '
                } else {
                    byte
                }
            };
            out.extend(text.bytes().map(blank));
            return;
        }
    }
    write_string(out, cell);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(names: &[&str], cells: &[&str]) -> String {
        let columns = Columns::new(&ByteRecord::from(names));
        let mut out = Vec::new();
        columns.write(&ByteRecord::from(cells), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_are_paths_and_cells_values() {
        assert_eq!(
            written(
                &[
                    "a.b",
                    "c",
                    "a.d.e",
                    "labels.x.io/y",
                    "Time [UTC]",
                    "f",
                    "f.g"
                ],
                &["1", "{\"x\":\n1}", "", "2", "3", "4", "5", "6"]
            ),
            r#"{"a":{"b":"1","d":{"e":""}},"c":{"x": 1},"labels":{"x.io/y":"2"},"Time":"3","f":"4","f.g":"5","column 8":"6"}"#
        );
    }
}
