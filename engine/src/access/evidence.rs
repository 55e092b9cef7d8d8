//! What events hold of what saved queries look at: facts in, requests by query out, those that are
//! there and those that a policy leaves.
//!
//! Which queries look at a request depends on its verb and target alone, and is found out once for
//! each. Not responsible for: requests that were not recorded (`coverage.rs`).

use std::collections::HashMap;
use std::fmt::Write;

use crate::access::request_kinds::sender_of;
use crate::policy::EventFacts;
use crate::policy::PolicyLevel;
use crate::policy::PolicyStage;
use crate::policy::RequestSender;
use crate::policy::RequestedTarget;
use crate::query::AuditLevel;
use crate::query::NeededStage;
use crate::query::QueryNeed;
use crate::query::SavedQuery;

/// Requests that a saved query looks at.
#[derive(Debug, Clone, Copy)]
pub struct EvidenceShare {
    /// The query.
    pub query: &'static SavedQuery,
    /// Requests in the log.
    pub seen: u64,
    /// Those at the level that the query needs.
    pub had: u64,
    /// Those that are left at that level.
    pub left: u64,
}

/// Counts the requests that each saved query looks at.
#[derive(Debug, Clone)]
pub struct EvidenceTally {
    pub(super) queries: Vec<&'static SavedQuery>,
    needs: Vec<(usize, &'static QueryNeed)>,
    /// By verb and target, the needs that ask for them.
    looked: HashMap<String, Vec<usize>>,
    key: String,
    pub(super) counts: Vec<QueryEvidence>,
}

/// What was counted for a query.
#[derive(Debug, Clone, Default)]
pub(super) struct QueryEvidence {
    pub(super) seen: StageCounts,
    pub(super) had: StageCounts,
    pub(super) left: StageCounts,
    /// The events that are recorded too low, by level.
    pub(super) low: [u64; 4],
    /// Events that have a column that the query needs, by needed column.
    pub(super) columns: Vec<u64>,
}

/// Events of requests: those of the final stage, and where any stage will do all by stage.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct StageCounts {
    last: u64,
    any: [u64; 4],
}

impl StageCounts {
    fn add(&mut self, stage: NeededStage, event: &EventFacts<'_>) {
        match stage {
            NeededStage::Final => self.last += event.events,
            NeededStage::Any => {
                for (count, stage) in self.any.iter_mut().zip(PolicyStage::ALL) {
                    if stage == event.stage {
                        *count += event.events;
                    }
                }
            }
        }
    }

    /// Requests. Where any stage will do, a request has one event at the stage with the most.
    pub(super) fn requests(&self) -> u64 {
        self.last + self.any.iter().max().copied().unwrap_or_default()
    }

    fn less(mut self, lost: &Self) -> Self {
        self.last = self.last.saturating_sub(lost.last);
        for (count, lost) in self.any.iter_mut().zip(lost.any) {
            *count = count.saturating_sub(lost);
        }
        self
    }
}

impl Default for EvidenceTally {
    fn default() -> Self {
        Self::of(SavedQuery::library().iter().collect())
    }
}

impl EvidenceTally {
    /// Of these queries, of which nothing is counted yet.
    pub(super) fn of(queries: Vec<&'static SavedQuery>) -> Self {
        let numbered = queries.iter().enumerate();
        Self {
            needs: numbered
                .flat_map(|(index, query)| {
                    let needs = query.header.needs.iter();
                    needs.map(move |need| (index, need))
                })
                .collect(),
            looked: HashMap::new(),
            key: String::new(),
            counts: vec![QueryEvidence::default(); queries.len()],
            queries,
        }
    }
}

