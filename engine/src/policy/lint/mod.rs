//! What the author of a policy should know: a document in, findings by line out.
//!
//! Refusals and what the loader ignores come from `load.rs`, unreachable rules from `reach.rs`; the
//! rest is judged here. Not responsible for: printing, exit codes.

mod further;
mod names;
mod secrets;
#[cfg(test)]
mod tests;
mod volume;

use super::fields::PlacedText;
use super::load::{LoadedPolicy, load_policy, rule_texts};
use super::model::AuditPolicy;
use super::notice::{PolicyWarning, WarningKind};

/// How much a finding matters, from most to least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyConcern {
    /// The apiserver does not start.
    Refused,
    /// The policy does not do what it says, or records secrets.
    Warning,
    /// The policy works; a better one would be cheaper or safer.
    Advice,
}

impl PolicyConcern {
    /// Its name in rows and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Warning => "warning",
            Self::Advice => "advice",
        }
    }
}

/// A finding about a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFinding {
    /// A stable name, such as `unreachable-rule`.
    pub code: &'static str,
    /// How much it matters.
    pub concern: PolicyConcern,
    /// The rule, counted from 1; `None` for the policy as a whole.
    pub rule: Option<usize>,
    /// The line in the document, from 1.
    pub line: usize,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub mend: String,
}

/// A document with all that there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyLint {
    /// The policy as the apiserver loads it.
    pub loaded: LoadedPolicy,
    /// The findings: the most serious first, then by line.
    pub findings: Vec<PolicyFinding>,
}

/// Reads a policy and judges it.
pub fn lint_policy(bytes: &[u8]) -> PolicyLint {
    let loaded = load_policy(bytes);
    let mut findings: Vec<PolicyFinding> = loaded.warnings.iter().map(ignored_field).collect();
    match &loaded.outcome {
        Ok(policy) => {
            findings.extend(policy_findings(policy, rule_texts(bytes)));
            findings.extend(further::further_documents(bytes));
        }
        Err(refusals) => findings.extend(refusals.iter().map(|refusal| PolicyFinding {
            code: "refused",
            concern: PolicyConcern::Refused,
            rule: None,
            line: refusal.line,
            message: refusal.reason.clone(),
            mend: refusal.mend.clone(),
        })),
    }
    findings.sort_by_key(|finding| (finding.concern, finding.line, finding.code));
    PolicyLint { loaded, findings }
}

fn ignored_field(warning: &PolicyWarning) -> PolicyFinding {
    let (code, mend) = match warning.kind {
        WarningKind::UnknownField => (
            "unknown-field",
            "correct or remove the field: without it the rule may match more than it should",
        ),
        WarningKind::RepeatedField => ("repeated-field", "keep one of the two"),
    };
    PolicyFinding {
        code,
        concern: PolicyConcern::Warning,
        rule: None,
        line: warning.line,
        message: warning.message.clone(),
        mend: mend.to_owned(),
    }
}

fn policy_findings(policy: &AuditPolicy, texts: Vec<Vec<PlacedText>>) -> Vec<PolicyFinding> {
    let mut findings = PolicyFindings {
        policy,
        texts,
        list: Vec::new(),
    };
    findings.unreachable();
    findings.names();
    findings.secrets();
    findings.key_concerns();
    findings.volume();
    findings.list
}

/// Findings of a policy while they are collected.
struct PolicyFindings<'a> {
    policy: &'a AuditPolicy,
    /// By rule.
    texts: Vec<Vec<PlacedText>>,
    list: Vec<PolicyFinding>,
}

impl PolicyFindings<'_> {
    fn add(
        &mut self,
        code: &'static str,
        concern: PolicyConcern,
        rule: Option<usize>,
        message: String,
        mend: &str,
    ) {
        let line = rule
            .and_then(|rule| self.policy.rules.get(rule.checked_sub(1)?))
            .map_or(1, |rule| rule.line);
        self.list.push(PolicyFinding {
            code,
            concern,
            rule,
            line,
            message,
            mend: mend.to_owned(),
        });
    }

    /// The line of a text in the conditions of a rule.
    fn line_of(&self, rule: usize, text: &str) -> Option<usize> {
        let texts = self.texts.get(rule.checked_sub(1)?)?;
        let found = texts.iter().find(|placed| placed.text == text)?;
        Some(found.line)
    }

    fn unreachable(&mut self) {
        for found in self.policy.unreachable_rules() {
            let rule = found.rule;
            let message = match found.taken_by.as_slice() {
                [] => format!("rule {rule} matches no request"),
                [taker] => format!("rule {rule} is unreachable: rule {taker} takes its requests"),
                takers => {
                    let takers: Vec<_> = takers.iter().map(ToString::to_string).collect();
                    format!(
                        "rule {rule} is unreachable: rules {} take its requests",
                        takers.join(", ")
                    )
                }
            };
            self.add(
                "unreachable-rule",
                PolicyConcern::Warning,
                Some(rule),
                message,
                "move the rule up, or remove it",
            );
        }
    }
}
