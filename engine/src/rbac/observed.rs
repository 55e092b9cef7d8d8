//! The events of a log → the requests that they show, counted by shape.
//!
//! One request can have several events. It counts once, at the first event that has a decision:
//! that is ResponseStarted for a watch, which may stay open beyond the log. Events may come in any
//! order, but all of a request go to the same collector. Counted with a request is what it implies:
//! the checks of an impersonation, for the one who impersonates; the create of a server-side apply;
//! what a webhook or kubelet asks about others in an access review.
//!
//! Memory grows with the shapes and the open watches, not with the events. Not responsible for:
//! whether RBAC agrees (`judge.rs`).

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;

use serde_json::Value;

use crate::rbac::event::AccessEvent;
use crate::rbac::impersonation::ImpersonationMode;
use crate::rbac::impersonation::impersonation_checks;
use crate::rbac::implied::access_review;
use crate::rbac::implied::implied_create;
use crate::rbac::implied::implied_stream;
use crate::rbac::judge::RecordedDecision;
use crate::rbac::judge::decided_by;
use crate::rbac::request::AccessOutcome;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::ObservedRequest;
use crate::rbac::shape::ShapeTable;
use crate::rbac::shape::Sighting;
use crate::request::RequestUri;

/// Requests of which another stage may come. A log in which watches never end, or never begin, fills
/// this, and is then counted less exactly.
const MOST_OPEN: usize = 1 << 20;

/// Subresources whose requests the apiserver calls long-running, besides watches: they alone have the
/// stage ResponseStarted (`BasicLongRunningRequestCheck` in
/// `k8s.io/apiserver/pkg/server/filters/longrunning.go`, with the values of kube-apiserver).
const LONG_RUNNING: [&str; 5] = ["attach", "exec", "proxy", "log", "portforward"];

/// What the events were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObservedTally {
    /// Requests with a decision.
    pub requests: u64,
    /// Events without one: RequestReceived, failed authentications, refused impersonations.
    pub undecided: u64,
    /// Access reviews about others whose answer the log does not hold.
    pub unanswered_reviews: u64,
    /// Impersonations in a mode that is not known here.
    pub unknown_modes: u64,
}

/// Counts the requests of a log.
#[derive(Debug, Clone, Default)]
pub struct ObservedRequests {
    shapes: ShapeTable,
    tally: ObservedTally,
    hasher: RandomState,
    /// By `auditID` and shape: long-running requests that were counted at one stage, and at which:
    /// more often at ResponseStarted if the number is positive, later if it is negative.
    open: HashMap<u64, i64>,
}

impl ObservedRequests {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event.
    pub fn add(&mut self, event: &AccessEvent<'_>) {
        let (Some(actor), Some(decision)) = (event.actor(), event.decision) else {
            self.tally.undecided += 1;
            self.add_refused_impersonation(event);
            return;
        };
        let uri = RequestUri::new(event.request_uri);
        let info = uri.with_verb(event.verb);
        let identity = self.shapes.identity(&actor);
        let outcome = self.outcome(identity, decision);
        let place = self.shapes.place(identity, &info, outcome);
        if !self.is_first(event, place) {
            return;
        }
        self.tally.requests += 1;
        self.shapes.count(place, sighting(event));
        if event.impersonated.is_none() && !implies_others(event) {
            return;
        }
        let Some(request) = self.shapes.request(place).cloned() else {
            return;
        };
        self.add_impersonation(event, &request);
        if !decision.is_allowed {
            return;
        }
        let implied = [
            implied_create(&request, event.code),
            implied_stream(&request, event.code),
        ];
        for implied in implied.into_iter().flatten() {
            self.count(identity, &implied, outcome, event);
        }
        if let Some((body, is_answered)) = event.access_review(&request) {
            self.add_review(&body, is_answered, event);
        }
    }

    /// Adds what another collector counted, of other requests.
    pub fn merge(&mut self, other: Self) {
        self.shapes.merge(other.shapes);
        self.tally.requests += other.tally.requests;
        self.tally.undecided += other.tally.undecided;
        self.tally.unanswered_reviews += other.tally.unanswered_reviews;
        self.tally.unknown_modes += other.tally.unknown_modes;
    }

    /// What the events were.
    pub const fn tally(&self) -> ObservedTally {
        self.tally
    }

    /// The number of shapes so far.
    pub fn shapes(&self) -> usize {
        self.shapes.len()
    }

    /// The requests, ordered by user and request, whatever the order of the events.
    pub fn finish(self) -> Vec<ObservedRequest> {
        self.shapes.finish()
    }

    /// Whether the request was not counted at another stage.
    fn is_first(&mut self, event: &AccessEvent<'_>, place: usize) -> bool {
        let is_start = event.stage == "ResponseStarted";
        let is_long = self.shapes.request(place).is_some_and(|request| {
            request.verb == "watch" || LONG_RUNNING.contains(&&*request.subresource)
        });
        if !is_start && !is_long {
            return true;
        }
        let key = self.hasher.hash_one((event.audit_id, place));
        if self.open.len() >= MOST_OPEN {
            self.open.clear();
        }
        let open = self.open.entry(key).or_default();
        let is_awaited = if is_start { *open < 0 } else { *open > 0 };
        *open += if is_start { 1 } else { -1 };
        if *open == 0 {
            self.open.remove(&key);
        }
        !is_awaited
    }