impl EvidenceTally {
    /// Adds events, of which this level is left: [`PolicyLevel::None`] if they are dropped.
    /// `columns` has the number of them with each needed column.
    pub fn add(&mut self, event: &EventFacts<'_>, left: PolicyLevel, columns: &[u64]) {
        let last = is_final(event);
        self.write_key(event);
        if !self.looked.contains_key(&self.key) {
            let found = self.looking(event);
            self.looked.insert(self.key.clone(), found);
        }
        let Some(looking) = self.looked.get(&self.key) else {
            return;
        };
        for &at in looking {
            let (query, need) = self.needs[at];
            let of_sender = sender_of(need.from).includes(event.request.user);
            if !of_sender || (need.stage == NeededStage::Final && !last) {
                continue;
            }
            let wanted = policy_level(need.level);
            let count = &mut self.counts[query];
            count.seen.add(need.stage, event);
            if event.level >= wanted {
                count.had.add(need.stage, event);
            }
            if left >= wanted {
                count.left.add(need.stage, event);
            } else {
                for (low, level) in count.low.iter_mut().zip(PolicyLevel::ALL) {
                    *low += if level == left { event.events } else { 0 };
                }
            }
            count
                .columns
                .resize(columns.len().max(count.columns.len()), 0);
            for (sum, column) in count.columns.iter_mut().zip(columns) {
                *sum += column;
            }
        }
    }

    /// What each query has, in their order: of the library, unless others were given.
    pub fn shares(&self) -> Vec<EvidenceShare> {
        let counts = self.counts.iter().zip(self.queries.iter().copied());
        let share = |(count, query): (&QueryEvidence, &'static SavedQuery)| EvidenceShare {
            query,
            seen: count.seen.requests(),
            had: count.had.requests(),
            left: count.left.requests(),
        };
        counts.map(share).collect()
    }

    /// What would be left of these events to each query if the change happened whose events are
    /// counted in `lost`; only queries that lose something.
    pub fn shares_without(&self, lost: &Self) -> Vec<EvidenceShare> {
        let counts = self.counts.iter().zip(&lost.counts);
        let shares = counts
            .zip(self.queries.iter().copied())
            .map(|((all, lost), query)| {
                let gone = lost.had.less(&lost.left);
                EvidenceShare {
                    query,
                    seen: all.seen.requests(),
                    had: all.had.requests(),
                    left: all.had.less(&gone).requests(),
                }
            });
        shares.filter(|share| share.left < share.had).collect()
    }

    /// The needs that ask for requests like this one, of whatever sender.
    fn looking(&self, event: &EventFacts<'_>) -> Vec<usize> {
        let request = &event.request;
        let asks = |need: &QueryNeed| {
            need.has_verb(request.verb)
                && match request.target {
                    RequestedTarget::Resource {
                        api_group,
                        resource,
                        subresource,
                        ..
                    } => need.has_resource(api_group, resource, subresource),
                    RequestedTarget::Path(path) => need.has_path(path),
                }
        };
        let needs = self.needs.iter().enumerate();
        let asking = needs.filter(|(_, (_, need))| asks(need));
        asking.map(|(index, _)| index).collect()
    }

    fn write_key(&mut self, event: &EventFacts<'_>) {
        self.key.clear();
        let verb = event.request.verb;
        let _ = match event.request.target {
            RequestedTarget::Resource {
                api_group,
                resource,
                subresource,
                ..
            } => write!(self.key, "{verb}\0{api_group}\0{resource}\0{subresource}"),
            RequestedTarget::Path(path) => write!(self.key, "{verb}\0{path}"),
        };
    }
}

/// Whether an event is the last of its request, as in the view `requests`.
fn is_final(event: &EventFacts<'_>) -> bool {
    match event.stage {
        PolicyStage::ResponseComplete | PolicyStage::Panic => true,
        PolicyStage::ResponseStarted => event.request.user.is_none(),
        PolicyStage::RequestReceived => false,
    }
}

/// The stages of which one must be recorded for an entry of `needs`.
pub(super) fn needed_stages(need: &QueryNeed) -> &'static [PolicyStage] {
    match (need.stage, sender_of(need.from)) {
        // The only event of a request whose authentication failed.
        (_, RequestSender::Nobody) => &[PolicyStage::ResponseStarted],
        (NeededStage::Any, _) => &[
            PolicyStage::RequestReceived,
            PolicyStage::ResponseStarted,
            PolicyStage::ResponseComplete,
        ],
        (NeededStage::Final, _) => &[PolicyStage::ResponseComplete],
    }
}

/// The level of a query in the terms of a policy.
pub(super) const fn policy_level(level: AuditLevel) -> PolicyLevel {
    match level {
        AuditLevel::Metadata => PolicyLevel::Metadata,
        AuditLevel::Request => PolicyLevel::Request,
        AuditLevel::RequestResponse => PolicyLevel::RequestResponse,
    }
}
