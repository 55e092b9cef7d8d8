//! Roles and bindings → YAML that `kubectl apply` takes, with the evidence as comments.
//!
//! Text is in double quotes, so that no name is taken for a boolean; what is not printable is
//! escaped, because names and audit IDs come from clients. Not responsible for: what to grant.

use crate::rbac::objects::BindingKind;
use crate::rbac::objects::RBAC_GROUP;
use crate::rbac::objects::RbacBinding;
use crate::rbac::objects::RbacRole;
use crate::rbac::objects::RbacRule;
use crate::rbac::objects::SubjectKind;
use crate::rbac::quote::is_printable;
use crate::rbac::suggest::Suggestion;
use crate::rbac::usage::UseRecord;
use crate::time::format_time;

/// A suggestion as a stream of YAML documents.
pub fn suggestion_yaml(suggestion: &Suggestion) -> String {
    let mut out = String::new();
    for omitted in &suggestion.omitted {
        let request = &omitted.observed.request;
        let target = request
            .path
            .clone()
            .unwrap_or_else(|| request.combined_resource());
        let (verb, target) = (scalar(&request.verb), scalar(&target));
        out.push_str(&format!(
            "# Left out: {verb} {target}: {}\n",
            omitted.reason
        ));
    }
    for one in &suggestion.roles {
        out.push_str(&role_yaml(&one.role, &one.evidence));
        out.push_str(&binding_yaml(&one.binding));
    }
    out
}

/// A role as a YAML document; a comment above each rule that has evidence.
pub fn role_yaml(role: &RbacRole, evidence: &[UseRecord]) -> String {
    let mut out = head(role.key.kind.name(), &role.key.namespace, &role.key.name);
    if role.rules.is_empty() {
        out.push_str("rules: []\n");
        return out;
    }
    out.push_str("rules:\n");
    for (at, rule) in role.rules.iter().enumerate() {
        if let Some(record) = evidence.get(at) {
            out.push_str(&format!("  # {}\n", evidence_text(record)));
        }
        out.push_str(&rule_yaml(rule));
    }
    out
}

/// A rule as an element of `rules`.
pub fn rule_yaml(rule: &RbacRule) -> String {
    let lists = [
        ("apiGroups", &rule.api_groups),
        ("resources", &rule.resources),
        ("resourceNames", &rule.resource_names),
        ("nonResourceURLs", &rule.non_resource_urls),
        ("verbs", &rule.verbs),
    ];
    let mut out = String::new();
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let start = if out.is_empty() { "  - " } else { "    " };
        let list: Vec<String> = list.iter().map(|text| scalar(text)).collect();
        out.push_str(&format!("{start}{name}: [{}]\n", list.join(", ")));
    }
    out
}

/// A binding as a YAML document.
pub fn binding_yaml(binding: &RbacBinding) -> String {
    let kind: BindingKind = binding.key.kind;
    let mut out = head(kind.name(), &binding.key.namespace, &binding.key.name);
    out.push_str(&format!(
        "roleRef:\n  apiGroup: {RBAC_GROUP}\n  kind: {}\n  name: {}\n",
        scalar(&binding.role_kind),
        scalar(&binding.role_name)
    ));
    if binding.subjects.is_empty() {
        out.push_str("subjects: []\n");
        return out;
    }
    out.push_str("subjects:\n");
    for subject in &binding.subjects {
        let Some(kind) = subject.kind else { continue };
        out.push_str(&format!("  - kind: {}\n", kind.name()));
        if kind == SubjectKind::ServiceAccount {
            let namespace = Some(&subject.namespace).filter(|text| !text.is_empty());
            let namespace = namespace.unwrap_or(&binding.key.namespace);
            out.push_str(&format!("    namespace: {}\n", scalar(namespace)));
        } else {
            out.push_str(&format!("    apiGroup: {RBAC_GROUP}\n"));
        }
        out.push_str(&format!("    name: {}\n", scalar(&subject.name)));
    }
    out
}

fn head(kind: &str, namespace: &str, name: &str) -> String {
    let mut out = format!("---\napiVersion: {RBAC_GROUP}/v1\nkind: {kind}\nmetadata:\n");
    out.push_str(&format!("  name: {}\n", scalar(name)));
    if !namespace.is_empty() {
        out.push_str(&format!("  namespace: {}\n", scalar(namespace)));
    }
    out
}

/// `3 uses, first 2026-…, last 2026-…; for example AUDIT-ID`.
fn evidence_text(record: &UseRecord) -> String {
    let uses = if record.uses == 1 { "use" } else { "uses" };
    let (first, last) = (format_time(record.first), format_time(record.last));
    let mut out = format!("{} {uses}, first {first}, last {last}", record.uses);
    let plain = |id: &String| {
        id.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let samples: Vec<String> = record
        .samples
        .iter()
        .map(|id| if plain(id) { id.clone() } else { scalar(id) })
        .collect();
    if !samples.is_empty() {
        out.push_str(&format!("; for example {}", samples.join(", ")));
    }
    out
}

/// Text in double quotes, with YAML's escapes.
fn scalar(text: &str) -> String {
    let mut out = String::from("\"");
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ch if is_printable(ch) => out.push(ch),
            ch if u32::from(ch) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(ch))),
            ch => out.push_str(&format!("\\U{:08x}", u32::from(ch))),
        }
    }
    out.push('"');
    out
}
