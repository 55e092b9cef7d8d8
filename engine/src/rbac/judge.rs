//! Recorded decisions against computed ones: who decided, and whether RBAC, as computed, agrees.
//!
//! The apiserver asks a chain of authorizers: members of `system:masters` first, then what it is
//! configured with, commonly Node and RBAC, or a webhook. The annotation
//! `authorization.k8s.io/reason` tells RBAC's answers apart; it is empty for masters and nodes.
//!
//! Not responsible for: impersonation, which is checked before (`impersonation.rs`).

use crate::rbac::authorizer::RbacAuthorizer;
use crate::rbac::authorizer::RbacDecision;
use crate::rbac::objects::BindingKind;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;

/// The group whose members may do everything, whatever RBAC says.
pub const MASTERS: &str = "system:masters";

/// What reasons of RBAC begin with.
const RBAC_REASON: &str = "RBAC: ";

/// What the audit log says of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedDecision<'r> {
    /// `allow`, as opposed to `forbid`.
    pub is_allowed: bool,
    /// `authorization.k8s.io/reason`; `None` where the envelope has none.
    pub reason: Option<&'r str>,
}

impl RecordedDecision<'_> {
    /// What became of the request, for counting uses, if this authorizer decided.
    pub const fn outcome(self, decided_by: DecidingAuthorizer) -> AccessOutcome {
        match (self.is_allowed, decided_by) {
            (false, _) => AccessOutcome::Refused,
            (true, DecidingAuthorizer::Rbac) => AccessOutcome::Allowed,
            (true, _) => AccessOutcome::AllowedByOther,
        }
    }
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DecidingAuthorizer {
    /// RBAC.
    Rbac,
    /// The user is in `system:masters`.
    Masters,
    /// The Node authorizer.
    Node,
    /// A webhook, a cloud's own authorizer, or another that RBAC knows nothing of.
    Webhook,
}

/// The computed answer beside the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessJudgement {
    /// Who decided, as far as the record shows.
    pub decided_by: DecidingAuthorizer,
    /// What RBAC says.
    pub computed: RbacDecision,
    /// Why the record and RBAC do not fit; `None` if they do, or if RBAC did not decide.
    pub disagreement: Option<String>,
}

impl AccessJudgement {
    /// What became of the request, for counting uses.
    pub fn outcome(&self, recorded: RecordedDecision<'_>) -> AccessOutcome {
        recorded.outcome(self.decided_by)
    }
}

/// Whether the Node authorizer looks at this user.
pub fn is_node(identity: &Identity) -> bool {
    identity.name.starts_with("system:node:") && identity.is_in("system:nodes")
}

/// Who decided, by the record alone.
pub fn decided_by(identity: &Identity, recorded: RecordedDecision<'_>) -> DecidingAuthorizer {
    // A refusal joins the reasons of all authorizers that had no opinion, a line each.
    let mut lines = recorded.reason.unwrap_or_default().lines();
    if lines.any(|line| line.starts_with(RBAC_REASON)) {
        return DecidingAuthorizer::Rbac;
    }
    match (recorded.is_allowed, recorded.reason) {
        (true, Some("") | None) if identity.is_in(MASTERS) => DecidingAuthorizer::Masters,
        (true, Some("")) if is_node(identity) => DecidingAuthorizer::Node,
        (true, Some(_)) => DecidingAuthorizer::Webhook,
        (true, None) | (false, Some("") | None) => DecidingAuthorizer::Rbac,
        (false, Some(_)) if is_node(identity) => DecidingAuthorizer::Node,
        (false, Some(_)) => DecidingAuthorizer::Webhook,
    }
}

