//! Files of Kubernetes objects as text → documents as JSON values, each with its line.
//!
//! YAML is read as `sigs.k8s.io/yaml` does: YAML 1.1 booleans and octal numbers, merge keys, the last
//! of duplicate keys; files are split at lines that begin with `---`, as kubectl does, so that a
//! broken document costs only itself. A file that begins with `{` or `[` is JSON, one value or
//! several.
//!
//! Not responsible for: what the values mean (`read.rs`).

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::rbac::outline;

/// A failure to read a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocumentFault {
    /// 1-based, in the file.
    pub(crate) line: u64,
    pub(crate) message: String,
}

/// Whether the text is JSON, by its first character.
pub(crate) fn is_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '['])
}

/// Whether the beginning of a file looks like Kubernetes objects other than audit events: its first
/// value, or the first item of a list, has `apiVersion` and `kind` at its outermost level.
pub fn looks_like_objects(head: &str) -> bool {
    let head = head.trim_start_matches('\u{feff}');
    if is_json(head) {
        return outline::is_of_objects(head);
    }
    let at_start = |key: &str| head.lines().any(|line| line.starts_with(key));
    let is_list = at_start("items:") || at_start("kind:");
    at_start("apiVersion:") && is_list && !head.contains(outline::AUDIT_GROUP)
}

/// The YAML documents of a text that hold anything: 1-based line of the first, and the text.
pub(crate) fn yaml_documents(text: &str) -> Vec<(u64, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = Vec::new();
    let (mut start, mut line, mut start_line, mut at) = (0, 0, 1, 0);
    for piece in text.split_inclusive('\n') {
        line += 1;
        if let Some(rest) = piece.strip_prefix("---") {
            let rest = rest.trim_end();
            // `--- # comment` separates, too; `---foo` is a scalar, and `--- {…}` begins a document.
            if rest.is_empty() || rest.starts_with([' ', '\t']) {
                found.push((start_line, &text[start..at]));
                let is_comment = rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
                (start, start_line) = if is_comment {
                    (at + piece.len(), line + 1)
                } else {
                    (at + 3, line)
                };
            }
        }
        at += piece.len();
    }
    found.push((start_line, &text[start..]));
    found.retain(|(_, text)| !is_blank(text));
    found
}

/// Only comments, directives and ends of documents.
fn is_blank(text: &str) -> bool {
    text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with(['#', '%']) || line == "..."
    })
}

/// One YAML document.
pub(crate) fn read_yaml(line: u64, text: &str) -> Result<Value, DocumentFault> {
    let budget = serde_saphyr::budget! {
        max_reader_input_bytes: None,
        max_events: 1 << 30,
        max_nodes: 1 << 30,
        max_total_scalar_bytes: 1 << 32,
        max_depth: 120,
    };
    let options = serde_saphyr::options! {
        budget: budget,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let at = error.location().map_or(0, |at| at.line().saturating_sub(1));
        let message = if text.contains("{{") {
            "a template, not YAML; render it first (`helm template`)".to_owned()
        } else {
            let message = error.without_snippet().to_string();
            format!("not valid YAML: {}", without_location(&message))
        };
        DocumentFault {
            line: line + at,
            message,
        }
    })
}

/// The message without the place, which counts from the document's begin.
fn without_location(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    line.rsplit_once(" at line ").map_or(line, |(text, _)| text)
}

/// Lines at which the elements of a list begin that is written as kubectl writes it: `- ` at the
/// start of a line, after `items:`.
pub(crate) fn element_lines(line: u64, text: &str) -> Vec<u64> {
    (line..)
        .zip(text.lines())
        .skip_while(|(_, text)| !text.starts_with("items:"))
        .skip(1)
        .filter(|(_, text)| text.starts_with("- "))
        .map(|(line, _)| line)
        .collect()
}

/// The JSON values of a text, one after the other, and what ends them early.
pub(crate) fn json_values(text: &str) -> (Vec<&RawValue>, Option<DocumentFault>) {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(&text[start..]).into_iter::<&RawValue>() {
        match value {
            Ok(value) => values.push(value),
            Err(error) => {
                let fault = DocumentFault {
                    line: error.line() as u64,
                    message: json_message(text, &error),
                };
                return (values, Some(fault));
            }
        }
    }
    (values, None)
}

fn json_message(text: &str, error: &serde_json::Error) -> String {
    if text.contains("{{") {
        return "a template, not JSON; render it first (`helm template`)".to_owned();
    }
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(&*message, |(text, _)| text);
    format!("not valid JSON: {message}")
}

/// The members of a JSON object, the last of equal names; `None` if it is another kind of value.
pub(crate) fn json_members(raw: &RawValue) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// Counts lines up to places that are asked for in rising order.
pub(crate) struct LineCounter<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl<'t> LineCounter<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
        }
    }

    /// The line of a slice of the text.
    pub(crate) fn line_of(&mut self, part: &str) -> u64 {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        if let Some(between) = self.text.as_bytes().get(self.at..offset) {
            self.line += memchr::memchr_iter(b'\n', between).count() as u64;
            self.at = offset;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_split_where_kubectl_splits_them() {
        let text = "# head\n---\na: 1\n--- # next\n---\nb: |\n  ---\n  x\n--- {c: 3}\n...\n";
        let documents = yaml_documents(text);
        let lines: Vec<u64> = documents.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 6, 9]);
        let values: Vec<Value> = documents
            .iter()
            .map(|(line, text)| read_yaml(*line, text).unwrap())
            .collect();
        assert_eq!(values[1], serde_json::json!({"b": "---\nx\n"}));
        assert_eq!(values[2], serde_json::json!({"c": 3}));
    }

    #[test]
    fn yaml_as_kubernetes_reads_it() {
        let text = "base: &base {a: 1, b: [x]}\nall:\n  <<: *base\n  b: yes # no list\n  mode: 0644\n\
                    t:\t\"tab\"\nn: ~\nd: 1\nd: 2\n12: twelve\nq: 'no'\n";
        let expected = serde_json::json!({
            "base": {"a": 1, "b": ["x"]},
            "all": {"a": 1, "b": true, "mode": 420},
            "t": "tab", "n": null, "d": 2, "12": "twelve", "q": "no",
        });
        assert_eq!(read_yaml(1, text).unwrap(), expected);
    }

    #[test]
    fn a_broken_document_says_where() {
        let fault = read_yaml(10, "a: 1\nb: [\nc: }\n").unwrap_err();
        assert!(fault.line >= 11, "{fault:?}");
        assert!(fault.message.starts_with("not valid YAML: "), "{fault:?}");
        let fault = read_yaml(1, "a: {{ .Values.x }}\n").unwrap_err();
        assert!(fault.message.starts_with("a template"), "{fault:?}");
        let (values, fault) = json_values("{\"a\": 1}\n{\"b\": }");
        assert_eq!(values.len(), 1);
        assert_eq!(fault.unwrap().line, 2);
    }
}
