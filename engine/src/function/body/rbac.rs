//! The JSON of an RBAC role or binding in, its role reference, subjects and rules out.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{ArrayRef, ListBuilder, StringBuilder, StringViewArray, StructArray},
        buffer::NullBuffer,
        datatypes::{DataType, Field, Fields},
    },
    error::Result,
};

use super::{
    Walked, at, find, list,
    structs::{StructLists, append_texts, list_of, text_fields},
    text, texts,
};
use crate::{
    function::uri::list_type,
    json::{Value, ValueKind},
};

const ROLE_REF: [(&str, &str); 3] = [
    ("api_group", "apiGroup"),
    ("kind", "kind"),
    ("name", "name"),
];
const SUBJECT: [(&str, &str); 4] = [
    ("kind", "kind"),
    ("api_group", "apiGroup"),
    ("namespace", "namespace"),
    ("name", "name"),
];
const RULE: [(&str, &str); 5] = [
    ("api_groups", "apiGroups"),
    ("resources", "resources"),
    ("resource_names", "resourceNames"),
    ("non_resource_urls", "nonResourceURLs"),
    ("verbs", "verbs"),
];

pub(in crate::function) fn role_ref_type() -> DataType {
    DataType::Struct(text_fields(&ROLE_REF.map(|(column, _)| column)))
}

pub(in crate::function) fn role_ref(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut builders: [StringBuilder; 3] = Default::default();
    let mut valid = Vec::new();
    for body in args[0] {
        let found = body.and_then(|body| {
            at(body, &["roleRef"])
                .ok()?
                .filter(|value| value.kind == ValueKind::Object)
        });
        let values =
            found.and_then(|value| find(value.raw, ROLE_REF.map(|(_, member)| member)).ok());
        valid.push(values.is_some());
        for (builder, value) in builders.iter_mut().zip(values.unwrap_or_default()) {
            builder.append_option(text(value));
        }
    }
    let columns = builders
        .iter_mut()
        .map(|builder| Arc::new(builder.finish()) as ArrayRef)
        .collect();
    let fields = text_fields(&ROLE_REF.map(|(column, _)| column));
    Ok(Arc::new(StructArray::try_new(
        fields,
        columns,
        Some(NullBuffer::from(valid)),
    )?))
}

pub(in crate::function) fn subjects_type() -> DataType {
    list_of(text_fields(&SUBJECT.map(|(column, _)| column)))
}

/// The objects in a member of the body that is a list.
fn objects<'a>(body: &'a str, name: &str) -> Walked<Option<Vec<Value<'a>>>> {
    let Some(value) = at(body, &[name])?.filter(|value| value.kind == ValueKind::Array) else {
        return Ok(None);
    };
    Ok(Some(
        list(Some(value))?
            .into_iter()
            .filter(|element| element.kind == ValueKind::Object)
            .collect(),
    ))
}

pub(in crate::function) fn subjects(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = StructLists::new();
    let mut builders: [StringBuilder; 4] = Default::default();
    for body in args[0] {
        let found = body.and_then(|body| {
            let subjects = objects(body, "subjects").ok()??;
            let subjects = subjects
                .into_iter()
                .map(|subject| find(subject.raw, SUBJECT.map(|(_, member)| member)));
            subjects.collect::<Walked<Vec<_>>>().ok()
        });
        lists.row(found.as_ref().map(Vec::len));
        for subject in found.into_iter().flatten() {
            for (builder, value) in builders.iter_mut().zip(subject) {
                builder.append_option(text(value));
            }
        }
    }
    let columns = builders
        .iter_mut()
        .map(|builder| Arc::new(builder.finish()) as ArrayRef)
        .collect();
    lists.finish(text_fields(&SUBJECT.map(|(column, _)| column)), columns)
}

fn rule_fields() -> Fields {
    RULE.iter()
        .map(|(column, _)| Field::new(*column, list_type(), true))
        .collect()
}

pub(in crate::function) fn rules_type() -> DataType {
    list_of(rule_fields())
}

pub(in crate::function) fn rules(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = StructLists::new();
    let mut builders: [ListBuilder<StringBuilder>; 5] =
        std::array::from_fn(|_| ListBuilder::new(StringBuilder::new()));
    for body in args[0] {
        let found = body.and_then(|body| {
            let rules = objects(body, "rules").ok()??;
            let rules = rules.into_iter().map(|rule| {
                let [groups, resources, names, urls, verbs] =
                    find(rule.raw, RULE.map(|(_, member)| member))?;
                Ok([
                    texts(groups)?,
                    texts(resources)?,
                    texts(names)?,
                    texts(urls)?,
                    texts(verbs)?,
                ])
            });
            rules.collect::<Walked<Vec<_>>>().ok()
        });
        lists.row(found.as_ref().map(Vec::len));
        for rule in found.into_iter().flatten() {
            for (builder, value) in builders.iter_mut().zip(rule) {
                append_texts(builder, value);
            }
        }
    }
    let columns = builders
        .iter_mut()
        .map(|builder| Arc::new(builder.finish()) as ArrayRef)
        .collect();
    lists.finish(rule_fields(), columns)
}
