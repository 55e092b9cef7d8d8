//! The attributes of a request, and how a path names a resource.

use std::borrow::Cow;

/// What can follow the name of a namespace without being a resource in it.
const NAMESPACE_SUBRESOURCES: [&str; 2] = ["status", "finalize"];

/// A request in the terms of authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo<'i> {
    /// `get`, `list`, `create`, …; for a path the method in lower case. Empty for a resource and a
    /// method of no meaning there, such as OPTIONS.
    pub verb: Cow<'i, str>,
    /// The path: decoded once, and otherwise as it was sent, with every slash.
    pub path: &'i str,
    /// The resource; `None` for any other path: then `path` is what access is granted to.
    pub resource: Option<ResourceInfo<'i>>,
}

/// The resource that a path names. Absent parts are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceInfo<'i> {
    /// The API group; `""` is the core group.
    pub api_group: &'i str,
    /// The version of the API.
    pub api_version: &'i str,
    /// The namespace; `x` for `namespaces/x` itself, too, and for a cluster-scoped resource that is
    /// written under a namespace.
    pub namespace: &'i str,
    /// The resource, without subresource.
    pub resource: &'i str,
    /// The subresource.
    pub subresource: &'i str,
    /// The name: of the path, or for a list or watch that a `fieldSelector` restricts to one.
    pub name: Cow<'i, str>,
    /// `RESOURCE[/NAME[/SUBRESOURCE[/…]]]`, with the path's name.
    tail: &'i str,
}

/// A verb that a path begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathVerb {
    /// None does.
    None,
    /// `/api/v1/watch/…`
    Watch,
    /// `/api/v1/proxy/…`
    Proxy,
}

impl<'i> ResourceInfo<'i> {
    /// The resource of a decoded path, and the verb in the path. `None` for every other path, and
    /// for `/api/v1/watch` alone, which the apiserver answers with an error and does not log.
    pub(super) fn of_path(path: &'i str) -> Option<(Self, PathVerb)> {
        let (prefix, rest) = path.trim_matches('/').split_once('/')?;
        let (api_group, rest) = match prefix {
            "api" => ("", rest),
            "apis" => rest.split_once('/')?,
            _ => return None,
        };
        let (api_version, tail) = rest.split_once('/')?;
        let (path_verb, tail) = match tail.split_once('/') {
            Some(("watch", tail)) => (PathVerb::Watch, tail),
            Some(("proxy", tail)) => (PathVerb::Proxy, tail),
            None if matches!(tail, "watch" | "proxy") => return None,
            _ => (PathVerb::None, tail),
        };
        let mut resource = Self::new(api_group, api_version, tail);
        if path_verb == PathVerb::Proxy {
            resource.subresource = "";
        }
        Some((resource, path_verb))
    }

    /// The resource that `[namespaces/NAMESPACE/]RESOURCE[/NAME[/SUBRESOURCE[/…]]]` names in an API.
    pub fn new(api_group: &'i str, api_version: &'i str, path: &'i str) -> Self {
        let (namespace, tail) = within_namespace(path);
        let mut parts = tail.splitn(4, '/');
        let mut part = || parts.next().unwrap_or_default();
        let (resource, name, subresource) = (part(), part(), part());
        Self {
            api_group,
            api_version,
            namespace,
            resource,
            subresource,
            name: Cow::Borrowed(name),
            tail,
        }
    }

    /// The parts of the path from the resource on: what follows the subresource has a meaning behind
    /// `proxy` alone.
    pub fn parts(&self) -> impl Iterator<Item = &'i str> + use<'i> {
        self.tail.split('/')
    }

    /// The resource as rules spell it: `pods`, `pods/exec`.
    pub fn combined_resource(&self) -> Cow<'i, str> {
        if self.subresource.is_empty() {
            Cow::Borrowed(self.resource)
        } else {
            Cow::Owned(format!("{}/{}", self.resource, self.subresource))
        }
    }
}

/// The namespace of a path, and the path from the resource on.
fn within_namespace(path: &str) -> (&str, &str) {
    let Some(inside) = path.strip_prefix("namespaces/") else {
        return ("", path);
    };
    let Some((namespace, tail)) = inside.split_once('/') else {
        return (inside, path);
    };
    let next = tail.split('/').next().unwrap_or_default();
    if NAMESPACE_SUBRESOURCES.contains(&next) {
        (namespace, path)
    } else {
        (namespace, tail)
    }
}