    fn outcome(&self, identity: usize, decision: RecordedDecision<'_>) -> AccessOutcome {
        match self.shapes.user(identity) {
            Some(user) => decision.outcome(decided_by(user, decision)),
            None => AccessOutcome::Refused,
        }
    }

    fn count(
        &mut self,
        identity: usize,
        request: &AccessRequest,
        outcome: AccessOutcome,
        event: &AccessEvent<'_>,
    ) {
        let place = self.shapes.implied_place(identity, request, outcome);
        self.shapes.count(place, sighting(event));
    }

    /// The checks behind an `impersonatedUser`: all were allowed, whatever became of the request.
    fn add_impersonation(&mut self, event: &AccessEvent<'_>, request: &AccessRequest) {
        let (Some(user), Some(target)) = (event.user, event.impersonated) else {
            return;
        };
        let Some(mode) = ImpersonationMode::of_constraint(event.impersonation_constraint) else {
            self.tally.unknown_modes += 1;
            return;
        };
        let requestor = self.shapes.identity(&user);
        let allowed = RecordedDecision {
            is_allowed: true,
            reason: None,
        };
        let outcome = self.outcome(requestor, allowed);
        for check in impersonation_checks(mode, &target.impersonation_target(), request) {
            self.count(requestor, &check, outcome, event);
        }
    }

    fn add_refused_impersonation(&mut self, event: &AccessEvent<'_>) {
        if let (Some(user), Some(check)) = (event.user, event.refused_impersonation()) {
            let requestor = self.shapes.identity(&user);
            let refused = AccessOutcome::Refused;
            let place = self.shapes.implied_place(requestor, &check, refused);
            if self.is_first(event, place) {
                self.shapes.count(place, sighting(event));
            }
        }
    }

    fn add_review(&mut self, body: &Value, is_answered: bool, event: &AccessEvent<'_>) {
        let status = body.get("status").filter(|_| is_answered);
        let is_allowed = status.and_then(|status| status.get("allowed")?.as_bool());
        let (Some(is_allowed), Some((user, request))) = (is_allowed, access_review(body)) else {
            self.tally.unanswered_reviews += 1;
            return;
        };
        let reason = status.and_then(|status| status.get("reason")?.as_str());
        let decision = RecordedDecision {
            is_allowed,
            reason: Some(reason.unwrap_or_default()),
        };
        let identity = self.shapes.owned_identity(&user);
        let outcome = self.outcome(identity, decision);
        self.count(identity, &request, outcome, event);
    }
}

/// Whether the event can imply requests besides its own.
fn implies_others(event: &AccessEvent<'_>) -> bool {
    matches!(event.code, 101 | 201)
}

