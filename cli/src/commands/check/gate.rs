//! What makes a run fail: the values of `--fail-on` in, the least severity that does out.

use auditql_engine::Severity;

use crate::args::FailOn;

/// What makes a run fail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate {
    pub(super) severity: Option<Severity>,
    pub(super) not_evaluable: bool,
}

impl Gate {
    pub(super) fn new(fail_on: &[FailOn]) -> Self {
        let severities = fail_on.iter().filter_map(|fail_on| match fail_on {
            FailOn::Severity(severity) => Some(*severity),
            _ => None,
        });
        let not_evaluable = fail_on.contains(&FailOn::NotEvaluable);
        let is_default = fail_on.is_empty() || (not_evaluable && fail_on.len() == 1);
        Self {
            severity: severities
                .min()
                .or_else(|| is_default.then_some(Severity::High)),
            not_evaluable,
        }
    }
}
