//! What a request is about: a method and a URI in, the verb and the `objectRef` out, as the
//! apiserver derives them.
//!
//! For formats that record a path instead of an `objectRef`. The rules are those of
//! `NewRequestInfo` in `staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go`;
//! [`RequestTarget::uri`] is the inverse. As in Go, an empty text stands for an absent one.
//!
//! Not responsible for: where a provider's record has the path.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::event::uri::params;
use crate::format::writer;

/// What can follow the name of a namespace without being a resource in it.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

/// The resource that a request is about.
#[derive(Debug)]
pub(super) struct RequestTarget<'p> {
    group: &'p str,
    version: &'p str,
    pub(super) namespace: &'p str,
    pub(super) resource: &'p str,
    pub(super) name: Cow<'p, str>,
    pub(super) subresource: &'p str,
    /// What follows the subresource: behind `proxy` a path of its own.
    rest: Vec<&'p str>,
}

impl<'p> RequestTarget<'p> {
    /// `parts` is `[namespaces/<ns>/]<resource>[/<name>[/<subresource>[/…]]]`.
    pub(super) fn new(group: &'p str, version: &'p str, parts: &[&'p str]) -> Self {
        let (namespace, parts) = match parts {
            ["namespaces", namespace, inside @ ..] => match inside.first() {
                Some(part) if !NAMESPACE_SUBRESOURCES.contains(part) => (*namespace, inside),
                _ => (*namespace, parts),
            },
            _ => ("", parts),
        };
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        Self {
            group,
            version,
            namespace,
            resource: part(0),
            name: Cow::Borrowed(part(1)),
            subresource: part(2),
            rest: parts.get(3..).unwrap_or_default().to_vec(),
        }
    }

    /// Appends the members of the `objectRef`.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let members = [
            ("resource", self.resource),
            ("namespace", self.namespace),
            ("name", &*self.name),
            ("apiGroup", self.group),
            ("apiVersion", self.version),
            ("subresource", self.subresource),
        ];
        for (name, value) in members {
            if !value.is_empty() {
                writer::string(out, name, value);
            }
        }
    }

    /// The path that a request with this verb had: what makes or reads a collection is sent to the
    /// collection.
    pub(super) fn uri(&self, verb: &str) -> String {
        let mut parts = if self.group.is_empty() {
            vec!["api", self.version]
        } else {
            vec!["apis", self.group, self.version]
        };
        if !self.namespace.is_empty() && self.resource != "namespaces" {
            parts.extend(["namespaces", self.namespace]);
        }
        parts.push(self.resource);
        let to_collection = match verb {
            "list" | "watch" | "deletecollection" => true,
            "create" => self.subresource.is_empty(),
            _ => false,
        };
        if !to_collection && !self.name.is_empty() {
            parts.push(&self.name);
            if !self.subresource.is_empty() {
                parts.push(self.subresource);
            }
            if self.subresource == "proxy" {
                parts.extend_from_slice(&self.rest);
            }
        }
        format!("/{}", parts.join("/"))
    }
}

/// The path of a URI, decoded: it is taken apart only then, as in Go.
pub(super) fn path(uri: &str) -> Cow<'_, str> {
    let path = uri.split_once('?').map_or(uri, |(path, _)| path);
    percent_decode_str(path).decode_utf8_lossy()
}

/// The verb of a request, and what it is about, if that is a resource. `path` is the URI's.
pub(super) fn resolve<'p>(
    method: &str,
    path: &'p str,
    uri: &str,
) -> (Cow<'static, str>, Option<RequestTarget<'p>>) {
    let mut verb = verb_of(method);
    let parts: Vec<&'p str> = path.trim_matches('/').split('/').collect();
    let (group, version, parts) = match parts.as_slice() {
        ["api", version, parts @ ..] if !parts.is_empty() => ("", *version, parts),
        ["apis", group, version, parts @ ..] if !parts.is_empty() => (*group, *version, parts),
        _ => return (verb, None),
    };
    // `/api/v1/watch/pods`: the verb is in the path.
    let target = match parts {
        ["watch" | "proxy"] => return (verb, None),
        ["watch", parts @ ..] => {
            verb = Cow::Borrowed("watch");
            RequestTarget::new(group, version, parts)
        }
        ["proxy", parts @ ..] => {
            verb = Cow::Borrowed("proxy");
            RequestTarget {
                subresource: "",
                ..RequestTarget::new(group, version, parts)
            }
        }
        _ => RequestTarget::new(group, version, parts),
    };
    if !target.name.is_empty() {
        return (verb, Some(target));
    }
    if verb == "get" {
        let verb = if is_watch(uri) { "watch" } else { "list" };
        let name: Cow<'p, str> = selected_name(uri).map(Cow::Owned).unwrap_or_default();
        return (Cow::Borrowed(verb), Some(RequestTarget { name, ..target }));
    }
    (
        if verb == "delete" {
            Cow::Borrowed("deletecollection")
        } else {
            verb
        },
        Some(target),
    )
}

