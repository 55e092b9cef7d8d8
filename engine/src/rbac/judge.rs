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
        match (recorded.is_allowed, self.decided_by) {
            (false, _) => AccessOutcome::Refused,
            (true, DecidingAuthorizer::Rbac) => AccessOutcome::Allowed,
            (true, _) => AccessOutcome::AllowedByOther,
        }
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
