//! Whether a rule allows a request: `RuleAllows` of `plugin/pkg/auth/authorizer/rbac/rbac.go` and the
//! helpers of `pkg/apis/rbac/v1/evaluation_helpers.go`, to the letter.
//!
//! Only `*` and `*/SUB` are patterns of resources; only trailing stars are patterns of paths; there
//! are none in names.

use crate::rbac::objects::RbacRule;
use crate::rbac::request::AccessRequest;

impl RbacRule {
    /// Whether the rule allows the request, wherever it is bound.
    pub fn allows(&self, request: &AccessRequest) -> bool {
        if !self.verbs.iter().any(|verb| verb_matches(verb, request)) {
            return false;
        }
        if let Some(path) = &request.path {
            let mut urls = self.non_resource_urls.iter();
            return urls.any(|url| url_matches(url, path));
        }
        self.api_groups
            .iter()
            .any(|group| group_matches(group, request))
            && self
                .resources
                .iter()
                .any(|own| resource_matches(own, request))
            && (self.resource_names.is_empty() || self.resource_names.contains(&request.name))
    }
}

/// `VerbMatches`.
pub(crate) fn verb_matches(verb: &str, request: &AccessRequest) -> bool {
    verb == "*" || verb == request.verb
}

/// `APIGroupMatches`.
pub(crate) fn group_matches(group: &str, request: &AccessRequest) -> bool {
    group == "*" || group == request.api_group
}

/// `ResourceMatches`: `*` covers subresources, `pods` does not; `pods/*` is a literal.
pub(crate) fn resource_matches(own: &str, request: &AccessRequest) -> bool {
    let (resource, subresource) = (request.resource.as_str(), request.subresource.as_str());
    if own == "*" {
        return true;
    }
    if subresource.is_empty() {
        return own == resource;
    }
    let tail = own
        .strip_suffix(subresource)
        .and_then(|own| own.strip_suffix('/'));
    tail.is_some_and(|base| base == "*" || base == resource)
}

/// `NonResourceURLMatches`: all trailing stars are cut.
pub(crate) fn url_matches(url: &str, path: &str) -> bool {
    url == "*" || url == path || (url.ends_with('*') && path.starts_with(url.trim_end_matches('*')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(verb: &str, target: &str) -> AccessRequest {
        let mut request = AccessRequest {
            verb: verb.to_owned(),
            ..AccessRequest::default()
        };
        if target.starts_with('/') {
            request.path = Some(target.to_owned());
            return request;
        }
        // group:resource/subresource@name
        let (target, name) = target.split_once('@').unwrap_or((target, ""));
        let (group, target) = target.split_once(':').unwrap_or(("", target));
        let (resource, subresource) = target.split_once('/').unwrap_or((target, ""));
        (request.api_group, request.name) = (group.to_owned(), name.to_owned());
        request.resource = resource.to_owned();
        request.subresource = subresource.to_owned();
        request
    }

    /// `verbs|groups|resources|names|urls`, each separated by commas; `-` is an empty list.
    fn rule(text: &str) -> RbacRule {
        let list = |at: usize| match text.split('|').nth(at) {
            None | Some("-") => Vec::new(),
            Some(part) => part.split(',').map(str::to_owned).collect(),
        };
        RbacRule {
            verbs: list(0),
            api_groups: list(1),
            resources: list(2),
            resource_names: list(3),
            non_resource_urls: list(4),
        }
    }

    #[test]
    fn to_the_letter() {
        for (text, verb, target, expected) in [
            ("get||pods|-", "get", "pods@a", true),
            ("get||pods|-", "list", "pods", false),
            ("get||pods|-", "get", "pods/log@a", false),
            ("get||pods/log|-", "get", "pods/log@a", true),
            ("get||*|-", "get", "pods/log@a", true),
            ("*|*|*|-", "", "apps:x/y@z", true),
            ("|*|*|-", "", "pods@z", true),
            ("get||pods/*|-", "get", "pods/log@a", false),
            ("get||pods/*|-", "get", "pods/*@a", true),
            ("get||*/*|-", "get", "pods/log@a", false),
            ("get||*/log|-", "get", "pods/log@a", true),
            ("get||*/log|-", "get", "pods@a", false),
            ("get||*/og|-", "get", "pods/log@a", false),
            ("get||pod*|-", "get", "pods@a", false),
            ("get||pods/|-", "get", "pods@a", false),
            ("get|-|pods|-", "get", "pods@a", false),
            ("get|*|pods|-", "get", "apps:pods@a", true),
            ("get||pods|a", "get", "pods@a", true),
            ("get||pods|a", "get", "pods@b", false),
            ("get||pods|*", "get", "pods@b", false),
            ("list||pods|a", "list", "pods", false),
            ("list||pods|a", "list", "pods@a", true),
            ("create||pods|,a", "create", "pods", true),
            ("get|-|-|-|/healthz", "get", "/healthz", true),
            ("get|-|-|-|/healthz", "get", "/healthz/", false),
            ("get|-|-|-|/healthz*", "get", "/healthzfoo", true),
            (
                "get|-|-|-|/debug/pprof/**",
                "get",
                "/debug/pprof/heap",
                true,
            ),
            ("get|-|-|-|/a*b", "get", "/axb", false),
            ("get|-|-|-|/a*b", "get", "/a*b", true),
            ("get|-|-|-|*", "get", "/any", true),
            ("get|*|*|-", "get", "/any", false),
        ] {
            let allows = rule(text).allows(&request(verb, target));
            assert_eq!(allows, expected, "{text} {verb} {target}");
        }
    }
}
