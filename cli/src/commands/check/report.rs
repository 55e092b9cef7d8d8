//! What was found, as all forms of the report see it: outcomes, the worst first, and which findings
//! count.

use std::cmp::Reverse;

use auditql_engine::{CheckReport, CheckStatus, Finding, QueryOutcome, ScanReport, Severity};

use super::{
    accepted::{Acceptance, AcceptedFindings},
    gate::Gate,
};

/// Everything that is reported.
pub(super) struct Report<'r> {
    /// In the order in which they were asked.
    pub(super) outcomes: &'r [QueryOutcome],
    pub(super) account: &'r ScanReport,
    accepted: &'r AcceptedFindings,
    /// Are all findings accepted by a file that was just written?
    accepts_all: bool,
    gate: Gate,
}

impl<'r> Report<'r> {
    pub(super) fn new(
        checked: &'r CheckReport,
        accepted: &'r AcceptedFindings,
        account: &'r ScanReport,
        gate: Gate,
    ) -> Self {
        Self {
            outcomes: &checked.outcomes,
            account,
            accepted,
            accepts_all: false,
            gate,
        }
    }

    pub(super) const fn accept_all(&mut self) {
        self.accepts_all = true;
    }

    /// The file of the user's that accepts a finding.
    pub(super) fn acceptance(&self, finding: &Finding) -> Option<&'r Acceptance> {
        self.accepted.of(&finding.fingerprint)
    }

    pub(super) fn is_accepted(&self, finding: &Finding) -> bool {
        self.accepts_all || self.acceptance(finding).is_some()
    }

    /// Findings that a file accepts no longer.
    pub(super) fn expired(&self) -> u64 {
        let findings = self.findings();
        let expired = findings.filter(|finding| self.accepted.has_expired(&finding.fingerprint));
        expired.count() as u64
    }

    /// All that are listed.
    pub(super) fn findings(&self) -> impl Iterator<Item = &'r Finding> {
        self.outcomes.iter().flat_map(|outcome| &outcome.findings)
    }

    /// Outcomes with findings, the worst first.
    pub(super) fn worst_first(&self) -> Vec<&'r QueryOutcome> {
        let mut found: Vec<_> = self.with_status(CheckStatus::Findings).collect();
        found.sort_by_key(|outcome| Reverse(worst(outcome)));
        found
    }

    pub(super) fn with_status(
        &self,
        status: CheckStatus,
    ) -> impl Iterator<Item = &'r QueryOutcome> {
        let outcomes = self.outcomes.iter();
        outcomes.filter(move |outcome| outcome.status == status)
    }

    /// Does a finding make the run fail?
    pub(super) fn fails_for(&self, finding: &Finding) -> bool {
        let is_bad = self
            .gate
            .severity
            .is_some_and(|least| finding.severity >= least);
        is_bad && !self.is_accepted(finding)
    }

    /// Does what a query found make the run fail? Findings that are not listed cannot be accepted.
    pub(super) fn fails_for_query(&self, outcome: &QueryOutcome) -> bool {
        let mut findings = outcome.findings.iter();
        let mut unlisted = outcome.unlisted.keys();
        findings.any(|finding| self.fails_for(finding))
            || unlisted.any(|severity| self.gate.severity.is_some_and(|least| *severity >= least))
    }

    /// Does the run fail?
    pub(super) fn fails(&self) -> bool {
        let is_hidden = |outcome: &QueryOutcome| {
            let is_hidden = matches!(
                outcome.status,
                CheckStatus::NotEvaluable | CheckStatus::Partly
            );
            self.gate.not_evaluable && is_hidden
        };
        let mut outcomes = self.outcomes.iter();
        outcomes.any(|outcome| self.fails_for_query(outcome) || is_hidden(outcome))
    }
}

/// The worst that a query found.
pub(super) fn worst(outcome: &QueryOutcome) -> Severity {
    let listed = outcome.findings.iter().map(|finding| finding.severity);
    let all = listed.chain(outcome.unlisted.keys().copied());
    all.max().unwrap_or(outcome.query.header.severity)
}

/// The reason for an answer with how many requests it is about.
pub(super) fn reason(outcome: &QueryOutcome) -> String {
    if outcome.looked_at == 0 || outcome.status == CheckStatus::Error {
        return outcome.reason.clone();
    }
    let (enough, all) = (outcome.enough, outcome.looked_at);
    let shown = format!(
        "{} of {} requests",
        crate::text::grouped(enough),
        crate::text::grouped(all)
    );
    format!("{shown}; {}", outcome.reason)
}
