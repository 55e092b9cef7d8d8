//! The JSON of a pod spec in, its containers as a list of structs out.

use std::sync::Arc;

use datafusion::{
    arrow::{
        array::{
            ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, StringBuilder, StringViewArray,
        },
        datatypes::{DataType, Field, Fields},
    },
    error::Result,
};

use super::{
    Walked, at, boolean, find, integer, list,
    structs::{StructLists, append_texts, list_of},
    text, texts,
};
use crate::{
    function::uri::list_type,
    json::{Value, ValueKind},
};

/// What a security review looks at in a container.
struct PodContainer {
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

pub(in crate::function) fn containers_type() -> DataType {
    list_of(container_fields())
}

/// The settings of a `securityContext` that pods and containers have in common. What a container
/// leaves open is the pod's.
#[derive(Default)]
struct SecuritySettings {
    run_as_user: Option<i64>,
    run_as_non_root: Option<bool>,
    seccomp_profile: Option<String>,
}

fn security(context: Option<Value<'_>>) -> Walked<SecuritySettings> {
    let Some(context) = context.filter(|context| context.kind == ValueKind::Object) else {
        return Ok(SecuritySettings::default());
    };
    let [user, non_root, seccomp] =
        find(context.raw, ["runAsUser", "runAsNonRoot", "seccompProfile"])?;
    let seccomp_profile = match seccomp {
        Some(profile) => text(at(profile.raw, &["type"])?),
        None => None,
    };
    Ok(SecuritySettings {
        run_as_user: integer(user),
        run_as_non_root: boolean(non_root),
        seccomp_profile,
    })
}

fn read_containers(spec: &str) -> Walked<Vec<PodContainer>> {
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

fn read_container(raw: &str, kind: &'static str, pod: &SecuritySettings) -> Walked<PodContainer> {
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
    Ok(PodContainer {
        kind,
        name: text(name),
        image: text(image),
        command: texts(command)?,
        args: texts(args)?,
        privileged,
        allow_privilege_escalation: escalation,
        run_as_user: own.run_as_user.or(pod.run_as_user),
        run_as_non_root: own.run_as_non_root.or(pod.run_as_non_root),
        capabilities_added: added,
        capabilities_dropped: dropped,
        host_ports,
        seccomp_profile: own.seccomp_profile.or_else(|| pod.seccomp_profile.clone()),
        env_secret_refs: secrets,
    })
}

pub(in crate::function) fn containers(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = StructLists::new();
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
