//! Who acted: a user name in, its kind and, of a service account, its namespace and name out.

use crate::event::Event;
use crate::json::{Text, Value};

/// The identity that authorization looked at: the impersonated user where there is one.
pub(crate) struct Actor<'a> {
    pub(crate) name: Option<Text<'a>>,
    pub(crate) groups: Option<Value<'a>>,
}

impl<'a> Event<'a> {
    /// The impersonated user if present, else the user.
    pub(crate) fn actor(&self) -> Actor<'a> {
        if self.impersonated.username.is_some() {
            Actor {
                name: self.impersonated.username,
                groups: self.impersonated.groups,
            }
        } else {
            Actor {
                name: self.user.username,
                groups: self.user.groups,
            }
        }
    }
}

/// The kind of identity behind a user name. Reserved are Kubernetes' own prefix `system:` and the
/// principals under which managed offerings run their side of a cluster.
pub(crate) fn actor_kind(name: &str) -> &'static str {
    if let Some(rest) = name.strip_prefix("system:") {
        return if rest == "anonymous" {
            "anonymous"
        } else if rest.starts_with("serviceaccount:") {
            "serviceaccount"
        } else if rest.starts_with("node:") {
            "node"
        } else {
            "control-plane"
        };
    }
    const CLOUD: [&str; 6] = [
        "aksService",
        "masterclient",
        "nodeclient",
        "hcpService",
        "acsService",
        "readinessChecker",
    ];
    let cloud = CLOUD.contains(&name)
        || name.starts_with("eks:")
        || name.starts_with("aks:")
        || name.ends_with("@container-engine-robot.iam.gserviceaccount.com")
        || (name.starts_with("arn:aws:iam::") && name.contains(":role/aws-service-role/"));
    if cloud { "cloud" } else { "human" }
}

/// Namespace and name of `system:serviceaccount:NAMESPACE:NAME`, with exactly these parts
/// (`k8s.io/apiserver/pkg/authentication/serviceaccount`, `SplitUsername`).
pub(crate) fn service_account(name: &str) -> Option<(&str, &str)> {
    let (namespace, name) = name
        .strip_prefix("system:serviceaccount:")?
        .split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}
