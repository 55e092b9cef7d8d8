//! Requests as the audit policy sees them: the attributes that authorization uses, too.
//!
//! Plain borrowed facts. The user is the authenticated one: the apiserver asks the policy before it
//! handles impersonation (`WithAudit` wraps `WithImpersonation` in its handler chain). Verb and
//! target come from the request's method and URI, never from an event's `objectRef`, which the
//! apiserver completes from bodies later. Not responsible for: taking URIs apart (`request`).

use crate::request::RequestInfo;

/// A request before the apiserver handles it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestAttributes<'a> {
    /// The authenticated user's name; `None` if authentication failed (401).
    pub user: Option<&'a str>,
    /// The authenticated user's groups.
    pub groups: &'a [&'a str],
    /// The verb: of Kubernetes for resources, the method in lower case for other URLs.
    pub verb: &'a str,
    /// What the request is for.
    pub target: RequestedTarget<'a>,
}

/// What a request is for. Absent parts are empty, as in the apiserver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedTarget<'a> {
    /// A resource of an API.
    Resource {
        /// The API group; `""` is the core group.
        api_group: &'a str,
        /// The resource in plural, such as `pods`.
        resource: &'a str,
        /// The subresource, such as `log`.
        subresource: &'a str,
        /// The namespace; for `namespaces/x` itself, `x`.
        namespace: &'a str,
        /// The object's name.
        name: &'a str,
    },
    /// Any other URL: its decoded path.
    Path(&'a str),
}

impl<'a> RequestAttributes<'a> {
    /// A request of a user: name and groups, or `None` if authentication failed.
    pub fn new(user: Option<(&'a str, &'a [&'a str])>, request: &'a RequestInfo<'_>) -> Self {
        Self {
            user: user.map(|(name, _)| name),
            groups: user.map_or(&[], |(_, groups)| groups),
            verb: &request.verb,
            target: RequestedTarget::from(request),
        }
    }
}

impl<'a> From<&'a RequestInfo<'_>> for RequestedTarget<'a> {
    fn from(request: &'a RequestInfo<'_>) -> Self {
        match &request.resource {
            Some(resource) => Self::Resource {
                api_group: resource.api_group,
                resource: resource.resource,
                subresource: resource.subresource,
                namespace: resource.namespace,
                name: &resource.name,
            },
            None => Self::Path(request.path),
        }
    }
}
