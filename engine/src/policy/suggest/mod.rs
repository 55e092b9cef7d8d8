//! Changes of a policy that would cut noise: a log's events in, changes with their saving and what
//! they hide out.
//!
//! Events are summed by class first, so a log of any length takes little memory. A change is
//! suggested where it saves a share of the log; it never hides writes by people, secrets, RBAC or
//! sessions in containers. Not responsible for: which policy is in force (`simulate.rs`).

mod amend;
mod candidates;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::facts::{EventBytes, EventFacts, LogVolume};
use super::model::{PolicyLevel, PolicyRule, PolicyStage};
use super::request::{RequestAttributes, RequestedTarget};

/// A person's name in a class: people are not told apart.
const PERSON: &str = "\u{1}person";
/// Nodes are told by their group.
const NODE: &str = "system:node";

/// A change of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyChange {
    /// A stage that is recorded for no request.
    OmitStage(PolicyStage),
    /// Bodies without managed fields.
    OmitManagedFields,
    /// A rule, to stand above the first rule that records the same requests.
    AddRule(PolicyRule),
}

/// A change and its consequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySuggestion {
    /// A stable name, such as `omit-request-received`.
    pub code: &'static str,
    /// The change.
    pub change: PolicyChange,
    /// The same as YAML, to be pasted into a policy.
    pub yaml: String,
    /// What it saves by itself.
    pub saving: LogVolume,
    /// What it saves after the suggestions before it.
    pub further_saving: LogVolume,
    /// What becomes invisible.
    pub invisible: String,
    /// Refused requests among the events that are lost or shortened.
    pub refused: u64,
    /// Events of people (not of nodes, service accounts or system users) among them.
    pub by_people: u64,
}

/// What a class of events consists of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct ClassOfEvents {
    user: Option<String>,
    groups: Vec<&'static str>,
    verb: String,
    /// API group, resource and subresource; `None` for other URLs.
    resource: Option<(String, String, String)>,
    /// The path of other URLs.
    path: String,
    stage: PolicyStage,
}

#[derive(Debug, Clone, Copy, Default)]
struct ClassSum {
    events: u64,
    /// By level as recorded, as in [`PolicyLevel::ALL`].
    by_level: [u64; 4],
    refused: u64,
    bytes: EventBytes,
}

/// Sums a log's events for suggestions.
#[derive(Debug, Clone, Default)]
pub struct SuggestionSearch {
    classes: BTreeMap<ClassOfEvents, ClassSum>,
}

impl SuggestionSearch {
    /// Adds events.
    pub fn add(&mut self, event: &EventFacts<'_>) {
        let sum = self.classes.entry(class_of(event)).or_default();
        sum.events += event.events;
        for (count, level) in sum.by_level.iter_mut().zip(PolicyLevel::ALL) {
            *count += if level == event.level {
                event.events
            } else {
                0
            };
        }
        sum.refused += if event.refused { event.events } else { 0 };
        let (request, response) = event.bytes.managed_fields.unwrap_or_default();
        let (sum_request, sum_response) = sum.bytes.managed_fields.unwrap_or_default();
        sum.bytes = EventBytes {
            metadata: sum.bytes.metadata + event.bytes.metadata,
            request_object: sum.bytes.request_object + event.bytes.request_object,
            response_object: sum.bytes.response_object + event.bytes.response_object,
            managed_fields: Some((sum_request + request, sum_response + response)),
        };
    }

    /// What the log holds.
    pub fn total(&self) -> LogVolume {
        let mut total = LogVolume::default();
        for sum in self.classes.values() {
            total += KeptPart::all(sum).volume(sum);
        }
        total
    }

    /// The changes that save at least a share of the log's bytes or events, from 0 to 1; the
    /// greatest saving first.
    pub fn suggestions(&self, least_share: f64) -> Vec<PolicySuggestion> {
        let total = self.total();
        let mut found: Vec<PolicySuggestion> = self
            .candidates()
            .into_iter()
            .map(|candidate| self.weigh(candidate))
            .filter(|suggestion| {
                share(suggestion.saving.bytes, total.bytes) >= least_share.max(f64::MIN_POSITIVE)
                    || share(suggestion.saving.events, total.events)
                        >= least_share.max(f64::MIN_POSITIVE)
            })
            .collect();
        found.sort_by(|left, right| {
            (right.saving.bytes, left.code).cmp(&(left.saving.bytes, right.code))
        });
        let mut remaining: Vec<KeptPart> = self.classes.values().map(KeptPart::all).collect();
        for suggestion in &mut found {
            let mut further = LogVolume::default();
            for ((class, sum), left) in self.classes.iter().zip(&mut remaining) {
                let before = left.volume(sum);
                left.apply(&suggestion.change, class);
                further += before.less(left.volume(sum));
            }
            suggestion.further_saving = further;
        }
        found
    }