fn sighting<'e>(event: &AccessEvent<'e>) -> Sighting<'e> {
    Sighting {
        time: event.time,
        audit_id: event.audit_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::event::EventUser;

    const ANN: EventUser<'static> = EventUser {
        name: "ann",
        uid: "",
        groups: &["dev"],
        extra: &[],
    };

    fn allowed() -> Option<RecordedDecision<'static>> {
        Some(RecordedDecision {
            is_allowed: true,
            reason: Some(
                "RBAC: allowed by ClusterRoleBinding \"b\" of ClusterRole \"r\" to Group \"dev\"",
            ),
        })
    }

    fn event<'e>(audit_id: &'e str, verb: &'e str, request_uri: &'e str) -> AccessEvent<'e> {
        AccessEvent {
            stage: "ResponseComplete",
            audit_id,
            verb,
            request_uri,
            user: Some(ANN),
            decision: allowed(),
            code: 200,
            time: 10,
            ..AccessEvent::default()
        }
    }

    /// User, verb, resource or path with its name, outcome and count.
    fn told(observed: ObservedRequests) -> Vec<String> {
        let requests = observed.finish().into_iter();
        requests
            .map(|one| {
                let request = &one.request;
                let resource = request.combined_resource();
                let target = request.path.clone().unwrap_or(resource);
                let (user, verb, name) = (&one.identity.name, &request.verb, &request.name);
                format!(
                    "{user} {verb} {target} {name} {:?} {}",
                    one.outcome, one.count
                )
            })
            .collect()
    }

    #[test]
    fn equal_requests_are_one_shape() {
        let mut observed = ObservedRequests::new();
        for (id, time) in [("d", 4), ("c", 3), ("a", 1), ("b", 2)] {
            let list = event(id, "list", "/api/v1/pods?resourceVersion=1");
            observed.add(&AccessEvent { time, ..list });
        }
        observed.add(&event("e", "get", "/version"));
        observed.add(&event(
            "f",
            "list",
            "/api/v1/pods?fieldSelector=metadata.name%3Dx",
        ));
        let mut other = ObservedRequests::new();
        other.add(&event("g", "list", "/api/v1/pods?limit=500"));
        observed.merge(other);
        assert_eq!(observed.shapes(), 3);
        assert_eq!(observed.tally().requests, 7);
        let requests = observed.clone().finish();
        let list = requests.iter().find(|one| one.count == 5).unwrap();
        assert_eq!((list.first, list.last), (1, 10));
        assert_eq!(list.samples, ["a", "b", "c"]);
        assert_eq!(
            told(observed),
            [
                "ann get /version  Allowed 1",
                "ann list pods  Allowed 5",
                "ann list pods x Allowed 1",
            ]
        );
    }

    #[test]
    fn a_request_counts_once() {
        let mut observed = ObservedRequests::new();
        let watch = event("w", "watch", "/api/v1/pods?watch=1");
        let stage = |stage| AccessEvent { stage, ..watch };
        let received = AccessEvent {
            decision: None,
            ..stage("RequestReceived")
        };
        observed.add(&received);
        observed.add(&stage("ResponseStarted"));
        observed.add(&stage("ResponseComplete"));
        // The same ID again, which a client may choose; then a panic, and a watch that stays open.
        observed.add(&stage("ResponseComplete"));
        observed.add(&stage("Panic"));
        observed.add(&AccessEvent {
            audit_id: "open",
            ..stage("ResponseStarted")
        });
        observed.add(&AccessEvent {
            user: None,
            decision: None,
            ..watch
        });
        assert_eq!(
            (observed.tally().requests, observed.tally().undecided),
            (4, 2)
        );
        assert_eq!(told(observed), ["ann watch pods  Allowed 4"]);
    }

    #[test]
    fn outcomes() {
        let decision = |is_allowed, reason| {
            Some(RecordedDecision {
                is_allowed,
                reason: Some(reason),
            })
        };
        let mut observed = ObservedRequests::new();
        let get = event("1", "get", "/api/v1/pods/p");
        let masters = EventUser {
            groups: &["system:masters"],
            ..ANN
        };
        for (user, decision) in [
            (ANN, allowed()),
            (ANN, decision(false, "")),
            (ANN, decision(true, "access granted by IAM permissions.")),
            (masters, decision(true, "")),
        ] {
            observed.add(&AccessEvent {
                user: Some(user),
                decision,
                ..get
            });
        }
        assert_eq!(
            told(observed),
            [
                "ann get pods p Allowed 1",
                "ann get pods p AllowedByOther 1",
                "ann get pods p Refused 1",
                "ann get pods p AllowedByOther 1",
            ]
        );
    }

    #[test]
    fn what_a_request_implies() {
        let mut observed = ObservedRequests::new();
        let apply = event(
            "1",
            "patch",
            "/apis/apps/v1/namespaces/x/deployments/d?fieldManager=m",
        );
        observed.add(&AccessEvent { code: 201, ..apply });
        let exec = event("2", "get", "/api/v1/namespaces/x/pods/p/exec");
        observed.add(&AccessEvent { code: 101, ..exec });
        let body = r#"{"kind":"SubjectAccessReview","spec":{"user":"bob","nonResourceAttributes":{"path":"/m","verb":"get"}},"status":{"allowed":true,"reason":"RBAC: allowed by"}}"#;
        let review = AccessEvent {
            code: 201,
            ..event(
                "3",
                "create",
                "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            )
        };
        observed.add(&AccessEvent {
            response_object: Some(body),
            ..review
        });
        observed.add(&AccessEvent {
            request_object: Some(body),
            ..review
        });
        assert_eq!(observed.tally().unanswered_reviews, 1);
        assert_eq!(
            told(observed),
            [
                "ann create subjectaccessreviews  Allowed 2",
                "ann create pods/exec p Allowed 1",
                "ann create deployments d Allowed 1",
                "ann get pods/exec p Allowed 1",
                "ann patch deployments d Allowed 1",
                "bob get /m  Allowed 1",
            ]
        );
    }

    #[test]
    fn impersonation_is_the_requestors_use() {
        let bob = EventUser {
            name: "bob",
            groups: &["ops", "system:authenticated"],
            ..ANN
        };
        let mut observed = ObservedRequests::new();
        let list = AccessEvent {
            impersonated: Some(bob),
            ..event("1", "list", "/api/v1/pods")
        };
        observed.add(&list);
        observed.add(&AccessEvent {
            impersonation_constraint: Some("impersonate:user-info"),
            ..list
        });
        observed.add(&AccessEvent {
            impersonation_constraint: Some("impersonate:later"),
            ..list
        });
        observed.add(&AccessEvent {
            code: 403,
            decision: None,
            impersonated: None,
            message: r#"users "eve" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at the cluster scope"#,
            ..list
        });
        assert_eq!(observed.tally().unknown_modes, 1);
        assert_eq!(
            told(observed),
            [
                "ann impersonate groups ops Allowed 1",
                "ann impersonate users bob Allowed 1",
                "ann impersonate users eve Refused 1",
                "ann impersonate-on:user-info:list pods  Allowed 1",
                "ann impersonate:user-info groups ops Allowed 1",
                "ann impersonate:user-info users bob Allowed 1",
                "bob list pods  Allowed 3",
            ]
        );
    }
}
