//! Requests that every running cluster makes, and a log without any of them: what its audit policy
//! leaves out, as far as that shows.
//!
//! Components report events, renew leases and ask for the apiserver's health every few seconds. A log
//! of some minutes that has none of one kind did not record them, and says nothing of who else made
//! such requests. Everything else that is missing may as well be unused.

use crate::rbac::ObservedRequest;
use crate::rbac::Permission;
use crate::rbac::PermissionTarget;

/// A log must be so long, in microseconds, and hold so many requests, before its silence says
/// anything.
const LEAST_WINDOW: i64 = 600_000_000;
const LEAST_REQUESTS: u64 = 1000;

/// A kind of request that no cluster does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CommonKind {
    /// API group and resource.
    Resource(&'static str, &'static str),
    /// What the paths begin with, and a name for all of them.
    Paths(&'static [&'static str], &'static str),
}

const COMMON: [CommonKind; 3] = [
    CommonKind::Resource("", "events"),
    CommonKind::Resource("coordination.k8s.io", "leases"),
    CommonKind::Paths(&["/healthz", "/livez", "/readyz"], "health checks"),
];

/// The common kinds of which a log has no request.
#[derive(Debug, Clone, Default)]
pub struct LogSilence(Vec<CommonKind>);

impl LogSilence {
    /// What a log is silent about; `window` is its length in microseconds.
    pub fn of(observed: &[ObservedRequest], window: i64) -> Self {
        let requests: u64 = observed.iter().map(|one| one.count).sum();
        if window < LEAST_WINDOW || requests < LEAST_REQUESTS {
            return Self::default();
        }
        let is_missing = |kind: &CommonKind| !observed.iter().any(|one| kind.includes(one));
        Self(COMMON.into_iter().filter(is_missing).collect())
    }

    /// Why the log would not show the use of a permission; `None` if it may.
    pub fn reason(&self, permission: &Permission<'_>) -> Option<String> {
        let kind = self.0.iter().find(|kind| kind.is_target(permission))?;
        let name = match kind {
            CommonKind::Resource(_, resource) => resource,
            CommonKind::Paths(_, name) => name,
        };
        Some(format!(
            "the log has no request for {name}, which every cluster makes: its audit policy leaves \
             them out"
        ))
    }
}

impl CommonKind {
    fn includes(&self, observed: &ObservedRequest) -> bool {
        let request = &observed.request;
        match (self, &request.path) {
            (Self::Resource(group, resource), None) => {
                // Kubernetes' own events are written to either of two groups.
                let is_event = *resource == "events" && request.api_group == "events.k8s.io";
                request.resource == *resource && (request.api_group == *group || is_event)
            }
            (Self::Paths(starts, _), Some(path)) => {
                starts.iter().any(|start| path.starts_with(start))
            }
            _ => false,
        }
    }

    fn is_target(&self, permission: &Permission<'_>) -> bool {
        match (self, permission.target) {
            (
                Self::Resource(group, name),
                PermissionTarget::Resource {
                    api_group,
                    resource,
                    ..
                },
            ) => {
                let is_event = *name == "events" && api_group == "events.k8s.io";
                resource == *name && (api_group == *group || is_event)
            }
            (Self::Paths(starts, _), PermissionTarget::Url(url)) => {
                starts.iter().any(|start| url.starts_with(start))
            }
            _ => false,
        }
    }
}
