//! The policy behind a log, as far as the log shows it: events in, levels by class of requests out.
//!
//! A class that was never seen may be unrecorded or unused; the nearest classes that were seen are
//! evidence, never proof. A policy that would have recorded the same can be written from them. Not
//! responsible for: policies that are given (`class.rs`).

use std::collections::BTreeMap;

use super::class::RequestClass;
use super::facts::EventFacts;
use super::model::{AuditPolicy, GroupResources, PolicyLevel, PolicyRule, PolicyStage};
use super::request::RequestedTarget;

/// Verb, API group, resource with subresource; for other URLs verb, `None` and the path's first
/// segment.
type ClassKey = (String, Option<String>, String);

/// The levels at which the classes of a log's requests are recorded.
#[derive(Debug, Clone, Default)]
pub struct ObservedLevels {
    classes: BTreeMap<ClassKey, ObservedClass>,
}

/// How the requests of a class are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedClass {
    /// The lowest level.
    pub lowest: PolicyLevel,
    /// The highest level.
    pub highest: PolicyLevel,
    /// Events, by [`PolicyStage::ALL`].
    pub events_by_stage: [u64; 4],
}

/// A class with its levels, for listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRow<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The API group; `None` for URLs that are not resources.
    pub api_group: Option<&'a str>,
    /// The resource with its subresource, or the first segment of the path.
    pub resource: &'a str,
    /// The levels.
    pub class: ObservedClass,
}

/// What a log says of a class of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogEvidence {
    /// Such requests are in the log.
    Recorded(ObservedClass),
    /// Not these, but other verbs of the resource: it is recorded for some requests at least.
    ResourceRecorded(ObservedClass),
    /// Not the resource, but others of its API group, or other URLs.
    GroupRecorded(ObservedClass),
    /// Nothing like it: unrecorded or unused.
    NotSeen,
}

impl ObservedClass {
    fn of(event: &EventFacts<'_>) -> Self {
        let mut events_by_stage = [0; 4];
        for (count, stage) in events_by_stage.iter_mut().zip(PolicyStage::ALL) {
            *count = if stage == event.stage {
                event.events
            } else {
                0
            };
        }
        Self {
            lowest: event.level,
            highest: event.level,
            events_by_stage,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.lowest = self.lowest.min(other.lowest);
        self.highest = self.highest.max(other.highest);
        for (count, more) in self.events_by_stage.iter_mut().zip(other.events_by_stage) {
            *count += more;
        }
    }

    /// Events of all stages.
    pub fn events(&self) -> u64 {
        self.events_by_stage.iter().sum()
    }
}

impl ObservedLevels {
    /// Adds events.
    pub fn add(&mut self, event: &EventFacts<'_>) {
        let seen = ObservedClass::of(event);
        let key = key(event.request.verb, event.request.target);
        self.classes
            .entry(key)
            .and_modify(|class| class.merge(&seen))
            .or_insert(seen);
    }

    /// Every class that was seen, by verb, API group and resource.
    pub fn rows(&self) -> impl Iterator<Item = ObservedRow<'_>> {
        self.classes
            .iter()
            .map(|((verb, api_group, resource), class)| ObservedRow {
                verb,
                api_group: api_group.as_deref(),
                resource,
                class: *class,
            })
    }

    /// What the log says of a class.
    pub fn evidence(&self, class: &RequestClass<'_>) -> LogEvidence {
        let wanted = key(class.verb, class.target);
        if let Some(found) = self.classes.get(&wanted) {
            return LogEvidence::Recorded(*found);
        }
        let (_, api_group, resource) = wanted;
        let merged = |fits: &dyn Fn(&ClassKey) -> bool| {
            let mut found: Option<ObservedClass> = None;
            for (_, class) in self.classes.iter().filter(|(key, _)| fits(key)) {
                match &mut found {
                    Some(found) => found.merge(class),
                    None => found = Some(*class),
                }
            }
            found
        };
        if let Some(found) = merged(&|key| key.1 == api_group && key.2 == resource) {
            return LogEvidence::ResourceRecorded(found);
        }
        match merged(&|key| key.1 == api_group) {
            Some(found) => LogEvidence::GroupRecorded(found),
            None => LogEvidence::NotSeen,
        }
    }
}

impl ObservedLevels {
    /// A policy that records at least what the log holds, and no body that it does not hold: the
    /// classes at higher levels by name, all else at level Metadata. Stages that no event has are
    /// omitted.
    pub fn as_policy(&self) -> AuditPolicy {
        // By level, then by API group and resource, the verbs.
        let mut found: BTreeMap<PolicyLevel, BTreeMap<(&str, &str), Vec<&str>>> = BTreeMap::new();
        let mut stages = [0; 4];
        for row in self.rows() {
            for (sum, count) in stages.iter_mut().zip(row.class.events_by_stage) {
                *sum += count;
            }
            if let (Some(api_group), level) = (row.api_group, row.class.lowest)
                && level > PolicyLevel::Metadata
                && !row.resource.is_empty()
            {
                let classes = found.entry(level).or_default();
                let verbs = classes.entry((api_group, row.resource)).or_default();
                verbs.push(row.verb);
            }
        }
        let mut rules = Vec::new();
        for (level, classes) in found {
            // Resources with the same verbs share a rule.
            let mut by_verbs: BTreeMap<Vec<&str>, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
            for ((api_group, resource), verbs) in classes {
                let groups = by_verbs.entry(verbs).or_default();
                let resources = groups.entry(api_group).or_default();
                resources.push(resource.to_owned());
            }
            rules.extend(by_verbs.into_iter().map(|(verbs, groups)| {
                PolicyRule {
                    verbs: verbs.into_iter().map(str::to_owned).collect(),
                    resources: groups
                        .into_iter()
                        .map(|(group, resources)| GroupResources {
                            group: group.to_owned(),
                            resources,
                            resource_names: Vec::new(),
                        })
                        .collect(),
                    ..PolicyRule::at(level)
                }
            }));
        }
        rules.push(PolicyRule::at(PolicyLevel::Metadata));
        let unseen = stages.iter().zip(PolicyStage::ALL);
        AuditPolicy {
            rules,
            omit_stages: unseen
                .filter(|(events, stage)| **events == 0 && *stage != PolicyStage::Panic)
                .map(|(_, stage)| stage)
                .collect(),
            omit_managed_fields: false,
        }
    }
}

fn key(verb: &str, target: RequestedTarget<'_>) -> ClassKey {
    let (api_group, resource) = match target {
        RequestedTarget::Resource {
            api_group,
            resource,
            subresource: "",
            ..
        } => (Some(api_group.to_owned()), resource.to_owned()),
        RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            ..
        } => (
            Some(api_group.to_owned()),
            format!("{resource}/{subresource}"),
        ),
        RequestedTarget::Path(path) => {
            let first = path
                .trim_start_matches('/')
                .split('/')
                .next()
                .unwrap_or_default();
            (None, format!("/{first}"))
        }
    };
    (verb.to_owned(), api_group, resource)
}