/// Judges one recorded decision.
pub fn judge(
    authorizer: &RbacAuthorizer,
    identity: &Identity,
    request: &AccessRequest,
    recorded: RecordedDecision<'_>,
) -> AccessJudgement {
    let mut by = decided_by(identity, recorded);
    let computed = authorizer.decide(identity, request);
    let disagreement = match (recorded.is_allowed, computed.is_allowed()) {
        (true, true) if by == DecidingAuthorizer::Rbac => {
            let reason = recorded.reason.unwrap_or_default();
            attribution_fault(authorizer, identity, request, reason)
        }
        (true, false)
            if by == DecidingAuthorizer::Rbac && recorded.reason.is_none() && is_node(identity) =>
        {
            by = DecidingAuthorizer::Node;
            None
        }
        (true, false) if by == DecidingAuthorizer::Rbac => {
            Some("recorded allow, but no rule allows it".to_owned())
        }
        // An empty reason says that RBAC did not allow it, but not who did. Only masters and nodes
        // are allowed so without a webhook, and webhooks that matter give a reason.
        (true, false) if by == DecidingAuthorizer::Webhook && recorded.reason == Some("") => {
            Some("recorded allow without a reason, but no rule allows it".to_owned())
        }
        (false, true) if by == DecidingAuthorizer::Webhook => None,
        (false, true) => Some(format!(
            "recorded forbid, but {}",
            allowed_by(&computed.reason)
        )),
        (false, false) if by == DecidingAuthorizer::Webhook => {
            // The webhook had no opinion, or refused; RBAC refuses as well.
            None
        }
        (false, false) => refusal_fault(&computed.reason, recorded.reason),
        _ => None,
    };
    AccessJudgement {
        decided_by: by,
        computed,
        disagreement,
    }
}

/// `allowed by X` without `RBAC: `.
fn allowed_by(reason: &str) -> &str {
    reason.strip_prefix(RBAC_REASON).unwrap_or(reason)
}

/// Whether the recorded binding is one that allows the request. Which of several is named is chance,
/// but a RoleBinding is named only if no ClusterRoleBinding allows the request.
fn attribution_fault(
    authorizer: &RbacAuthorizer,
    identity: &Identity,
    request: &AccessRequest,
    reason: &str,
) -> Option<String> {
    if reason.is_empty() {
        return None;
    }
    let mut covers = authorizer.covers(identity, request);
    covers.dedup_by_key(|cover| cover.binding);
    let kind = |slot| authorizer.binding(slot).map(|bound| bound.binding.key.kind);
    let first_kind = covers.first().and_then(|cover| kind(cover.binding));
    let mut possible = covers.iter().filter(|cover| {
        first_kind != Some(BindingKind::ClusterRoleBinding)
            || kind(cover.binding) == Some(BindingKind::ClusterRoleBinding)
    });
    if possible.any(|cover| authorizer.reason(*cover) == reason) {
        return None;
    }
    let computed = covers.first().map(|cover| authorizer.reason(*cover));
    let computed = computed.unwrap_or_default();
    Some(format!(
        "recorded {}, which does not allow it; {}",
        allowed_by(reason),
        allowed_by(&computed)
    ))
}

/// Refusals name missing roles, in any order. A record without a reason fits every refusal.
fn refusal_fault(computed: &str, recorded: Option<&str>) -> Option<String> {
    let recorded = recorded?;
    let mut lines = recorded.lines();
    let recorded = lines
        .find(|line| line.starts_with(RBAC_REASON))
        .unwrap_or_default();
    if same_errors(computed, recorded) {
        return None;
    }
    let shown = |reason: &str| {
        if reason.is_empty() {
            "none".to_owned()
        } else {
            format!("`{reason}`")
        }
    };
    Some(format!(
        "both refuse it; recorded reason {}, computed {}",
        shown(recorded),
        shown(computed)
    ))
}

