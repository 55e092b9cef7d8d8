//! The apiserver's loader of audit policies: a document's bytes in, the policy or why it is
//! refused out, with what is ignored on the way.
//!
//! Follows `LoadPolicyFromBytes` of `k8s.io/apiserver/pkg/audit/policy`: strict decoding first,
//! then lenient, so that unknown and repeated fields cost a warning and nothing else. Not
//! responsible for: reading files; what an accepted policy should rather say (`lint`).

#[cfg(test)]
mod tests;

use super::decode::{RuleFields, decode_policy};
use super::document::{DocumentData, DocumentValue, read_document};
use super::fields::PlacedText;
use super::model::AuditPolicy;
use super::notice::{PolicyRefusal, PolicyWarning};
use super::validate::validate_policy;

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedPolicy {
    /// The policy, or every reason against it, by line.
    pub outcome: Result<AuditPolicy, Vec<PolicyRefusal>>,
    /// What was ignored; given for a refused document too, as far as it was read.
    pub warnings: Vec<PolicyWarning>,
}

/// Reads a policy as the apiserver does.
pub fn load_policy(bytes: &[u8]) -> LoadedPolicy {
    let document = match read_document(bytes) {
        Ok(document) => document,
        Err(problem) => {
            let mend = syntax_mend(&problem.message);
            return refused(vec![PolicyRefusal {
                line: problem.line,
                reason: problem.message,
                mend,
            }]);
        }
    };
    if let Err(refusal) = check_version(&document.root, document.yaml) {
        return refused(vec![refusal]);
    }
    let (fields, mut warnings, mut refusals) = decode_policy(&document);
    warnings.sort_by_key(|warning| warning.line);
    // Values of the wrong type would be reported twice if the rest were validated.
    if refusals.is_empty() {
        match validate_policy(fields) {
            Ok(policy) => {
                return LoadedPolicy {
                    outcome: Ok(policy),
                    warnings,
                };
            }
            Err(found) => refusals = found,
        }
    }
    refusals.sort_by_key(|refusal| refusal.line);
    LoadedPolicy {
        outcome: Err(refusals),
        warnings,
    }
}

fn refused(refusals: Vec<PolicyRefusal>) -> LoadedPolicy {
    LoadedPolicy {
        outcome: Err(refusals),
        warnings: Vec::new(),
    }
}

fn syntax_mend(message: &str) -> String {
    let mend = if message.contains("tab") || message.contains("cannot start any token") {
        "indent with spaces, and quote values that begin with a special character such as * or @"
    } else if message.contains("incompatible YAML") {
        "remove the %YAML directive: the apiserver reads YAML 1.1 only"
    } else if message.contains("anchor") || message.contains("aliasing") {
        "write the value out where it is used"
    } else if message.contains("mapping values are not allowed") {
        "check the indentation of this line and the one above, and quote values with `: ` in them"
    } else if message.contains("escape character") {
        "remove the backslash, or use single quotes"
    } else {
        "fix the syntax here or on the line above"
    };
    mend.to_owned()
}

/// The texts of each rule of a document that loads, with their lines.
pub(super) fn rule_texts(bytes: &[u8]) -> Vec<Vec<PlacedText>> {
    let Ok(document) = read_document(bytes) else {
        return Vec::new();
    };
    let (fields, _, _) = decode_policy(&document);
    fields
        .rules
        .into_iter()
        .map(RuleFields::into_texts)
        .collect()
}

/// Go's `encoding/json` finds `apiVersion` and `kind` whatever their case; of several the last
/// counts, and `null` changes nothing. Keys of YAML arrive sorted.
fn version_field(
    root: &DocumentValue,
    yaml: bool,
    name: &str,
) -> Result<Option<(usize, String)>, PolicyRefusal> {
    let DocumentData::Object(members) = &root.data else {
        return Ok(None);
    };
    let mut matching: Vec<_> = members
        .iter()
        .filter(|member| folds_to(&member.name, name))
        .collect();
    if yaml {
        matching.sort_by(|left, right| left.name.cmp(&right.name));
    }
    let mut found = None;
    for member in matching {
        match &member.value.data {
            DocumentData::Text(text) => found = Some((member.value.line, text.clone())),
            DocumentData::Null => {}
            other => {
                return Err(PolicyRefusal {
                    line: member.value.line,
                    reason: format!("{}: expected a string, found {}", member.name, other.kind()),
                    mend: format!("write {name}: {}", usual_value(name)),
                });
            }
        }
    }
    Ok(found)
}

/// Simple case folding to an ASCII name, by which U+017F is an `s` and U+212A a `k`.
fn folds_to(found: &str, name: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    found.chars().map(fold).eq(name.chars().map(fold))
}

fn usual_value(name: &str) -> &'static str {
    match name {
        "kind" => "Policy",
        _ => "audit.k8s.io/v1",
    }
}

/// Whether the document says that it is a policy of a version that the apiserver reads.
fn check_version(root: &DocumentValue, yaml: bool) -> Result<(), PolicyRefusal> {
    if !matches!(root.data, DocumentData::Object(_) | DocumentData::Null) {
        return Err(PolicyRefusal {
            line: root.line,
            reason: format!("the policy: expected an object, found {}", root.data.kind()),
            mend: "begin with apiVersion: audit.k8s.io/v1 and kind: Policy".to_owned(),
        });
    }
    let version = version_field(root, yaml, "apiVersion")?;
    let kind = version_field(root, yaml, "kind")?;
    let mend = "write apiVersion: audit.k8s.io/v1".to_owned();
    let (line, version) = version.unwrap_or((root.line, String::new()));
    let (group, release) = match version.matches('/').count() {
        _ if version == "/" => ("", ""),
        0 => ("", version.as_str()),
        1 => version.split_once('/').unwrap_or_default(),
        _ => {
            let reason = format!("apiVersion: unexpected group and version `{version}`");
            return Err(PolicyRefusal { line, reason, mend });
        }
    };
    let kind_line = kind.as_ref().map_or(root.line, |(line, _)| *line);
    let kind = kind.map_or_else(String::new, |(_, kind)| kind);
    let is_policy = kind.is_empty() || kind == "Policy";
    let reason = match (group, release) {
        ("audit.k8s.io", "v1") if is_policy => return Ok(()),
        ("audit.k8s.io", "v1") => {
            return Err(PolicyRefusal {
                line: kind_line,
                reason: format!("kind: `{kind}` is not an audit policy"),
                mend: "write kind: Policy".to_owned(),
            });
        }
        ("" | "audit.k8s.io", "") if is_policy => {
            "apiVersion: missing (unknown group version field audit.k8s.io/__internal, \
             Kind=Policy in policy)"
                .to_owned()
        }
        _ => format!("apiVersion: the apiserver knows no policy of version `{version}`"),
    };
    Err(PolicyRefusal { line, reason, mend })
}
