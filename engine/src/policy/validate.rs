//! The apiserver's validation of policies: fields in, the policy or every reason against it out.
//!
//! Follows `ValidatePolicy` of `k8s.io/apiserver/pkg/apis/audit/validation`. Not responsible for:
//! types and unknown fields (`decode.rs`).

use super::decode::{PolicyFields, ResourceFields, RuleFields};
use super::fields::PlacedText;
use super::model::{AuditPolicy, GroupResources, PolicyLevel, PolicyRule, PolicyStage};
use super::notice::PolicyRefusal;

const LEVELS: &str = "None, Metadata, Request, RequestResponse";
const STAGES: &str = "RequestReceived, ResponseStarted, ResponseComplete, Panic";

/// Checks the fields of a policy.
///
/// # Errors
/// Returns every reason for which the apiserver would refuse it.
pub(super) fn validate_policy(fields: PolicyFields) -> Result<AuditPolicy, Vec<PolicyRefusal>> {
    let mut checks = PolicyChecks::default();
    let omit_stages = checks.stages("omitStages", &fields.omit_stages);
    let mut rules = Vec::with_capacity(fields.rules.len());
    let lines = rule_lines(&fields);
    for (index, (rule, line)) in fields.rules.into_iter().zip(lines).enumerate() {
        rules.extend(checks.rule(&format!("rules[{index}]"), rule, line));
    }
    if checks.refusals.is_empty() && rules.is_empty() {
        checks.refuse(
            fields.line,
            "rules: loaded illegal policy with 0 rules".to_owned(),
            "add a rule, such as `- level: Metadata`",
        );
    }
    match checks.refusals.is_empty() {
        true => Ok(AuditPolicy {
            rules,
            omit_stages,
            omit_managed_fields: fields.omit_managed_fields,
        }),
        false => Err(checks.refusals),
    }
}

fn rule_lines(fields: &PolicyFields) -> Vec<usize> {
    fields.rules.iter().map(|rule| rule.line).collect()
}

fn texts(placed: Vec<PlacedText>) -> Vec<String> {
    placed.into_iter().map(|placed| placed.text).collect()
}

#[derive(Default)]
struct PolicyChecks {
    refusals: Vec<PolicyRefusal>,
}

impl PolicyChecks {
    fn refuse(&mut self, line: usize, reason: String, mend: &str) {
        self.refusals.push(PolicyRefusal {
            line,
            reason,
            mend: mend.to_owned(),
        });
    }

    fn rule(&mut self, path: &str, fields: RuleFields, line: usize) -> Option<PolicyRule> {
        let level = self.level(path, &fields.level, line);
        self.urls(path, &fields.non_resource_urls);
        for (index, resource) in fields.resources.iter().enumerate() {
            self.resource(&format!("{path}.resources[{index}]"), resource);
        }
        let omit_stages = self.stages(&format!("{path}.omitStages"), &fields.omit_stages);
        if let Some(url) = fields.non_resource_urls.first()
            && !(fields.resources.is_empty() && fields.namespaces.is_empty())
        {
            self.refuse(
                url.line,
                format!(
                    "{path}.nonResourceURLs: rules cannot apply to both regular resources and \
                     non-resource URLs"
                ),
                "split the rule in two: one with nonResourceURLs, one with resources and namespaces",
            );
        }
        Some(PolicyRule {
            level: level?,
            users: texts(fields.users),
            user_groups: texts(fields.user_groups),
            verbs: texts(fields.verbs),
            resources: fields.resources.into_iter().map(group_resources).collect(),
            namespaces: texts(fields.namespaces),
            non_resource_urls: texts(fields.non_resource_urls),
            omit_stages,
            omit_managed_fields: fields.omit_managed_fields,
            line,
        })
    }

