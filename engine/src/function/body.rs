//! What stands in a body: JSON of a Kubernetes object in, specs, containers, rules and subjects
//! out.
//!
//! Bodies are carried, so this is where they are judged. A walk that meets malformed JSON gives up
//! ([`Malformed`]) and the result is NULL: half of a body is no answer. Of duplicate members the
//! last counts.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{
            ArrayRef, BooleanBuilder, Int64Builder, ListArray, ListBuilder, StringBuilder,
            StringViewArray, StructArray,
        },
        buffer::{NullBuffer, OffsetBuffer},
        datatypes::{DataType, Field, Fields},
    },
    error::Result,
};

use super::{map_text, pairs, uri::list_type};
use crate::json::{Value, ValueKind, elements, members};

/// The body is no JSON where it was walked.
struct Malformed;

type Walked<T> = std::result::Result<T, Malformed>;

/// The last members of these names, in one walk.
fn find<'a, const N: usize>(raw: &'a str, names: [&str; N]) -> Walked<[Option<Value<'a>>; N]> {
    let mut found = [None; N];
    let mut iterator = members(raw);
    for (key, value) in iterator.by_ref() {
        if let Some(index) = names.iter().position(|name| key.eq_str(name)) {
            found[index] = Some(value);
        }
    }
    if iterator.fault.is_some() {
        Err(Malformed)
    } else {
        Ok(found.map(|value| value.filter(|value| value.kind != ValueKind::Null)))
    }
}

/// What stands at a path of members.
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

fn list<'a>(value: Option<Value<'a>>) -> Walked<Vec<Value<'a>>> {
    let Some(value) = value else {
        return Ok(Vec::new());
    };
    let mut iterator = elements(value);
    let found = iterator.by_ref().collect();
    if iterator.fault.is_some() {
        Err(Malformed)
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
    Ok(Some(
        list(value)?
            .into_iter()
            .filter_map(|element| text(Some(element)))
            .collect(),
    ))
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

/// A value as SQL text: scalars as they read, the rest as JSON.
fn shown(value: Value<'_>) -> String {
    value
        .text()
        .map_or_else(|| value.raw.to_owned(), |text| text.decode().into_owned())
}

pub(super) fn body_kind(args: &[&StringViewArray]) -> Result<ArrayRef> {
    Ok(map_text(args[0], |body| text(at(body, &["kind"]).ok()?)))
}

pub(super) fn body_text(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let values = pairs(args).map(|pair| {
        let (body, path) = pair?;
        let path: Vec<_> = path.split('.').collect();
        at(body, &path).ok()?.map(shown)
    });
    Ok(Arc::new(values.collect::<StringViewArray>()))
}

/// Where the pod spec of a workload is.
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

/// Rows of structs, gathered field by field, and how many belong to each input row.
struct Lists {
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Lists {
    fn new() -> Self {
        Self {
            offsets: vec![0],
            valid: Vec::new(),
        }
    }

    fn row(&mut self, structs: Option<usize>) {
        let last = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(last + structs.unwrap_or(0) as i32);
        self.valid.push(structs.is_some());
    }

    fn finish(self, fields: Fields, columns: Vec<ArrayRef>) -> Result<ArrayRef> {
        let structs = StructArray::try_new(fields.clone(), columns, None)?;
        let item = Arc::new(Field::new_list_field(DataType::Struct(fields), true));
        let nulls = NullBuffer::from(self.valid);
        Ok(Arc::new(ListArray::try_new(
            item,
            OffsetBuffer::new(self.offsets.into()),
            Arc::new(structs),
            Some(nulls),
        )?))
    }
}

fn list_of(fields: Fields) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(
        DataType::Struct(fields),
        true,
    )))
}

fn text_fields(names: &[&str]) -> Fields {
    names
        .iter()
        .map(|name| Field::new(*name, DataType::Utf8, true))
        .collect()
}

fn append_texts(builder: &mut ListBuilder<StringBuilder>, texts: Option<Vec<String>>) {
    match texts {
        Some(texts) => {
            for text in texts {
                builder.values().append_value(text);
            }
            builder.append(true);
        }
        None => builder.append(false),
    }
}

