//! What is asked: a user and a request in the terms of authorization, and what a log saw of it.
//!
//! Attributes come from `requestURI` and verb, as the apiserver's `RequestInfo` has them; never from
//! `objectRef`, which the apiserver completes from the body after it decided.

use std::sync::Arc;

use crate::rbac::objects::RbacSubject;
use crate::rbac::objects::SubjectKey;
use crate::rbac::objects::SubjectKind;
use crate::request::RequestInfo;

/// A user as authorization sees it: impersonated if present. Groups are those of the event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The user name.
    pub name: String,
    /// The groups.
    pub groups: Vec<String>,
}

impl Identity {
    /// Whether the user is in a group.
    pub fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// Whether a subject of a binding of this namespace (empty for a ClusterRoleBinding) is this
    /// user (`appliesToUser`).
    pub fn matches(&self, subject: &RbacSubject, binding_namespace: &str) -> bool {
        subject
            .effective(binding_namespace)
            .is_some_and(|subject| self.is_subject(&subject))
    }

    /// Whether the subject is this user, or a group of it.
    pub fn is_subject(&self, subject: &SubjectKey) -> bool {
        match subject.kind {
            SubjectKind::Group => self.is_in(&subject.name),
            _ => subject.user_name().as_deref() == Some(self.name.as_str()),
        }
    }
}

/// A request in the terms of authorization (`authorizer.Attributes`). For a resource request, text
/// that is absent is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccessRequest {
    /// `get`, `list`, `create`, …; for a path the method in lower case.
    pub verb: String,
    /// The namespace of the URI; `x` for `GET /api/v1/namespaces/x` too.
    pub namespace: String,
    /// The API group; `""` is the core group.
    pub api_group: String,
    /// The resource, without subresource.
    pub resource: String,
    /// The subresource.
    pub subresource: String,
    /// The name of the URI: none for a create, and for a list only by `metadata.name` selectors.
    pub name: String,
    /// The path of a request for no resource, decoded and with every slash; then all but `verb` is
    /// empty.
    pub path: Option<String>,
}

impl AccessRequest {
    /// The resource as rules spell it: `pods`, `pods/exec`.
    pub fn combined_resource(&self) -> String {
        if self.subresource.is_empty() {
            self.resource.clone()
        } else {
            format!("{}/{}", self.resource, self.subresource)
        }
    }

    /// The request under another verb.
    pub fn with_verb(&self, verb: impl Into<String>) -> Self {
        Self {
            verb: verb.into(),
            ..self.clone()
        }
    }
}

impl From<&RequestInfo<'_>> for AccessRequest {
    fn from(info: &RequestInfo<'_>) -> Self {
        let verb = info.verb.to_string();
        let Some(resource) = &info.resource else {
            let path = Some(info.path.to_owned());
            return Self {
                verb,
                path,
                ..Self::default()
            };
        };
        Self {
            verb,
            namespace: resource.namespace.to_owned(),
            api_group: resource.api_group.to_owned(),
            resource: resource.resource.to_owned(),
            subresource: resource.subresource.to_owned(),
            name: resource.name.to_string(),
            path: None,
        }
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccessOutcome {
    /// RBAC allowed it.
    Allowed,
    /// Another authorizer allowed it, so that it is no use of RBAC: masters, node, webhook.
    AllowedByOther,
    /// It was refused by authorization.
    Refused,
}

/// Equal requests of one user in a log, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRequest {
    /// Who.
    pub identity: Arc<Identity>,
    /// What.
    pub request: AccessRequest,
    /// What became of it.
    pub outcome: AccessOutcome,
    /// How often.
    pub count: u64,
    /// The first time, in microseconds since the epoch.
    pub first: i64,
    /// The last time.
    pub last: i64,
    /// A few `auditID`s.
    pub samples: Vec<String>,
}