    fn level(&mut self, path: &str, level: &PlacedText, line: usize) -> Option<PolicyLevel> {
        let found = PolicyLevel::from_name(&level.text);
        if found.is_none() && level.text.is_empty() {
            self.refuse(
                level.line.max(line),
                format!("{path}.level: required value"),
                "give the rule a level: None, Metadata, Request or RequestResponse",
            );
        } else if found.is_none() {
            let meant = PolicyLevel::ALL
                .into_iter()
                .find(|known| known.name().eq_ignore_ascii_case(level.text.trim()));
            let mend = match meant {
                Some(meant) => format!("write level: {meant}"),
                None => "choose one of the supported levels".to_owned(),
            };
            let reason = format!(
                "{path}.level: unsupported value {:?}: supported values: {LEVELS}",
                level.text
            );
            self.refuse(level.line, reason, &mend);
        }
        found
    }

    fn urls(&mut self, path: &str, urls: &[PlacedText]) {
        for (index, url) in urls.iter().enumerate() {
            let text = url.text.as_str();
            if text == "*" {
                continue;
            }
            let path = format!("{path}.nonResourceURLs[{index}]: invalid value {text:?}");
            if !text.starts_with('/') {
                self.refuse(
                    url.line,
                    format!("{path}: non-resource URL rules must begin with a '/' character"),
                    "write the path alone, such as /healthz*",
                );
            }
            let mut before_last = text.chars();
            before_last.next_back();
            if before_last.as_str().contains('*') {
                self.refuse(
                    url.line,
                    format!(
                        "{path}: non-resource URL wildcards '*' must be the final character of \
                         the rule"
                    ),
                    "keep one * at the end, or list the paths",
                );
            }
        }
    }

    fn resource(&mut self, path: &str, fields: &ResourceFields) {
        let group = fields.group.text.as_str();
        if !group.is_empty() && group != "*" && !is_dns_subdomain(group) {
            let mend = match group.split_once('/') {
                Some((name, _)) => format!("write the group without its version: {name}"),
                None if group == group.to_lowercase() => {
                    "write the group of the API, such as apps, or \"\" for the core group"
                        .to_owned()
                }
                None => format!("write it in lower case: {}", group.to_lowercase()),
            };
            self.refuse(
                fields.group.line,
                format!(
                    "{path}.group: invalid value {group:?}: a lowercase RFC 1123 subdomain must \
                     consist of lower case alphanumeric characters, '-' or '.', and must start \
                     and end with an alphanumeric character"
                ),
                &mend,
            );
        }
        if let (Some(name), true) = (fields.resource_names.first(), fields.resources.is_empty()) {
            self.refuse(
                name.line,
                format!("{path}.resourceNames: using resourceNames requires at least one resource"),
                "add resources to this entry",
            );
        }
    }

    fn stages(&mut self, path: &str, stages: &[PlacedText]) -> Vec<PolicyStage> {
        let mut found = Vec::with_capacity(stages.len());
        for (index, stage) in stages.iter().enumerate() {
            match PolicyStage::from_name(&stage.text) {
                Some(stage) => found.push(stage),
                None => self.refuse(
                    stage.line,
                    format!(
                        "{path}[{index}]: invalid value {:?}: allowed stages are {STAGES}",
                        stage.text
                    ),
                    "choose one of the allowed stages, or remove the entry",
                ),
            }
        }
        found
    }
}

fn group_resources(fields: ResourceFields) -> GroupResources {
    GroupResources {
        group: fields.group.text,
        resources: texts(fields.resources),
        resource_names: texts(fields.resource_names),
    }
}

/// Whether a text is a DNS subdomain by RFC 1123, as apimachinery checks it.
fn is_dns_subdomain(text: &str) -> bool {
    let is_edge = |b: Option<&u8>| b.is_some_and(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9'));
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        let allowed = |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        is_edge(bytes.first()) && is_edge(bytes.last()) && bytes.iter().all(allowed)
    };
    text.len() <= 253 && text.split('.').all(is_label)
}