/// One container as a security review sees it.
struct ContainerSpec {
    kind: &'static str,
    name: Option<String>,
    image: Option<String>,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
    privileged: Option<bool>,
    allow_privilege_escalation: Option<bool>,
    run_as_user: Option<i64>,
    run_as_non_root: Option<bool>,
    capabilities_added: Option<Vec<String>>,
    capabilities_dropped: Option<Vec<String>>,
    host_ports: Vec<i64>,
    seccomp_profile: Option<String>,
    env_secret_refs: Vec<String>,
}

const CONTAINER_LISTS: [(&str, &str); 3] = [
    ("containers", "container"),
    ("initContainers", "init"),
    ("ephemeralContainers", "ephemeral"),
];

fn container_fields() -> Fields {
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    let integers = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, true)));
    Fields::from(vec![
        field("container_kind", DataType::Utf8),
        field("container_name", DataType::Utf8),
        field("image", DataType::Utf8),
        field("command", list_type()),
        field("args", list_type()),
        field("privileged", DataType::Boolean),
        field("allow_privilege_escalation", DataType::Boolean),
        field("run_as_user", DataType::Int64),
        field("run_as_non_root", DataType::Boolean),
        field("capabilities_added", list_type()),
        field("capabilities_dropped", list_type()),
        field("host_ports", integers),
        field("seccomp_profile", DataType::Utf8),
        field("env_secret_refs", list_type()),
    ])
}

pub(super) fn containers_type() -> DataType {
    list_of(container_fields())
}

/// `runAsUser`, `runAsNonRoot` and the seccomp profile of a `securityContext`.
fn security(context: Option<Value<'_>>) -> Walked<(Option<i64>, Option<bool>, Option<String>)> {
    let Some(context) = context.filter(|context| context.kind == ValueKind::Object) else {
        return Ok((None, None, None));
    };
    let [user, non_root, seccomp] =
        find(context.raw, ["runAsUser", "runAsNonRoot", "seccompProfile"])?;
    let seccomp = match seccomp {
        Some(profile) => text(at(profile.raw, &["type"])?),
        None => None,
    };
    Ok((integer(user), boolean(non_root), seccomp))
}

fn read_containers(spec: &str) -> Walked<Vec<ContainerSpec>> {
    let [pod_security] = find(spec, ["securityContext"])?;
    let pod = security(pod_security)?;
    let lists = find(spec, CONTAINER_LISTS.map(|(name, _)| name))?;
    let mut found = Vec::new();
    for (value, (_, kind)) in lists.into_iter().zip(CONTAINER_LISTS) {
        for element in list(value)?
            .into_iter()
            .filter(|element| element.kind == ValueKind::Object)
        {
            found.push(read_container(element.raw, kind, &pod)?);
        }
    }
    Ok(found)
}

fn read_container(
    raw: &str,
    kind: &'static str,
    pod: &(Option<i64>, Option<bool>, Option<String>),
) -> Walked<ContainerSpec> {
    let [name, image, command, args, context, ports, env, env_from] = find(
        raw,
        [
            "name",
            "image",
            "command",
            "args",
            "securityContext",
            "ports",
            "env",
            "envFrom",
        ],
    )?;
    let own = security(context)?;
    let (mut privileged, mut escalation, mut added, mut dropped) = (None, None, None, None);
    if let Some(context) = context.filter(|context| context.kind == ValueKind::Object) {
        let [is_privileged, escalates, capabilities] = find(
            context.raw,
            ["privileged", "allowPrivilegeEscalation", "capabilities"],
        )?;
        (privileged, escalation) = (boolean(is_privileged), boolean(escalates));
        if let Some(capabilities) =
            capabilities.filter(|capabilities| capabilities.kind == ValueKind::Object)
        {
            let [add, drop] = find(capabilities.raw, ["add", "drop"])?;
            (added, dropped) = (texts(add)?, texts(drop)?);
        }
    }
    let mut host_ports = Vec::new();
    for port in list(ports)? {
        host_ports.extend(integer(at(port.raw, &["hostPort"])?));
    }
    let mut secrets = Vec::new();
    for variable in list(env)? {
        secrets.extend(text(at(
            variable.raw,
            &["valueFrom", "secretKeyRef", "name"],
        )?));
    }
    for source in list(env_from)? {
        secrets.extend(text(at(source.raw, &["secretRef", "name"])?));
    }
    Ok(ContainerSpec {
        kind,
        name: text(name),
        image: text(image),
        command: texts(command)?,
        args: texts(args)?,
        privileged,
        allow_privilege_escalation: escalation,
        run_as_user: own.0.or(pod.0),
        run_as_non_root: own.1.or(pod.1),
        capabilities_added: added,
        capabilities_dropped: dropped,
        host_ports,
        seccomp_profile: own.2.or_else(|| pod.2.clone()),
        env_secret_refs: secrets,
    })
}

