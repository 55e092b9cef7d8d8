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

    /// Who is behind the request: the user, or the impersonated user if the user is a proxy.
    pub(crate) fn principal(&self) -> Option<Text<'a>> {
        let (user, impersonated) = (self.user.username, self.impersonated.username);
        let is_passed_on =
            impersonated.is_some() && user.is_none_or(|user| is_proxy(&user.decode()));
        if is_passed_on { impersonated } else { user }
    }
}

/// Is this a component that authenticates people itself and then impersonates them? Everything that
/// it passes on is theirs.
///
/// Only those are in the list that do nothing else with impersonation. Whoever else impersonates,
/// another service account or a person, is responsible for it: a stolen token must not hide behind
/// the name that it takes. Kubernetes' own components (`system:apiserver`, `system:aggregator`) pass
/// requests on; `system:admin` (OpenShift) and `system:bootstrap:*` are credentials that people hold.
pub(crate) fn is_proxy(name: &str) -> bool {
    const NAMESPACES: [&str; 8] = [
        // Rancher: one service account for each of its users, and the cluster agent.
        "cattle-impersonation-system",
        "cattle-system",
        // GKE Connect gateway.
        "gke-connect",
        // Pinniped's impersonation proxy.
        "pinniped-concierge",
        // Teleport's agent, by its Helm chart.
        "teleport-agent",
        // The API server proxy of Tailscale's operator.
        "tailscale",
        "kube-oidc-proxy",
        // The proxy of Loft and vCluster Platform.
        "loft",
    ];
    if let Some((namespace, _)) = service_account(name) {
        return NAMESPACES.contains(&namespace);
    }
    actor_kind(name) == "control-plane"
        && name != "system:admin"
        && !name.starts_with("system:bootstrap:")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_proxies_pass_requests_on() {
        for proxy in [
            "system:serviceaccount:cattle-impersonation-system:cattle-impersonation-u-abc12",
            "system:serviceaccount:gke-connect:connect-agent-sa",
            "system:apiserver",
            "system:kube-aggregator",
        ] {
            assert!(is_proxy(proxy), "{proxy}");
        }
        for other in [
            "alice@example.com",
            "system:admin",
            "system:anonymous",
            "system:bootstrap:abcdef",
            "system:node:node-1",
            "system:serviceaccount:argocd:argocd-application-controller",
            "system:serviceaccount:cattle-system:x:y",
            "system:serviceaccount:web:cattle-system",
            "",
        ] {
            assert!(!is_proxy(other), "{other}");
        }
    }
}
