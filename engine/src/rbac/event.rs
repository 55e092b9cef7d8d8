//! What an audit event tells of access: plain borrowed facts, and from them who asked for what.
//!
//! Not responsible for: decoding events, counting them (`observed.rs`).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::rbac::impersonation::ImpersonationTarget;
use crate::rbac::judge::RecordedDecision;
use crate::rbac::request::AccessRequest;
use crate::rbac::request::Identity;
use crate::request::RequestUri;

/// A user in an event. Absent parts are empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventUser<'e> {
    /// `username`.
    pub name: &'e str,
    /// `uid`.
    pub uid: &'e str,
    /// `groups`.
    pub groups: &'e [&'e str],
    /// `extra`.
    pub extra: &'e [(&'e str, &'e [&'e str])],
}

impl EventUser<'_> {
    /// The user as authorization sees it.
    pub fn identity(&self) -> Identity {
        Identity {
            name: self.name.to_owned(),
            groups: self.owned_groups(),
        }
    }

    /// Whom a client asked to be, if this is an event's `impersonatedUser`.
    pub fn impersonation_target(&self) -> ImpersonationTarget {
        let extra: BTreeMap<String, Vec<String>> = self
            .extra
            .iter()
            .map(|(key, values)| {
                let values = values.iter().map(|value| (*value).to_owned());
                ((*key).to_owned(), values.collect())
            })
            .collect();
        ImpersonationTarget::of_event(self.name, self.uid, &self.owned_groups(), extra)
    }

    fn owned_groups(&self) -> Vec<String> {
        self.groups.iter().map(|one| (*one).to_owned()).collect()
    }
}

/// An event. Absent texts are empty, as is the verb of some requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccessEvent<'e> {
    /// `stage`.
    pub stage: &'e str,
    /// `auditID`.
    pub audit_id: &'e str,
    /// `verb`.
    pub verb: &'e str,
    /// `requestURI`.
    pub request_uri: &'e str,
    /// `user`; `None` if authentication failed.
    pub user: Option<EventUser<'e>>,
    /// `impersonatedUser`.
    pub impersonated: Option<EventUser<'e>>,
    /// `authenticationMetadata.impersonationConstraint`.
    pub impersonation_constraint: Option<&'e str>,
    /// The annotations `authorization.k8s.io/decision` and `reason`.
    pub decision: Option<RecordedDecision<'e>>,
    /// `responseStatus.code`.
    pub code: i64,
    /// `responseStatus.message`, which alone tells of a refused impersonation.
    pub message: &'e str,
    /// `requestObject` as JSON, wanted of access reviews alone.
    pub request_object: Option<&'e str>,
    /// `responseObject` as JSON, wanted of access reviews alone.
    pub response_object: Option<&'e str>,
    /// When the request was received, in microseconds since the epoch.
    pub time: i64,
}

impl<'e> AccessEvent<'e> {
    /// The user whose access is decided: impersonated if present, otherwise authenticated.
    pub fn actor(&self) -> Option<EventUser<'e>> {
        self.impersonated.or(self.user)
    }

    /// What is asked for.
    pub fn request(&self) -> AccessRequest {
        AccessRequest::from(&RequestUri::new(self.request_uri).with_verb(self.verb))
    }

    /// The check that refused an impersonation. Such a request is logged without a decision and
    /// without `impersonatedUser`; the message names the check (`forbiddenMessage` in
    /// `staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go`).
    pub fn refused_impersonation(&self) -> Option<AccessRequest> {
        if self.code != 403 || self.decision.is_some() {
            return None;
        }
        let (head, check) = self.message.split_once("is forbidden: User ")?;
        let (_, check) = go_text(check)?;
        let check = check.strip_prefix(" cannot ")?;
        let (verb, check) = check.split_once(" resource ")?;
        if !verb.starts_with("impersonate") {
            return None;
        }
        let (resource, check) = go_text(check)?;
        let (api_group, check) = go_text(check.strip_prefix(" in API group ")?)?;
        let namespace = match check.strip_prefix(" in the namespace ") {
            Some(namespace) => go_text(namespace)?.0,
            None => String::new(),
        };
        let name = match head.find('"') {
            Some(at) => go_text(head.get(at..)?)?.0,
            None => String::new(),
        };
        let (resource, subresource) = match resource.split_once('/') {
            Some((resource, subresource)) => (resource.to_owned(), subresource.to_owned()),
            None => (resource, String::new()),
        };
        Some(AccessRequest {
            verb: verb.to_owned(),
            namespace,
            api_group,
            resource,
            subresource,
            name,
            path: None,
        })
    }

    /// The answered body of an access review that one user makes about another, and whether the
    /// answer is there: the request alone does not hold it. Reviews about oneself are questions, not
    /// uses.
    pub(super) fn access_review(&self, request: &AccessRequest) -> Option<(Value, bool)> {
        let is_review = request.verb == "create"
            && request.api_group == "authorization.k8s.io"
            && matches!(
                request.resource.as_str(),
                "subjectaccessreviews" | "localsubjectaccessreviews"
            )
            && matches!(self.code, 200 | 201);
        if !is_review {
            return None;
        }
        let parsed = |body: Option<&str>| serde_json::from_str::<Value>(body?).ok();
        match parsed(self.response_object) {
            Some(body) => Some((body, true)),
            None => Some((parsed(self.request_object).unwrap_or_default(), false)),
        }
    }
}

/// A text as Go's `%q` quotes it, and what follows. Escapes that JSON does not have give `None`.
fn go_text(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut is_escaped = false;
    let end = inside.find(|letter| {
        let is_end = letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && !is_escaped;
        is_end
    })?;
    let (literal, rest) = text.split_at_checked(end + 2)?;
    Some((serde_json::from_str(literal).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_impersonation_is_told_by_the_message() {
        let check = |message| {
            let event = AccessEvent {
                code: 403,
                message,
                ..AccessEvent::default()
            };
            event.refused_impersonation().map(|check| {
                let resource = check.combined_resource();
                [
                    check.verb,
                    check.api_group,
                    resource,
                    check.namespace,
                    check.name,
                ]
            })
        };
        for (message, expected) in [
            (
                r#"serviceaccounts "root" is forbidden: User "ann" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "kube-system""#,
                Some(["impersonate", "", "serviceaccounts", "kube-system", "root"]),
            ),
            (
                r#"secrets is forbidden: User "a \"b\"" cannot impersonate-on:user-info:list resource "secrets" in API group "" at the cluster scope"#,
                Some(["impersonate-on:user-info:list", "", "secrets", "", ""]),
            ),
            (
                r#"userextras.authentication.k8s.io "x" is forbidden: User "ann" cannot impersonate resource "userextras/scopes" in API group "authentication.k8s.io" at the cluster scope"#,
                Some([
                    "impersonate",
                    "authentication.k8s.io",
                    "userextras/scopes",
                    "",
                    "x",
                ]),
            ),
            (
                r#"pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "dev""#,
                None,
            ),
            (r#"x "y" is forbidden: User "\a" cannot impersonate"#, None),
            ("", None),
        ] {
            let expected = expected.map(|texts| texts.map(str::to_owned));
            assert_eq!(check(message), expected, "{message}");
        }
    }
}