pub(super) fn containers(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = Lists::new();
    let mut scalars: [StringBuilder; 4] = Default::default();
    let mut texts: [ListBuilder<StringBuilder>; 5] =
        std::array::from_fn(|_| ListBuilder::new(StringBuilder::new()));
    let mut booleans: [BooleanBuilder; 3] = Default::default();
    let (mut users, mut ports) = (Int64Builder::new(), ListBuilder::new(Int64Builder::new()));
    for spec in args[0] {
        let found = spec.and_then(|spec| read_containers(spec).ok());
        lists.row(found.as_ref().map(Vec::len));
        for container in found.into_iter().flatten() {
            scalars[0].append_value(container.kind);
            scalars[1].append_option(container.name);
            scalars[2].append_option(container.image);
            scalars[3].append_option(container.seccomp_profile);
            append_texts(&mut texts[0], container.command);
            append_texts(&mut texts[1], container.args);
            append_texts(&mut texts[2], container.capabilities_added);
            append_texts(&mut texts[3], container.capabilities_dropped);
            append_texts(&mut texts[4], Some(container.env_secret_refs));
            booleans[0].append_option(container.privileged);
            booleans[1].append_option(container.allow_privilege_escalation);
            booleans[2].append_option(container.run_as_non_root);
            users.append_option(container.run_as_user);
            ports.values().append_slice(&container.host_ports);
            ports.append(true);
        }
    }
    let [mut kind, mut name, mut image, mut seccomp] = scalars;
    let [
        mut command,
        mut arguments,
        mut added,
        mut dropped,
        mut secrets,
    ] = texts;
    let [mut privileged, mut escalation, mut non_root] = booleans;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(kind.finish()),
        Arc::new(name.finish()),
        Arc::new(image.finish()),
        Arc::new(command.finish()),
        Arc::new(arguments.finish()),
        Arc::new(privileged.finish()),
        Arc::new(escalation.finish()),
        Arc::new(users.finish()),
        Arc::new(non_root.finish()),
        Arc::new(added.finish()),
        Arc::new(dropped.finish()),
        Arc::new(ports.finish()),
        Arc::new(seccomp.finish()),
        Arc::new(secrets.finish()),
    ];
    lists.finish(container_fields(), columns)
}

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

pub(super) fn role_ref_type() -> DataType {
    DataType::Struct(text_fields(&ROLE_REF.map(|(column, _)| column)))
}

pub(super) fn role_ref(args: &[&StringViewArray]) -> Result<ArrayRef> {
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

pub(super) fn subjects_type() -> DataType {
    list_of(text_fields(&SUBJECT.map(|(column, _)| column)))
}

/// The objects of a list member of a body.
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

pub(super) fn subjects(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = Lists::new();
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

pub(super) fn rules_type() -> DataType {
    list_of(rule_fields())
}

pub(super) fn rules(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = Lists::new();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn privileged(spec: &str) -> Option<Vec<Option<bool>>> {
        Some(
            read_containers(spec)
                .ok()?
                .into_iter()
                .map(|container| container.privileged)
                .collect(),
        )
    }

    #[test]
    fn nothing_around_a_container_hides_it() {
        let container = r#"{"name":"c","securityContext":{"privileged":true}}"#;
        assert_eq!(
            privileged(&format!(r#"{{"containers":[{container}]}}"#)),
            Some(vec![Some(true)])
        );
        let duplicate =
            format!(r#"{{"containers":[],"initContainers":[{{}}],"containers":[{container}]}}"#);
        assert_eq!(privileged(&duplicate), Some(vec![Some(true), None]));
        let escaped = format!(r#"{{"\u0063ontainers":[{container}]}}"#);
        assert_eq!(privileged(&escaped), Some(vec![Some(true)]));
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let nested = format!(
            r#"{{"volumes":{deep},"containers":[{{"args":{deep},"securityContext":{{"privileged":true}}}}]}}"#
        );
        assert_eq!(privileged(&nested), Some(vec![Some(true)]));
        assert_eq!(privileged(r#"{"containers":[{}],"x":nope}"#), None);
    }
}
