//! What came of each query of a check, and of all.

use std::collections::BTreeMap;

use super::finding::Finding;
use crate::access::CoverageStatus;
use crate::access::QueryCoverage;
use crate::query::AuditLevel;
use crate::query::SavedQuery;
use crate::query::Severity;

/// Resources that a rule is shown with.
const MOST_NAMED: usize = 3;

/// What a query answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckStatus {
    /// It found something.
    Findings,
    /// It looked, and found nothing.
    None,
    /// It found nothing, and some of the requests that it looks at do not show what it needs.
    Partly,
    /// None of the requests that it looks at shows what it needs.
    NotEvaluable,
    /// It failed.
    Error,
}

impl CheckStatus {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Findings => "findings",
            Self::None => "none",
            Self::Partly => "partly",
            Self::NotEvaluable => "not evaluable",
            Self::Error => "error",
        }
    }
}

/// What came of one query.
#[derive(Debug, Clone)]
pub struct QueryOutcome {
    /// The query.
    pub query: &'static SavedQuery,
    /// Its answer.
    pub status: CheckStatus,
    /// How many findings there are.
    pub found: u64,
    /// The first of them, in the order of the query.
    pub findings: Vec<Finding>,
    /// How many others there are, by severity.
    pub unlisted: BTreeMap<Severity, u64>,
    /// Requests of the log that the query looks at.
    pub looked_at: u64,
    /// How many of them show what it needs.
    pub enough: u64,
    /// Why it failed, or what it could not see; else empty.
    pub reason: String,
}

/// What came of a check.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// By query, in the order in which they were asked.
    pub outcomes: Vec<QueryOutcome>,
    /// Whether the input was converted first, and the queries asked of that.
    pub spooled: bool,
}

impl QueryOutcome {
    /// Nothing is found yet.
    pub(crate) const fn new(query: &'static SavedQuery) -> Self {
        Self {
            query,
            status: CheckStatus::None,
            found: 0,
            findings: Vec::new(),
            unlisted: BTreeMap::new(),
            looked_at: 0,
            enough: 0,
            reason: String::new(),
        }
    }

    /// The query needs something besides the log, and it is not given.
    pub(crate) fn not_evaluable(query: &'static SavedQuery, reason: String) -> Self {
        Self {
            status: CheckStatus::NotEvaluable,
            reason,
            ..Self::new(query)
        }
    }

    /// The query failed.
    pub(crate) fn failed(query: &'static SavedQuery, reason: String) -> Self {
        Self {
            status: CheckStatus::Error,
            reason,
            ..Self::new(query)
        }
    }

    /// Notes what the log shows of what the query looks at, and so what its answer is worth.
    pub(crate) fn judge(&mut self, coverage: &QueryCoverage) {
        (self.looked_at, self.enough) = (coverage.looked_at, coverage.enough);
        let lacks = match coverage.status {
            CoverageStatus::NotEvaluable => Some(CheckStatus::NotEvaluable),
            CoverageStatus::Partly => Some(CheckStatus::Partly),
            CoverageStatus::Evaluable | CoverageStatus::Unknown => None,
        };
        let is_judged = matches!(self.status, CheckStatus::Error | CheckStatus::NotEvaluable);
        let Some(lacks) = lacks.filter(|_| !is_judged) else {
            return;
        };
        if self.status != CheckStatus::Findings {
            self.status = lacks;
        }
        self.reason.clone_from(&coverage.why);
        if coverage.enough < coverage.looked_at
            && let Some(rule) = mending_rule(self.query)
        {
            self.reason.push_str(&format!("; {rule} would show it"));
        }
    }
}

/// The rule of an audit policy that records what a query needs beyond metadata.
fn mending_rule(query: &SavedQuery) -> Option<String> {
    let needs = query.header.needs.iter();
    let need = needs.max_by_key(|need| need.level)?;
    if need.level == AuditLevel::Metadata {
        return None;
    }
    let names = need.resources.iter().map(|resource| resource.text());
    let mut names: Vec<&str> = names.collect();
    let more = names.len().saturating_sub(MOST_NAMED);
    names.truncate(MOST_NAMED);
    let (verbs, resources) = (need.verbs.join(", "), names.join(", "));
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let level = need.level.name();
    Some(format!(
        "an audit rule `level: {level}` for {verbs} of {resources}{more}"
    ))
}
