//! What an object is, by kind and API version, before its insides are looked at.

use crate::rbac::objects::BindingKind;
use crate::rbac::objects::RBAC_GROUP;
use crate::rbac::objects::RoleKind;

/// Kind and API version that the items of a list have if they do not say.
pub(crate) type ListKind<'k> = Option<(&'k str, &'k str)>;

/// What of an object says what it is.
pub(crate) struct ObjectHead {
    pub(crate) kind: String,
    version: String,
    /// It has `rules` or `roleRef`.
    resembles_rbac: bool,
}

/// The kinds that are read.
pub(crate) enum WantedObject {
    Role(RoleKind),
    Binding(BindingKind),
    ServiceAccount,
    /// With the path from `spec` to the pod's spec.
    Workload(&'static [&'static str]),
}

impl ObjectHead {
    pub(crate) fn new(
        kind: String,
        version: String,
        list: ListKind<'_>,
        has: impl Fn(&str) -> bool,
    ) -> Self {
        // Items of a `RoleList` lack both.
        let or = |own: String, list: &str| if own.is_empty() { list.to_owned() } else { own };
        let (list_kind, list_version) = list.unwrap_or_default();
        Self {
            kind: or(kind, list_kind),
            version: or(version, list_version),
            resembles_rbac: has("roleRef") || (has("rules") && has("metadata")),
        }
    }

    pub(crate) fn fault(&self) -> Option<String> {
        let of_rbac = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];
        if self.kind.is_empty() && self.resembles_rbac {
            return Some("kind: missing".to_owned());
        }
        (self.version.is_empty() && of_rbac.contains(&self.kind.as_str()))
            .then(|| "apiVersion: missing".to_owned())
    }

    fn group(&self) -> &str {
        self.version.split_once('/').map_or("", |(group, _)| group)
    }

    pub(crate) fn wanted(&self) -> Option<WantedObject> {
        const TEMPLATE: &[&str] = &["template", "spec"];
        Some(match (self.group(), self.kind.as_str()) {
            (RBAC_GROUP, "Role") => WantedObject::Role(RoleKind::Role),
            (RBAC_GROUP, "ClusterRole") => WantedObject::Role(RoleKind::ClusterRole),
            (RBAC_GROUP, "RoleBinding") => WantedObject::Binding(BindingKind::RoleBinding),
            (RBAC_GROUP, "ClusterRoleBinding") => {
                WantedObject::Binding(BindingKind::ClusterRoleBinding)
            }
            ("", "ServiceAccount") => WantedObject::ServiceAccount,
            ("", "Pod") => WantedObject::Workload(&[]),
            ("batch", "CronJob") => {
                WantedObject::Workload(&["jobTemplate", "spec", "template", "spec"])
            }
            ("", "ReplicationController")
            | ("apps" | "extensions", "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet")
            | ("batch", "Job")
            | ("apps.openshift.io", "DeploymentConfig")
            | ("argoproj.io", "Rollout") => WantedObject::Workload(TEMPLATE),
            _ => return None,
        })
    }

    pub(crate) fn removed_version(&self) -> Option<String> {
        let version = self.version.strip_prefix(RBAC_GROUP)?.strip_prefix('/')?;
        (version != "v1").then(|| {
            format!("apiVersion: {RBAC_GROUP}/{version} is not served since Kubernetes 1.22")
        })
    }
}
