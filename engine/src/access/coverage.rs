//! Which saved queries can be asked: of a policy by the kinds of requests that it records, of a log
//! by the requests that it holds, of both by what the policy makes of these requests.
//!
//! A log alone cannot tell requests that were never made from those that were not recorded: such
//! queries are `unknown`. Not responsible for: reading either, layout.

use std::collections::BTreeMap;

use crate::access::evidence::EvidenceTally;
use crate::access::evidence::QueryEvidence;
use crate::access::evidence::needed_stages;
use crate::access::evidence::policy_level;
use crate::access::policy::needed_columns;
use crate::access::request_kinds::request_kinds;
use crate::policy::AuditPolicy;
use crate::policy::ClassDecision;
use crate::policy::EventFacts;
use crate::policy::LogEvidence;
use crate::policy::ObservedLevels;
use crate::policy::PolicyLevel;
use crate::policy::RequestClass;
use crate::policy::RequestedTarget;
use crate::query::QueryNeed;
use crate::query::SavedQuery;

/// Whether a saved query can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoverageStatus {
    /// All requests that it looks at are recorded as it needs them.
    Evaluable,
    /// Some are.
    Partly,
    /// None is.
    NotEvaluable,
    /// The log has no such request: there was none, or it is not recorded.
    Unknown,
}

impl CoverageStatus {
    /// Every status, the best first.
    pub const ALL: [Self; 4] = [
        Self::Evaluable,
        Self::Partly,
        Self::NotEvaluable,
        Self::Unknown,
    ];

    /// Its name in rows and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evaluable => "evaluable",
            Self::Partly => "partly evaluable",
            Self::NotEvaluable => "not evaluable",
            Self::Unknown => "unknown",
        }
    }
}

/// What the coverage of a query counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoverageUnit {
    /// Requests of a log.
    Requests,
    /// Kinds of requests: a verb with a resource or path.
    Kinds,
}

impl CoverageUnit {
    /// Its name in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Kinds => "kinds of requests",
        }
    }
}

/// Whether a saved query can be asked, and why not.
#[derive(Debug, Clone)]
pub struct QueryCoverage {
    /// The query.
    pub query: &'static SavedQuery,
    /// The answer.
    pub status: CoverageStatus,
    /// How many of them are recorded as the query needs them.
    pub enough: u64,
    /// Requests, or kinds of requests, that the query looks at.
    pub looked_at: u64,
    /// What is counted.
    pub unit: CoverageUnit,
    /// Why the answer is not [`CoverageStatus::Evaluable`]; else empty.
    pub why: String,
}

/// The coverage of each saved query by a policy, in the order of the library.
pub fn policy_coverage(policy: &AuditPolicy) -> Vec<QueryCoverage> {
    let library = SavedQuery::library().iter();
    library.map(|query| by_policy(policy, query)).collect()
}

fn by_policy(policy: &AuditPolicy, query: &'static SavedQuery) -> QueryCoverage {
    let (mut looked_at, mut enough, mut some) = (0, 0, 0);
    let mut gaps = PolicyGaps::default();
    for need in &query.header.needs {
        for kind in request_kinds(need) {
            let decisions = policy.class_decisions(&kind);
            let fits = |decision: &&ClassDecision| lack(policy, need, decision).is_none();
            let fitting = decisions.iter().filter(fits).count();
            looked_at += 1;
            enough += u64::from(fitting == decisions.len());
            some += u64::from(fitting > 0);
            for decision in &decisions {
                if let Some(lack) = lack(policy, need, decision) {
                    let lacking = gaps.entry((decision.rule, lack)).or_default();
                    lacking.push(kind_name(&kind));
                }
            }
        }
    }
    let status = match (enough, some) {
        (_, 0) => CoverageStatus::NotEvaluable,
        (enough, _) if enough == looked_at => CoverageStatus::Evaluable,
        _ => CoverageStatus::Partly,
    };
    QueryCoverage {
        query,
        status,
        enough,
        looked_at,
        unit: CoverageUnit::Kinds,
        why: reason(policy, &gaps),
    }
}

/// What is lacking, by rule.
type PolicyGaps = BTreeMap<(Option<usize>, PolicyLack), Vec<String>>;

/// Why a rule does not give a query what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum PolicyLack {
    NotRecorded,
    /// Its level, and the level that the query needs.
    OnlyAt(PolicyLevel, PolicyLevel),
    StageOmitted,
}

fn lack(policy: &AuditPolicy, need: &QueryNeed, decision: &ClassDecision) -> Option<PolicyLack> {
    if decision.level == PolicyLevel::None {
        return Some(PolicyLack::NotRecorded);
    }
    let needed = policy_level(need.level);
    if decision.level < needed {
        return Some(PolicyLack::OnlyAt(decision.level, needed));
    }
    let decided = policy.decision_by(decision.rule);
    let mut stages = needed_stages(need).iter();
    (!stages.any(|stage| decided.records(*stage))).then_some(PolicyLack::StageOmitted)
}