/// The verb that an HTTP method stands for, where the path does not say more.
fn verb_of(method: &str) -> Cow<'static, str> {
    Cow::Borrowed(match method {
        "GET" | "HEAD" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => "delete",
        other => return Cow::Owned(other.to_ascii_lowercase()),
    })
}

/// `watch` is true unless it says otherwise (`Convert_Slice_string_To_bool`).
fn is_watch(uri: &str) -> bool {
    params(uri, "watch")
        .next()
        .is_some_and(|value| !value.eq_ignore_ascii_case("false") && value != "0")
}

/// The name that a list or watch is about: `fieldSelector=metadata.name=x`.
fn selected_name(uri: &str) -> Option<String> {
    let selector = params(uri, "fieldSelector").next()?;
    let name = selector.split(',').find_map(|term| {
        let (field, value) = term.split_once('=')?;
        (field == "metadata.name").then(|| value.strip_prefix('=').unwrap_or(value))
    })?;
    // `IsValidPathSegmentName`.
    let valid = !matches!(name, "." | "..") && !name.contains(['/', '%']);
    valid.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verb, and the members of the `objectRef` in Kubernetes' order.
    fn resolved(method: &str, uri: &str) -> (String, Option<String>) {
        let path = path(uri);
        let (verb, target) = resolve(method, &path, uri);
        let reference = target.map(|target| {
            let mut out = Vec::new();
            target.write(&mut out);
            writer::text(out).unwrap()
        });
        (verb.into_owned(), reference)
    }

    #[test]
    fn resources_as_the_apiserver_sees_them() {
        for (method, uri, verb, reference) in [
            (
                "GET",
                "/api/v1/namespaces/a/pods?limit=1",
                "list",
                r#""resource":"pods","namespace":"a","apiVersion":"v1""#,
            ),
            (
                "GET",
                "/api/v1/pods?watch",
                "watch",
                r#""resource":"pods","apiVersion":"v1""#,
            ),
            (
                "GET",
                "/api/v1/watch/pods",
                "watch",
                r#""resource":"pods","apiVersion":"v1""#,
            ),
            (
                "GET",
                "/apis/apps/v1/deployments?watch=0&fieldSelector=a%3Db,metadata.name%3D%3Dx",
                "list",
                r#""resource":"deployments","name":"x","apiGroup":"apps","apiVersion":"v1""#,
            ),
            (
                "DELETE",
                "/api/v1/nodes",
                "deletecollection",
                r#""resource":"nodes","apiVersion":"v1""#,
            ),
            (
                "PUT",
                "/api/v1/namespaces/a/finalize",
                "update",
                r#""resource":"namespaces","namespace":"a","name":"a","apiVersion":"v1","subresource":"finalize""#,
            ),
            (
                "GET",
                "/api/v1//namespaces//dev-a//pods",
                "get",
                r#""name":"namespaces","apiVersion":"v1""#,
            ),
        ] {
            assert_eq!(
                resolved(method, uri),
                (verb.to_owned(), Some(reference.to_owned())),
                "{uri}"
            );
        }
        for uri in [
            "/",
            "/api",
            "/api/v1",
            "/apis/apps/v1",
            "/healthz/etcd/x",
            "/api/v1/watch",
        ] {
            assert_eq!(resolved("HEAD", uri), ("get".to_owned(), None), "{uri}");
        }
    }

    #[test]
    fn a_target_has_the_uri_it_came_from() {
        for (verb, uri) in [
            ("get", "/api/v1/namespaces/a/pods/b/log"),
            ("create", "/apis/apps/v1/namespaces/a/deployments"),
            ("update", "/api/v1/namespaces/a/status"),
            ("get", "/api/v1/nodes/n/proxy/metrics/cadvisor"),
            ("deletecollection", "/api/v1/namespaces/a/secrets"),
        ] {
            let (_, target) = resolve("PUT", uri, uri);
            assert_eq!(target.unwrap().uri(verb), uri);
        }
    }
}
