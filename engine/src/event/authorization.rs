//! The authorizer's decision as the apiserver structures it: the member `authorizationDecision` in,
//! what it says of the decision, the authorizer and the grant out.
//!
//! Source: KEP-6001 (alpha in 1.37), `{decision, authorizer, rbac: {role, binding}, webhook}`. The
//! subject that matched stands in the binding in the KEP's text and beside it in its summary, and
//! the type is still alpha: members are found by their names in any case, in either place.
//!
//! Not responsible for: the member itself, which no column holds as a whole. It is left over, so
//! that it comes back as it was.

use std::borrow::Cow;

use crate::event::reason::{Grant, Reason};
use crate::json::{Text, Value, ValueKind, members};

/// The decision in the words of the annotation `authorization.k8s.io/decision`, which says `forbid`
/// where the structured one says `deny`; `None` if it says neither.
pub(crate) fn structured_decision(raw: &str) -> Option<Text<'static>> {
    let decision = text(member(raw, &["decision"])?)?;
    let is = |words: &[&str]| words.iter().any(|word| decision.eq_ignore_ascii_case(word));
    if is(&["allow", "allowed"]) {
        Some(Text::plain_text("allow"))
    } else if is(&["deny", "denied", "forbid", "forbidden"]) {
        Some(Text::plain_text("forbid"))
    } else {
        None
    }
}

impl Reason {
    /// What the structured decision says, and where it says nothing, the reason `annotated`.
    ///
    /// The words of a webhook are not those of RBAC, whatever they look like: only a name that the
    /// structured decision leaves open is taken from them.
    pub(super) fn structured(raw: &str, annotated: Self) -> Self {
        let named = member(raw, &["authorizer"]).and_then(text);
        let named = named.as_deref().and_then(authorizer_name);
        let granted = member(raw, &["rbac"])
            .and_then(|rbac| object(rbac))
            .and_then(grant);
        let authorizer = match (&named, &annotated.authorizer) {
            // Access policies of EKS and IAM of GKE are webhooks, too, and have a name of their own.
            (Some(Cow::Borrowed("webhook")), Some(own)) if own != "rbac" && own != "node" => {
                Some(own.clone())
            }
            (Some(_), _) => named,
            (None, _) if granted.is_some() => Some(Cow::Borrowed("rbac")),
            (None, own) => own.clone(),
        };
        let same = authorizer == annotated.authorizer;
        Self {
            authorizer,
            grant: granted.or(annotated.grant.filter(|_| same)),
        }
    }
}

/// The authorizer in the words of the column; one that nobody knows keeps its own.
fn authorizer_name(name: &str) -> Option<Cow<'static, str>> {
    /// `pkg/kubeapiserver/authorizer/modes`.
    const KNOWN: [(&str, &str); 6] = [
        ("RBAC", "rbac"),
        ("Webhook", "webhook"),
        ("Node", "node"),
        ("ABAC", "abac"),
        ("AlwaysAllow", "always-allow"),
        ("AlwaysDeny", "always-deny"),
    ];
    // Nobody had an opinion: so the apiserver refuses, and there is no name.
    if name.is_empty() {
        return None;
    }
    let known = KNOWN
        .iter()
        .find(|(mode, _)| mode.eq_ignore_ascii_case(name));
    Some(known.map_or_else(
        || Cow::Owned(name.to_owned()),
        |(_, ours)| Cow::Borrowed(*ours),
    ))
}

/// The grant of the object `rbac`; `None` if it names neither a binding nor a role.
fn grant(rbac: &str) -> Option<Grant> {
    let binding = member(rbac, &["binding", "roleBinding", "bindingRef"]);
    let role = member(rbac, &["role", "roleRef"])
        .or_else(|| member(object(binding?)?, &["role", "roleRef"]));
    const SUBJECT: [&str; 2] = ["matchedSubject", "subject"];
    let subject = member(rbac, &SUBJECT).or_else(|| member(object(binding?)?, &SUBJECT));
    let (binding, role, subject) = (named(binding), named(role), named(subject));
    if binding.name.is_none() && role.name.is_none() {
        return None;
    }
    let in_namespace = binding.kind.as_deref() != Some("ClusterRoleBinding");
    Some(Grant {
        binding_namespace: binding
            .namespace
            .or(role.namespace)
            .filter(|_| in_namespace),
        binding_kind: binding.kind,
        binding_name: binding.name,
        role_kind: role.kind,
        role_name: role.name,
        subject_kind: subject.kind,
        subject_namespace: subject.namespace,
        subject_name: subject.name,
    })
}

/// A reference to an object; what is empty is not there.
#[derive(Default)]
struct Reference {
    kind: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
}

/// An object with `kind`, `namespace` and `name`, or the name alone.
fn named(value: Option<Value<'_>>) -> Reference {
    let Some(value) = value else {
        return Reference::default();
    };
    let Some(raw) = object(value) else {
        return Reference {
            name: text(value).filter(|name| !name.is_empty()),
            ..Reference::default()
        };
    };
    let of = |name| {
        member(raw, &[name])
            .and_then(text)
            .filter(|text| !text.is_empty())
    };
    Reference {
        kind: of("kind"),
        namespace: of("namespace"),
        name: of("name"),
    }
}

/// The last member with one of these names, in any case and with or without underscores.
fn member<'a>(raw: &'a str, names: &[&str]) -> Option<Value<'a>> {
    let is_named = |name: &str| {
        let name = name.replace('_', "");
        names.iter().any(|known| known.eq_ignore_ascii_case(&name))
    };
    members(raw)
        .filter(|(name, value)| value.kind != ValueKind::Null && is_named(&name.decode()))
        .last()
        .map(|(_, value)| value)
}

fn object(value: Value<'_>) -> Option<&str> {
    (value.kind == ValueKind::Object).then_some(value.raw)
}

fn text(value: Value<'_>) -> Option<String> {
    value.text().map(|text| text.decode().into_owned())
}