    /// The events that a change drops or shortens, by class: an event of each with their number,
    /// and the level that is left of it.
    pub fn affected(
        &self,
        change: &PolicyChange,
        mut visit: impl FnMut(&EventFacts<'_>, PolicyLevel),
    ) {
        for (class, sum) in &self.classes {
            let mut left = KeptPart::all(sum);
            left.apply(change, class);
            for (events, level) in sum.by_level.iter().zip(PolicyLevel::ALL) {
                if *events == 0 || left.level >= level {
                    continue;
                }
                let event = EventFacts {
                    request: class.request(),
                    stage: class.stage,
                    level,
                    events: *events,
                    bytes: EventBytes::default(),
                    refused: false,
                };
                visit(&event, left.level);
            }
        }
    }

    fn weigh(&self, candidate: candidates::Candidate) -> PolicySuggestion {
        let mut saving = LogVolume::default();
        let mut refused = 0;
        let mut by_people = 0;
        for (class, sum) in &self.classes {
            let mut left = KeptPart::all(sum);
            let before = left.volume(sum);
            left.apply(&candidate.change, class);
            let saved = before.less(left.volume(sum));
            if saved == LogVolume::default() {
                continue;
            }
            saving += saved;
            refused += sum.refused;
            by_people += match class.user.as_deref() {
                Some(PERSON) => sum.events,
                _ => 0,
            };
        }
        PolicySuggestion {
            code: candidate.code,
            yaml: candidates::yaml_of(&candidate.change),
            change: candidate.change,
            saving,
            further_saving: saving,
            invisible: candidate.invisible,
            refused,
            by_people,
        }
    }
}

fn share(part: u64, whole: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more precision"
    )]
    let (part, whole) = (part as f64, whole.max(1) as f64);
    part / whole
}

/// What changes leave of a class.
#[derive(Debug, Clone, Copy)]
struct KeptPart {
    level: PolicyLevel,
    managed_fields: bool,
}

impl KeptPart {
    fn all(_: &ClassSum) -> Self {
        Self {
            level: PolicyLevel::RequestResponse,
            managed_fields: true,
        }
    }

    fn volume(&self, sum: &ClassSum) -> LogVolume {
        LogVolume {
            events: match self.level {
                PolicyLevel::None => 0,
                _ => sum.events,
            },
            bytes: sum.bytes.at_level(self.level, !self.managed_fields),
        }
    }

    fn apply(&mut self, change: &PolicyChange, class: &ClassOfEvents) {
        match change {
            PolicyChange::OmitStage(stage) if *stage == class.stage => {
                self.level = PolicyLevel::None;
            }
            PolicyChange::OmitStage(_) => {}
            PolicyChange::OmitManagedFields => self.managed_fields = false,
            PolicyChange::AddRule(rule) if class.is_matched_by(rule) => {
                self.level = self.level.min(rule.level);
            }
            PolicyChange::AddRule(_) => {}
        }
    }
}

impl ClassOfEvents {
    fn is_matched_by(&self, rule: &PolicyRule) -> bool {
        rule.mismatch(&self.request()).is_none()
    }

    /// A request of the class.
    fn request(&self) -> RequestAttributes<'_> {
        let target = match &self.resource {
            Some((api_group, resource, subresource)) => RequestedTarget::Resource {
                api_group,
                resource,
                subresource,
                namespace: "",
                name: "",
            },
            None => RequestedTarget::Path(&self.path),
        };
        RequestAttributes {
            user: self.user.as_deref(),
            groups: &self.groups,
            verb: &self.verb,
            target,
        }
    }
}

fn class_of(event: &EventFacts<'_>) -> ClassOfEvents {
    let request = &event.request;
    let node = request.groups.contains(&"system:nodes");
    let groups = [
        "system:authenticated",
        "system:nodes",
        "system:unauthenticated",
    ];
    let user = request.user.map(|user| match user {
        _ if node => NODE,
        system if system.starts_with("system:") => system,
        _ => PERSON,
    });
    let (resource, path) = match request.target {
        RequestedTarget::Resource {
            api_group,
            resource,
            subresource,
            ..
        } => (
            Some((
                api_group.to_owned(),
                resource.to_owned(),
                subresource.to_owned(),
            )),
            String::new(),
        ),
        RequestedTarget::Path(path) => (None, short_path(path)),
    };
    ClassOfEvents {
        user: user.map(str::to_owned),
        groups: groups
            .into_iter()
            .filter(|group| request.groups.contains(group))
            .collect(),
        verb: request.verb.to_owned(),
        resource,
        path,
        stage: event.stage,
    }
}

/// The first two segments: enough for the suggestions, and few however odd the paths of scanners.
fn short_path(path: &str) -> String {
    let known = [
        "/api", "/apis", "/healthz", "/livez", "/readyz", "/openapi", "/version",
    ];
    let first = path
        .trim_start_matches('/')
        .split('/')
        .next()
        .unwrap_or_default();
    let first = format!("/{first}");
    match known.iter().find(|known| **known == first) {
        Some(known) if *known == path => first,
        Some(known) => format!("{known}/"),
        None => "/\u{1}other".to_owned(),
    }
}
