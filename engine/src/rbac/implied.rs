//! Permissions that a request needs besides its own, and that leave no event: what server-side apply
//! creates, what a WebSocket opens, what somebody asks about in an access review.
//!
//! The results are requests like others, to be counted with the event that implies them.

use serde_json::Value;

use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;

/// The create that a patch or update needs when it makes the object, which the apiserver answers
/// with 201. Other than an ordinary create it has the object's name.
pub fn implied_create(request: &AccessRequest, response_code: i64) -> Option<AccessRequest> {
    let creates = matches!(request.verb.as_str(), "patch" | "update") && response_code == 201;
    (creates && request.path.is_none()).then(|| request.with_verb("create"))
}

/// The create that Kubernetes 1.35 and later wants of a WebSocket to exec, attach or portforward,
/// which is a get (`AuthorizePodWebsocketUpgradeCreatePermission`).
pub fn implied_stream(request: &AccessRequest, response_code: i64) -> Option<AccessRequest> {
    let is_stream = request.api_group.is_empty()
        && request.resource == "pods"
        && matches!(
            request.subresource.as_str(),
            "exec" | "attach" | "portforward"
        );
    (is_stream && request.verb == "get" && response_code == 101)
        .then(|| request.with_verb("create"))
}

/// What the body of a SubjectAccessReview or LocalSubjectAccessReview asks, and for whom. A
/// SelfSubjectAccessReview names nobody: then the identity is empty.
pub fn access_review(body: &Value) -> Option<(Identity, AccessRequest)> {
    let kind = body.get("kind")?.as_str()?;
    if !kind.ends_with("SubjectAccessReview") {
        return None;
    }
    let spec = body.get("spec")?;
    let groups = spec.get("groups").and_then(Value::as_array);
    let identity = Identity {
        name: text(spec, "user"),
        groups: groups
            .into_iter()
            .flatten()
            .filter_map(|group| group.as_str().map(str::to_owned))
            .collect(),
    };
    if let Some(attributes) = spec
        .get("resourceAttributes")
        .filter(|value| value.is_object())
    {
        let request = AccessRequest {
            verb: text(attributes, "verb"),
            namespace: text(attributes, "namespace"),
            api_group: text(attributes, "group"),
            resource: text(attributes, "resource"),
            subresource: text(attributes, "subresource"),
            name: text(attributes, "name"),
            path: None,
        };
        return Some((identity, request));
    }
    let attributes = spec.get("nonResourceAttributes")?;
    let request = AccessRequest {
        verb: text(attributes, "verb"),
        path: Some(text(attributes, "path")),
        ..AccessRequest::default()
    };
    Some((identity, request))
}

fn text(object: &Value, name: &str) -> String {
    let text = object.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}
