//! Suggestions, their savings, and what they must not hide.

use super::*;

fn facts<'a>(user: &'a str, verb: &'a str, target: RequestedTarget<'a>) -> EventFacts<'a> {
    EventFacts {
        request: RequestAttributes {
            user: Some(user),
            groups: &["system:authenticated"],
            verb,
            target,
        },
        stage: PolicyStage::ResponseComplete,
        level: PolicyLevel::RequestResponse,
        events: 1,
        bytes: EventBytes {
            metadata: 100,
            request_object: 50,
            response_object: 150,
            managed_fields: None,
        },
        refused: false,
    }
}

fn resource<'a>(api_group: &'a str, resource: &'a str) -> RequestedTarget<'a> {
    RequestedTarget::Resource {
        api_group,
        resource,
        subresource: "",
        namespace: "",
        name: "",
    }
}

#[test]
fn savings_are_given_alone_and_after_earlier_ones() {
    let mut search = SuggestionSearch::default();
    let manager = "system:kube-controller-manager";
    let leases = resource("coordination.k8s.io", "leases");
    for _ in 0..10 {
        search.add(&facts(manager, "update", leases));
        search.add(&EventFacts {
            stage: PolicyStage::RequestReceived,
            ..facts(manager, "update", leases)
        });
        search.add(&facts("ann", "get", RequestedTarget::Path("/healthz/ping")));
    }
    assert_eq!(
        search.total(),
        LogVolume {
            events: 30,
            bytes: 9_000
        }
    );
    let found = search.suggestions(0.01);
    let of = |code: &str| {
        found
            .iter()
            .find(|suggestion| suggestion.code == code)
            .unwrap()
    };
    assert_eq!(
        of("omit-lease-renewals").saving,
        LogVolume {
            events: 20,
            bytes: 6_000
        }
    );
    assert_eq!(
        of("omit-request-received").saving,
        LogVolume {
            events: 10,
            bytes: 3_000
        }
    );
    assert_eq!(
        of("omit-request-received").further_saving,
        LogVolume::default()
    );
    assert_eq!(of("omit-health-checks").by_people, 10);
    assert_eq!(found[0].code, "omit-lease-renewals");
    assert_eq!(
        of("omit-lease-renewals").yaml,
        "- level: None\n  users: [\"system:kube-controller-manager\"]\n  verbs: [\"get\", \"update\"]\n  \
         resources:\n  - group: \"coordination.k8s.io\"\n    resources: [\"leases\"]\n"
    );
    assert!(search.suggestions(2.0).is_empty());
}

#[test]
fn people_secrets_and_other_accounts_are_never_hidden() {
    let mut search = SuggestionSearch::default();
    let users = [
        "ann",
        "system:serviceaccount:web:front",
        "system:serviceaccount:kube-system:legacy-admin",
        "system:anonymous",
    ];
    for user in users {
        search.add(&facts(user, "list", resource("", "pods")));
        search.add(&facts(user, "create", resource("", "pods")));
    }
    search.add(&facts(
        "system:kube-scheduler",
        "get",
        resource("", "secrets"),
    ));
    search.add(&facts(
        "system:kube-scheduler",
        "list",
        resource("", "pods"),
    ));
    for suggestion in search.suggestions(0.0) {
        let PolicyChange::AddRule(rule) = &suggestion.change else {
            continue;
        };
        for class in search.classes.keys() {
            let component = class.user.as_deref() == Some("system:kube-scheduler");
            let secret = class
                .resource
                .as_ref()
                .is_some_and(|(_, name, _)| name == "secrets");
            let hidden = class.is_matched_by(rule) && rule.level == PolicyLevel::None;
            assert!(
                !hidden || (component && !secret),
                "{}: {class:?}",
                suggestion.code
            );
        }
    }
}
