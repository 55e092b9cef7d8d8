//! The policy behind a log, as far as the log shows it: events in, levels by class of requests out.
//!
//! A class that was never seen may be unrecorded or unused; the nearest classes that were seen are
//! evidence, never proof. Not responsible for: policies that are given (`class.rs`).

use std::collections::BTreeMap;

use super::class::RequestClass;
use super::facts::EventFacts;
use super::model::{PolicyLevel, PolicyStage};
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
            *count = u64::from(stage == event.stage);
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
    /// Adds an event.
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