fn same_errors(a: &str, b: &str) -> bool {
    let errors = |reason: &str| -> Vec<String> {
        let text = allowed_by(reason);
        let inside = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let mut errors: Vec<String> = match inside {
            Some(inside) => inside.split(", ").map(str::to_owned).collect(),
            None => vec![text.to_owned()],
        };
        errors.sort_unstable();
        errors
    };
    a == b || errors(a) == errors(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::objects::RbacObjects;
    use crate::rbac::read::ManifestReader;

    const OBJECTS: &str = r#"
kind: ClusterRole
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: view}
rules: [{verbs: [get, list], apiGroups: [""], resources: [pods]}]
---
kind: ClusterRoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: "all \"v\""}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: Group, name: staff}, {kind: User, name: "zo\u00e9\u200b"}]
---
kind: RoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: local, namespace: dev}
roleRef: {kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: ci}, {kind: User, name: ann}]
---
kind: RoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: dangling, namespace: dev}
roleRef: {kind: Role, name: gone}
subjects: [{kind: User, name: ann}]
---
kind: ClusterRoleBinding
apiVersion: rbac.authorization.k8s.io/v1
metadata: {name: dangling}
roleRef: {kind: ClusterRole, name: gone}
subjects: [{kind: User, name: ann}, {kind: User, name: bob}]
"#;

    fn objects() -> RbacObjects {
        let mut reader = ManifestReader::new();
        reader.read_text("objects", OBJECTS);
        let read = reader.finish();
        assert_eq!(read.rejects, []);
        read.objects
    }

    fn user(name: &str, groups: &[&str]) -> Identity {
        Identity {
            name: name.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        }
    }

    fn pods(verb: &str, namespace: &str) -> AccessRequest {
        AccessRequest {
            verb: verb.to_owned(),
            namespace: namespace.to_owned(),
            resource: "pods".to_owned(),
            ..AccessRequest::default()
        }
    }

    #[test]
    fn reasons_in_the_words_of_the_apiserver() {
        let authorizer = RbacAuthorizer::new(&objects());
        let missing = r#"role.rbac.authorization.k8s.io "gone" not found"#;
        let cluster = r#"clusterrole.rbac.authorization.k8s.io "gone" not found"#;
        for (identity, request, reason) in [
            (
                user("zo\u{e9}\u{200b}", &[]),
                pods("get", ""),
                r#"RBAC: allowed by ClusterRoleBinding "all \"v\"" of ClusterRole "view" to User "zoé\u200b""#
                    .to_owned(),
            ),
            (
                user("system:serviceaccount:dev:ci", &[]),
                pods("list", "dev"),
                r#"RBAC: allowed by RoleBinding "local/dev" of ClusterRole "view" to ServiceAccount "ci/dev""#
                    .to_owned(),
            ),
            (user("system:serviceaccount:dev:ci", &[]), pods("list", "prod"), String::new()),
            (user("bob", &[]), pods("list", "dev"), format!("RBAC: {cluster}")),
            (
                user("ann", &[]),
                pods("delete", "dev"),
                format!("RBAC: [{cluster}, {missing}]"),
            ),
        ] {
            assert_eq!(authorizer.decide(&identity, &request).reason, reason);
        }
    }

    #[test]
    fn who_decided_and_whether_it_fits() {
        use DecidingAuthorizer::{Masters, Node, Rbac, Webhook};
        let authorizer = RbacAuthorizer::new(&objects());
        let staff = || user("eve", &["staff"]);
        let node = || user("system:node:n", &["system:nodes"]);
        let all = r#"RBAC: allowed by ClusterRoleBinding "all \"v\"" of ClusterRole "view" to Group "staff""#;
        let other =
            r#"RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "view" to Group "staff""#;
        let two = r#"RBAC: [role.rbac.authorization.k8s.io "gone" not found, clusterrole.rbac.authorization.k8s.io "gone" not found]"#;
        let cases = [
            (staff(), "get", true, Some(all), Rbac, true),
            (staff(), "get", true, Some(other), Rbac, false),
            (staff(), "get", true, None, Rbac, true),
            (staff(), "get", false, Some(""), Rbac, false),
            (staff(), "delete", true, Some(all), Rbac, false),
            (staff(), "delete", false, Some(""), Rbac, true),
            (staff(), "delete", true, Some(""), Webhook, false),
            (
                staff(),
                "delete",
                true,
                Some("access granted by IAM permissions."),
                Webhook,
                true,
            ),
            (
                staff(),
                "get",
                false,
                Some("denied by policy"),
                Webhook,
                true,
            ),
            (
                user("x", &["system:masters"]),
                "delete",
                true,
                Some(""),
                Masters,
                true,
            ),
            (node(), "delete", true, Some(""), Node, true),
            (
                node(),
                "delete",
                false,
                Some("no relationship found"),
                Node,
                true,
            ),
            (user("ann", &[]), "delete", false, Some(two), Rbac, true),
            (user("ann", &[]), "delete", false, Some(""), Rbac, false),
        ];
        for (identity, verb, is_allowed, reason, by, fits) in cases {
            let recorded = RecordedDecision { is_allowed, reason };
            let judged = judge(&authorizer, &identity, &pods(verb, "dev"), recorded);
            let case = format!(
                "{} {verb} {is_allowed} {reason:?}: {judged:?}",
                identity.name
            );
            assert_eq!(judged.decided_by, by, "{case}");
            assert_eq!(judged.disagreement.is_none(), fits, "{case}");
        }
    }
}