/// The gap with the most kinds of requests in words, and how many others there are.
fn reason(policy: &AuditPolicy, gaps: &PolicyGaps) -> String {
    let most = gaps.iter().max_by_key(|(_, kinds)| kinds.len());
    let Some(((rule, lack), kinds)) = most else {
        return String::new();
    };
    let which = match rule.and_then(|rule| Some((rule, policy.rules.get(rule - 1)?.line))) {
        Some((rule, 0)) => format!("rule {rule}"),
        Some((rule, line)) => format!("rule {rule} (line {line})"),
        None => "no rule".to_owned(),
    };
    let kinds = some_of(kinds);
    let first = match (lack, rule) {
        (PolicyLack::NotRecorded, None) => format!("no rule matches every {kinds}"),
        (PolicyLack::NotRecorded, _) => format!("{which} does not record {kinds}"),
        (PolicyLack::OnlyAt(level, needed), _) => {
            format!("{which} records {kinds} at {level}, the query needs {needed}")
        }
        (PolicyLack::StageOmitted, _) => {
            format!("{which} omits the stage that shows the result of {kinds}")
        }
    };
    match gaps.len() - 1 {
        0 => first,
        1 => format!("{first}; another rule leaves out more"),
        others => format!("{first}; {others} other rules leave out more"),
    }
}

/// The first three, and how many more there are.
fn some_of(names: &[String]) -> String {
    let mut shown = names.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 3 {
        shown.push_str(&format!(" and {} more", names.len() - 3));
    }
    shown
}

fn kind_name(kind: &RequestClass<'_>) -> String {
    let verb = kind.verb;
    match kind.target {
        RequestedTarget::Path(path) => format!("{verb} {path}"),
        RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            ..
        } => {
            let group = if api_group.is_empty() { "" } else { "." };
            let slash = if subresource.is_empty() { "" } else { "/" };
            format!("{verb} {resource}{group}{api_group}{slash}{subresource}")
        }
    }
}

/// Collects the coverage of each saved query by a log, or by a policy of the requests of a log.
#[derive(Debug, Clone, Default)]
pub struct LogCoverage {
    tally: EvidenceTally,
    observed: ObservedLevels,
}

impl LogCoverage {
    /// Of these queries, in place of the library.
    pub fn of(queries: &[&'static SavedQuery]) -> Self {
        Self {
            tally: EvidenceTally::of(queries.to_vec()),
            observed: ObservedLevels::default(),
        }
    }

    /// Adds events at the level that counts: that of the log, or that of a policy,
    /// [`PolicyLevel::None`] for events that it does not record. `columns` has the number of them
    /// with each needed column.
    pub fn add(&mut self, event: &EventFacts<'_>, level: PolicyLevel, columns: &[u64]) {
        self.tally.add(event, level, columns);
        self.observed.add(event);
    }

    /// The levels that the log shows.
    pub const fn observed(&self) -> &ObservedLevels {
        &self.observed
    }

    /// The coverage of each query, in their order. Queries whose requests the log does
    /// not hold are judged by the policy, if there is one.
    pub fn report(&self, policy: Option<&AuditPolicy>) -> Vec<QueryCoverage> {
        let queries = self.tally.queries.iter().copied();
        let queries = queries.zip(&self.tally.counts);
        let judge = |(query, counts): (&'static SavedQuery, &QueryEvidence)| match (
            counts.seen.requests(),
            policy,
        ) {
            (0, Some(policy)) => by_policy(policy, query),
            (0, None) => self.unseen(query),
            _ => by_log(query, counts, policy.is_some()),
        };
        queries.map(judge).collect()
    }

    fn unseen(&self, query: &'static SavedQuery) -> QueryCoverage {
        let needs = query.header.needs.iter();
        let mut kinds = needs.flat_map(request_kinds);
        let related = kinds.find(|kind| match self.observed.evidence(kind) {
            LogEvidence::Recorded(_) | LogEvidence::ResourceRecorded(_) => true,
            LogEvidence::GroupRecorded(_) | LogEvidence::NotSeen => false,
        });
        let mut why = "no such request in the log: none was made, or none is recorded".to_owned();
        if let Some(kind) = related
            && let Some((_, resource)) = kind_name(&kind).split_once(' ')
        {
            why.push_str(&format!("; other requests for {resource} are recorded"));
        }
        QueryCoverage {
            query,
            status: CoverageStatus::Unknown,
            enough: 0,
            looked_at: 0,
            unit: CoverageUnit::Requests,
            why,
        }
    }
}

fn by_log(query: &'static SavedQuery, counts: &QueryEvidence, is_by_policy: bool) -> QueryCoverage {
    let (seen, mut enough) = (counts.seen.requests(), counts.left.requests());
    let mut why = String::new();
    if enough < seen {
        let low = counts.low.iter().zip(PolicyLevel::ALL);
        let low: Vec<String> = low
            .filter(|(events, _)| **events > 0)
            .map(|(events, level)| match (level, is_by_policy) {
                (PolicyLevel::None, _) => format!("{events} would not be recorded"),
                (_, true) => format!("{events} would be recorded at {level}"),
                (_, false) if *events == 1 => format!("1 is recorded at {level}"),
                (_, false) => format!("{events} are recorded at {level}"),
            })
            .collect();
        why = format!(
            "{}; the query needs {}",
            low.join(", "),
            query.header.level.name()
        );
    }
    let needs = query.header.needs.iter();
    let mut needed = needs.flat_map(|need| need.columns.iter());
    let counted = needed_columns();
    let missing = needed.find(|column| {
        let at = counted.iter().position(|counted| counted == column);
        at.is_some_and(|at| counts.columns.get(at).is_none_or(|values| *values == 0))
    });
    if let Some(column) = missing
        && enough > 0
    {
        enough = 0;
        why = format!("`{column}` is NULL in every such event");
    }
    QueryCoverage {
        query,
        status: match enough {
            0 => CoverageStatus::NotEvaluable,
            enough if enough == seen => CoverageStatus::Evaluable,
            _ => CoverageStatus::Partly,
        },
        enough,
        looked_at: seen,
        unit: CoverageUnit::Requests,
        why,
    }
}
