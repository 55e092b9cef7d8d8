//! What a policy would have recorded of a log: events in, events and bytes by rule and stage out.
//!
//! A log can only shrink here: events and bodies that it does not hold cannot be added, and are
//! counted instead. Not responsible for: better policies (`suggest.rs`).

use std::collections::BTreeMap;

use super::evaluate::PolicyDecision;
use super::facts::{EventFacts, LogVolume};
use super::model::{AuditPolicy, PolicyLevel, PolicyStage};

/// A policy and what it makes of the events so far.
#[derive(Debug, Clone)]
pub struct PolicySimulation<'p> {
    policy: &'p AuditPolicy,
    rows: BTreeMap<(usize, PolicyStage), SimulatedRow>,
}

/// What a rule makes of the events of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatedRow {
    /// The rule, counted from 1; `None` for events that no rule matches.
    pub rule: Option<usize>,
    /// Its level.
    pub level: PolicyLevel,
    /// The stage.
    pub stage: PolicyStage,
    /// What the log holds.
    pub read: LogVolume,
    /// What the policy would have recorded of it.
    pub recorded: LogVolume,
    /// Events among the recorded whose bodies the policy asks for and the log's level did not
    /// include: their bytes are a lower bound.
    pub bodies_unknown: u64,
}

/// The result of a simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulationReport {
    /// By rule and stage; rules that decided no event have no row, and the rest that no rule
    /// matches comes last.
    pub rows: Vec<SimulatedRow>,
    /// What the log holds.
    pub read: LogVolume,
    /// What the policy would have recorded of it.
    pub recorded: LogVolume,
    /// Rules that decided no event, counted from 1.
    pub unused_rules: Vec<usize>,
    /// Stages that the policy records and the log does not show at all: it may have omitted them.
    pub stages_not_in_log: Vec<PolicyStage>,
    /// Events whose bodies are unknown, over all rows.
    pub bodies_unknown: u64,
}

impl<'p> PolicySimulation<'p> {
    /// A simulation without events.
    pub fn new(policy: &'p AuditPolicy) -> Self {
        Self {
            policy,
            rows: BTreeMap::new(),
        }
    }

    /// Adds events and returns what the policy decides on them.
    pub fn add(&mut self, event: &EventFacts<'_>) -> PolicyDecision {
        let decision = self.policy.decide(&event.request);
        let key = (decision.rule.unwrap_or(usize::MAX), event.stage);
        let row = self.rows.entry(key).or_insert(SimulatedRow {
            rule: decision.rule,
            level: decision.level,
            stage: event.stage,
            read: LogVolume::default(),
            recorded: LogVolume::default(),
            bodies_unknown: 0,
        });
        row.read += event.volume();
        row.recorded += event.recorded(&decision);
        row.bodies_unknown += match event.lacks_bodies(&decision) {
            true => event.events,
            false => 0,
        };
        decision
    }

    /// The sums.
    pub fn report(&self) -> SimulationReport {
        let rows: Vec<SimulatedRow> = self.rows.values().copied().collect();
        let mut read = LogVolume::default();
        let mut recorded = LogVolume::default();
        for row in &rows {
            read += row.read;
            recorded += row.recorded;
        }
        let decided = |rule: &usize| rows.iter().any(|row| row.rule == Some(*rule));
        let shown = |stage: &PolicyStage| rows.iter().any(|row| row.stage == *stage);
        let wanted = |stage: &PolicyStage| {
            let policy = self.policy;
            !policy.omit_stages.contains(stage)
                && policy
                    .rules
                    .iter()
                    .any(|rule| rule.level > PolicyLevel::None && !rule.omit_stages.contains(stage))
        };
        SimulationReport {
            read,
            recorded,
            unused_rules: (1..=self.policy.rules.len())
                .filter(|rule| !decided(rule))
                .collect(),
            // Panics are rare: their absence says nothing.
            stages_not_in_log: PolicyStage::ALL
                .into_iter()
                .filter(|stage| *stage != PolicyStage::Panic && wanted(stage) && !shown(stage))
                .collect(),
            bodies_unknown: rows.iter().map(|row| row.bodies_unknown).sum(),
            rows,
        }
    }
}
