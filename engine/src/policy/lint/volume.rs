//! Traps that make a log large, and requests that no rule records.
//!
//! Not responsible for: what a log really holds (`simulate.rs`, `suggest.rs`).

use super::{PolicyConcern, PolicyFindings};
use crate::policy::class::RequestClass;
use crate::policy::class::RequestSender;
use crate::policy::model::{PolicyLevel, PolicyRule, PolicyStage};
use crate::policy::request::RequestedTarget;

/// Requests that clusters send all the time, and that say little.
const CONSTANT_TRAFFIC: &[(&str, &str, &str, &str, &str)] = &[
    (
        "leases-recorded",
        "update",
        "coordination.k8s.io",
        "leases",
        "leader elections and node heartbeats",
    ),
    (
        "events-recorded",
        "create",
        "",
        "events",
        "what controllers report",
    ),
];

impl PolicyFindings<'_> {
    pub(super) fn volume(&mut self) {
        self.received_stage();
        self.read_responses();
        self.managed_fields();
        self.constant_traffic();
        self.health_checks();
        self.silent_rules();
        self.falls_through();
    }

    fn received_stage(&mut self) {
        let stage = PolicyStage::RequestReceived;
        if self.policy.omit_stages.contains(&stage) {
            return;
        }
        let doubled = |rule: &PolicyRule| {
            rule.level > PolicyLevel::None && !rule.omit_stages.contains(&stage)
        };
        if let Some(rule) = self.policy.rules.iter().position(doubled) {
            self.add(
                "request-received",
                PolicyConcern::Advice,
                Some(rule + 1),
                "requests are recorded twice: at RequestReceived and when they end".to_owned(),
                "add omitStages: [RequestReceived] to the policy",
            );
        }
    }

    fn read_responses(&mut self) {
        for (api_group, resource) in [
            ("", "pods"),
            ("apps", "deployments"),
            ("example.com", "widgets"),
        ] {
            let class = RequestClass::resource("list", api_group, resource, "");
            let full = self
                .policy
                .class_decisions(&class)
                .into_iter()
                .find(|decision| {
                    let rule = decision
                        .rule
                        .and_then(|rule| self.policy.rules.get(rule - 1));
                    decision.level == PolicyLevel::RequestResponse
                        && rule
                            .is_some_and(|rule| rule.users.is_empty() && rule.namespaces.is_empty())
                });
            let Some(rule) = full.and_then(|decision| decision.rule) else {
                continue;
            };
            self.add(
                "read-responses",
                PolicyConcern::Advice,
                Some(rule),
                format!(
                    "rule {rule} records every list in full, as large as the cluster's objects"
                ),
                "put a rule above it that records get, list and watch at level Request or Metadata",
            );
            return;
        }
    }

    fn managed_fields(&mut self) {
        let kept = |rule: &PolicyRule| {
            let omitted = rule
                .omit_managed_fields
                .unwrap_or(self.policy.omit_managed_fields);
            rule.level >= PolicyLevel::Request && !omitted
        };
        if let Some(rule) = self.policy.rules.iter().position(kept) {
            self.add(
                "managed-fields",
                PolicyConcern::Advice,
                Some(rule + 1),
                "bodies are recorded with their managed fields".to_owned(),
                "add omitManagedFields: true to the policy",
            );
        }
    }

    fn constant_traffic(&mut self) {
        for &(code, verb, api_group, resource, what) in CONSTANT_TRAFFIC {
            let class = RequestClass::resource(verb, api_group, resource, "");
            let rest = self.policy.class_decisions(&class).pop();
            if let Some((rule, level)) = rest.and_then(|rest| Some((rest.rule?, rest.level)))
                && level > PolicyLevel::None
            {
                self.add(
                    code,
                    PolicyConcern::Advice,
                    Some(rule),
                    format!("rule {rule} records every {verb} of {resource}: {what}"),
                    "add a rule at level None for the system users that send them",
                );
            }
        }
    }

    fn health_checks(&mut self) {
        for path in ["/healthz", "/livez", "/readyz"] {
            let class = RequestClass {
                verb: "get",
                target: RequestedTarget::Path(path),
                sender: RequestSender::Anyone,
            };
            let rest = self.policy.class_decisions(&class).pop();
            if let Some((rule, level)) = rest.and_then(|rest| Some((rest.rule?, rest.level)))
                && level > PolicyLevel::None
            {
                self.add(
                    "health-checks",
                    PolicyConcern::Advice,
                    Some(rule),
                    format!("rule {rule} records health checks such as {path}"),
                    "add a rule at level None with nonResourceURLs: [/healthz*, /livez*, /readyz*]",
                );
                return;
            }
        }
    }

    /// Rules that record although they say None, or do not although they say more.
    fn silent_rules(&mut self) {
        for (position, rule) in self.policy.rules.iter().enumerate() {
            let mut omitted = [&self.policy.omit_stages[..], &rule.omit_stages].concat();
            omitted.sort_unstable();
            omitted.dedup();
            let number = Some(position + 1);
            if rule.level == PolicyLevel::None {
                continue;
            }
            if omitted.len() == PolicyStage::ALL.len() {
                self.add(
                    "every-stage-omitted",
                    PolicyConcern::Warning,
                    number,
                    format!(
                        "rule {} omits every stage and records nothing",
                        position + 1
                    ),
                    "write level: None, or keep a stage",
                );
            } else if omitted.contains(&PolicyStage::ResponseComplete) {
                self.add(
                    "result-omitted",
                    PolicyConcern::Warning,
                    number,
                    format!(
                        "rule {} omits ResponseComplete: results are not recorded",
                        position + 1
                    ),
                    "remove ResponseComplete from omitStages",
                );
            }
        }
    }

    fn falls_through(&mut self) {
        let unconditional = |rule: &PolicyRule| {
            rule.users.is_empty()
                && rule.user_groups.is_empty()
                && rule.verbs.is_empty()
                && rule.namespaces.is_empty()
                && rule.resources.is_empty()
                && rule.non_resource_urls.is_empty()
        };
        if !self.policy.rules.iter().any(unconditional) {
            let last = self.policy.rules.len();
            self.add(
                "no-last-rule",
                PolicyConcern::Advice,
                Some(last),
                "requests that match no rule are not recorded".to_owned(),
                "end the policy with `- level: Metadata`",
            );
        }
    }
}
