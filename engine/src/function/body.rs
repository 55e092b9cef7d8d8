//! SQL functions over bodies: the JSON of a Kubernetes object in; text, specs, containers, rules
//! and subjects out.
//!
//! Bodies are carried as they are, so they are judged here. A walk that meets malformed JSON stops,
//! and the result is NULL: half of a body is not an answer. The last of duplicate members counts.
//!
//! Not responsible for: the syntax of JSON (`json/`).

mod containers;
mod credential;
mod diff;
mod path;
mod rbac;
mod structs;

use std::sync::Arc;

use datafusion::{
    arrow::array::{ArrayRef, ListBuilder, StringBuilder, StringViewArray},
    error::Result,
};

use self::path::{BodyStep, steps};
pub(super) use self::{
    containers::{containers, containers_type},
    credential::certificate_id,
    diff::{json_diff, json_diff_type},
    rbac::{role_ref, role_ref_type, rules, rules_type, subjects, subjects_type},
};
use super::{map_text, pairs};
use crate::json::{Cursor, Value, ValueKind, elements, members};

/// The body is malformed where it was walked.
struct MalformedBody;

type Walked<T> = std::result::Result<T, MalformedBody>;

/// The last members with these names, in one walk.
fn find<'a, const N: usize>(raw: &'a str, names: [&str; N]) -> Walked<[Option<Value<'a>>; N]> {
    let mut found = [None; N];
    let mut iterator = members(raw);
    for (key, value) in iterator.by_ref() {
        if let Some(index) = names.iter().position(|name| key.eq_str(name)) {
            found[index] = Some(value);
        }
    }
    if iterator.fault.is_some() {
        Err(MalformedBody)
    } else {
        Ok(found.map(|value| value.filter(|value| value.kind != ValueKind::Null)))
    }
}

/// The value at a path of members.
fn at<'a>(raw: &'a str, path: &[&str]) -> Walked<Option<Value<'a>>> {
    let mut value = None;
    let mut raw = raw;
    for name in path {
        if !raw.trim_ascii_start().starts_with('{') {
            return Ok(None);
        }
        let [found] = find(raw, [name])?;
        let Some(found) = found else { return Ok(None) };
        raw = found.raw;
        value = Some(found);
    }
    Ok(value)
}

/// The value that a path leads to.
fn reached<'a>(raw: &'a str, steps: &[BodyStep<'_>]) -> Walked<Option<Value<'a>>> {
    let mut value = None;
    let mut raw = raw;
    for step in steps {
        let found = match step {
            BodyStep::Member(name) => at(raw, &[name])?,
            BodyStep::Element(index) => {
                let mut cursor = Cursor::new(raw.trim_ascii());
                let whole = cursor.value().map_err(|_| MalformedBody)?;
                match whole.kind {
                    ValueKind::Array => list(Some(whole))?.get(*index).copied(),
                    _ => None,
                }
            }
        };
        let Some(found) = found.filter(|found| found.kind != ValueKind::Null) else {
            return Ok(None);
        };
        raw = found.raw;
        value = Some(found);
    }
    Ok(value)
}

fn list<'a>(value: Option<Value<'a>>) -> Walked<Vec<Value<'a>>> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let mut iterator = elements(value);
    let found = iterator.by_ref().collect();
    if iterator.fault.is_some() {
        Err(MalformedBody)
    } else {
        Ok(found)
    }
}

fn text(value: Option<Value<'_>>) -> Option<String> {
    value?.text().map(|text| text.decode().into_owned())
}

fn texts(value: Option<Value<'_>>) -> Walked<Option<Vec<String>>> {
    if value.is_none_or(|value| value.kind != ValueKind::Array) {
        return Ok(None);
    }
    let texts = list(value)?
        .into_iter()
        .filter_map(|element| text(Some(element)));
    Ok(Some(texts.collect()))
}

fn boolean(value: Option<Value<'_>>) -> Option<bool> {
    match value?.raw {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn integer(value: Option<Value<'_>>) -> Option<i64> {
    value?.raw.parse().ok()
}

/// A value as SQL text: scalars as they read, anything else as JSON.
fn shown(value: Value<'_>) -> String {
    value
        .text()
        .map_or_else(|| value.raw.to_owned(), |text| text.decode().into_owned())
}

pub(super) fn body_kind(args: &[&StringViewArray]) -> Result<ArrayRef> {
    Ok(map_text(args[0], |body| text(at(body, &["kind"]).ok()?)))
}

pub(super) fn body_text(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut last: Option<(&str, Option<Vec<BodyStep<'_>>>)> = None;
    let values = pairs(args).map(|pair| {
        let (body, path) = pair?;
        // Queries ask for one path in many bodies.
        if last.as_ref().is_none_or(|(text, _)| *text != path) {
            last = Some((path, steps(path)));
        }
        let steps = last.as_ref()?.1.as_deref()?;
        reached(body, steps).ok()?.map(shown)
    });
    Ok(Arc::new(values.collect::<StringViewArray>()))
}

/// Where a workload of this resource has its pod spec.
fn spec_path(resource: &str) -> Option<&'static [&'static str]> {
    Some(match resource {
        "pods" => &["spec"],
        "deployments"
        | "daemonsets"
        | "statefulsets"
        | "replicasets"
        | "replicationcontrollers"
        | "jobs" => &["spec", "template", "spec"],
        "cronjobs" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "podtemplates" => &["template", "spec"],
        _ => return None,
    })
}

pub(super) fn pod_spec(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let values = pairs(args).map(|pair| {
        let (resource, body) = pair?;
        let spec = at(body, spec_path(resource)?).ok()??;
        (spec.kind == ValueKind::Object).then_some(spec.raw)
    });
    Ok(Arc::new(values.collect::<StringViewArray>()))
}

/// The elements of a list as texts: strings decoded, anything else as JSON.
pub(super) fn json_elements(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for body in args[0] {
        let found = body.and_then(|body| {
            let mut cursor = Cursor::new(body.trim_ascii());
            let value = cursor.value().ok()?;
            let is_list = value.kind == ValueKind::Array && cursor.rest().is_empty();
            list(is_list.then_some(value)?.into()).ok()
        });
        lists.append_option(found.map(|found| found.into_iter().map(|value| Some(shown(value)))));
    }
    Ok(Arc::new(lists.finish()))
}
