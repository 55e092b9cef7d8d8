//! Counted shapes of requests: one entry for equal requests of equal users with equal outcomes.
//!
//! An entry is looked up without copying the request, because a log has many more events than
//! shapes. Not responsible for: what counts as a request (`observed.rs`).

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::Hash;
use std::hash::RandomState;
use std::sync::Arc;

use crate::rbac::event::EventUser;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;
use crate::rbac::request::ObservedRequest;
use crate::request::RequestInfo;

/// Sample `auditID`s of a shape: the earliest.
const MOST_SAMPLES: usize = 3;

/// A borrowed [`AccessRequest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct RequestShape<'s> {
    verb: &'s str,
    namespace: &'s str,
    api_group: &'s str,
    resource: &'s str,
    subresource: &'s str,
    name: &'s str,
    path: Option<&'s str>,
}

impl<'s> RequestShape<'s> {
    fn of(request: &'s AccessRequest) -> Self {
        Self {
            verb: &request.verb,
            namespace: &request.namespace,
            api_group: &request.api_group,
            resource: &request.resource,
            subresource: &request.subresource,
            name: &request.name,
            path: request.path.as_deref(),
        }
    }

    fn of_info(info: &'s RequestInfo<'_>) -> Self {
        let resource = info.resource.as_ref();
        Self {
            verb: &info.verb,
            namespace: resource.map_or("", |one| one.namespace),
            api_group: resource.map_or("", |one| one.api_group),
            resource: resource.map_or("", |one| one.resource),
            subresource: resource.map_or("", |one| one.subresource),
            name: resource.map_or("", |one| &one.name),
            path: resource.is_none().then_some(info.path),
        }
    }
}

/// When, how often, and by which event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting<'s> {
    /// In microseconds since the epoch.
    pub(super) time: i64,
    /// The `auditID`.
    pub(super) audit_id: &'s str,
}

#[derive(Debug, Clone)]
struct ShapeEntry {
    identity: usize,
    request: AccessRequest,
    outcome: AccessOutcome,
    count: u64,
    first: i64,
    last: i64,
    samples: Vec<(i64, String)>,
}

impl ShapeEntry {
    fn sample(&mut self, time: i64, audit_id: &str) {
        let at = self
            .samples
            .partition_point(|(other, id)| (*other, id.as_str()) <= (time, audit_id));
        if at < MOST_SAMPLES {
            self.samples.insert(at, (time, audit_id.to_owned()));
            self.samples.truncate(MOST_SAMPLES);
        }
    }
}

/// Shapes by hash.
#[derive(Debug, Clone, Default)]
pub(super) struct ShapeTable {
    hasher: RandomState,
    identities: Vec<Arc<Identity>>,
    identity_at: HashMap<u64, Vec<usize>>,
    entries: Vec<ShapeEntry>,
    entry_at: HashMap<u64, Vec<usize>>,
}

impl ShapeTable {
    /// The place of a user.
    pub(super) fn identity(&mut self, user: &EventUser<'_>) -> usize {
        let hash = self.hasher.hash_one((user.name, user.groups));
        let known = self.identity_at.entry(hash).or_default();
        let is_same = |at: &&usize| {
            self.identities
                .get(**at)
                .is_some_and(|one| one.name == user.name && one.groups == user.groups)
        };
        if let Some(at) = known.iter().find(is_same) {
            return *at;
        }
        self.identities.push(Arc::new(user.identity()));
        known.push(self.identities.len() - 1);
        self.identities.len() - 1
    }

    /// The place of an owned user.
    pub(super) fn owned_identity(&mut self, identity: &Identity) -> usize {
        let groups: Vec<&str> = identity.groups.iter().map(String::as_str).collect();
        self.identity(&EventUser {
            name: &identity.name,
            groups: &groups,
            ..EventUser::default()
        })
    }

    /// A user by place.
    pub(super) fn user(&self, identity: usize) -> Option<&Arc<Identity>> {
        self.identities.get(identity)
    }

    /// The place of what an event asks for; `count` 0 at first.
    pub(super) fn place(
        &mut self,
        identity: usize,
        info: &RequestInfo<'_>,
        outcome: AccessOutcome,
    ) -> usize {
        self.place_of(identity, RequestShape::of_info(info), outcome, || {
            AccessRequest::from(info)
        })
    }

    /// The place of a request that an event implies.
    pub(super) fn implied_place(
        &mut self,
        identity: usize,
        request: &AccessRequest,
        outcome: AccessOutcome,
    ) -> usize {
        self.place_of(identity, RequestShape::of(request), outcome, || {
            request.clone()
        })
    }

    fn place_of(
        &mut self,
        identity: usize,
        shape: RequestShape<'_>,
        outcome: AccessOutcome,
        owned: impl FnOnce() -> AccessRequest,
    ) -> usize {
        let hash = self.hasher.hash_one((identity, shape, outcome));
        let known = self.entry_at.entry(hash).or_default();
        let is_same = |at: &&usize| {
            self.entries.get(**at).is_some_and(|one| {
                (one.identity, one.outcome) == (identity, outcome)
                    && RequestShape::of(&one.request) == shape
            })
        };
        if let Some(at) = known.iter().find(is_same) {
            return *at;
        }
        self.entries.push(ShapeEntry {
            identity,
            request: owned(),
            outcome,
            count: 0,
            first: i64::MAX,
            last: i64::MIN,
            samples: Vec::new(),
        });
        known.push(self.entries.len() - 1);
        self.entries.len() - 1
    }

    /// The request at a place.
    pub(super) fn request(&self, place: usize) -> Option<&AccessRequest> {
        self.entries.get(place).map(|entry| &entry.request)
    }

    /// Counts one request.
    pub(super) fn count(&mut self, place: usize, sighting: Sighting<'_>) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.count += 1;
            entry.first = entry.first.min(sighting.time);
            entry.last = entry.last.max(sighting.time);
            entry.sample(sighting.time, sighting.audit_id);
        }
    }

    /// Adds the counts of another table.
    pub(super) fn merge(&mut self, other: Self) {
        for theirs in other.entries {
            let Some(user) = other.identities.get(theirs.identity) else {
                continue;
            };
            let identity = self.owned_identity(user);
            let place = self.implied_place(identity, &theirs.request, theirs.outcome);
            if let Some(entry) = self.entries.get_mut(place) {
                entry.count += theirs.count;
                entry.first = entry.first.min(theirs.first);
                entry.last = entry.last.max(theirs.last);
                for (time, audit_id) in &theirs.samples {
                    entry.sample(*time, audit_id);
                }
            }
        }
    }

    /// The number of shapes.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The shapes, by user and request.
    pub(super) fn finish(self) -> Vec<ObservedRequest> {
        let identities = self.identities;
        let mut observed: Vec<ObservedRequest> = self
            .entries
            .into_iter()
            .filter(|entry| entry.count > 0)
            .filter_map(|entry| {
                Some(ObservedRequest {
                    identity: Arc::clone(identities.get(entry.identity)?),
                    request: entry.request,
                    outcome: entry.outcome,
                    count: entry.count,
                    first: entry.first,
                    last: entry.last,
                    samples: entry.samples.into_iter().map(|(_, id)| id).collect(),
                })
            })
            .collect();
        observed.sort_unstable_by(|a, b| {
            (&a.identity, &a.request, a.outcome).cmp(&(&b.identity, &b.request, b.outcome))
        });
        observed
    }
}
