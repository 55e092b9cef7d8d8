//! Conditions that match nothing: `*` where it is a literal, unknown verbs, misspelt resources,
//! groups of another resource, URLs that are resources.
//!
//! Of custom resources nothing is known, and nothing said. Not responsible for: rules that others
//! make unreachable (`reach.rs`).

use super::{PolicyConcern, PolicyFindings};
use crate::policy::catalogue::{
    FORMER_GROUPS, KNOWN_RESOURCES, RESOURCE_VERBS, is_known_group, known_by_name,
};
use crate::policy::fields::edit_distance;
use crate::policy::model::{GroupResources, PolicyRule};

/// Verbs of requests for other URLs: methods in lower case.
const METHOD_VERBS: &[&str] = &[
    "get", "head", "post", "put", "patch", "delete", "options", "connect", "trace",
];

/// Verbs that RBAC knows and no request has.
const RBAC_VERBS: &[&str] = &[
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
    "attest",
];

impl PolicyFindings<'_> {
    pub(super) fn names(&mut self) {
        for (position, rule) in self.policy.rules.iter().enumerate() {
            let number = position + 1;
            self.literal_stars(number, rule);
            self.verbs(number, rule);
            self.subjects(number, rule);
            self.scopes(number, rule);
            self.nameless(number, rule);
            for url in &rule.non_resource_urls {
                self.url(number, url);
            }
            for entry in &rule.resources {
                for pattern in &entry.resources {
                    self.resource(number, entry, pattern);
                }
            }
        }
    }

    /// A condition that matches nothing, on the line of its text.
    fn no_match(&mut self, rule: usize, text: &str, message: String, mend: &str) {
        self.add(
            "matches-nothing",
            PolicyConcern::Warning,
            Some(rule),
            message,
            mend,
        );
        if let (Some(line), Some(last)) = (self.line_of(rule, text), self.list.last_mut()) {
            last.line = line;
        }
    }

    fn literal_stars(&mut self, number: usize, rule: &PolicyRule) {
        let names: Vec<String> = rule
            .resources
            .iter()
            .flat_map(|entry| entry.resource_names.clone())
            .collect();
        let lists = [
            ("users", &rule.users),
            ("userGroups", &rule.user_groups),
            ("verbs", &rule.verbs),
            ("namespaces", &rule.namespaces),
            ("resourceNames", &names),
        ];
        for (field, values) in lists {
            if let Some(value) = values.iter().find(|value| value.contains('*')) {
                let mend = match value.as_str() {
                    "*" => "remove the field: an empty list is no condition",
                    _ => "list the values: there are no patterns here",
                };
                let message = format!("{field}: {value:?} is taken literally and matches nothing");
                self.no_match(number, value, message, mend);
            }
        }
    }

    fn verbs(&mut self, number: usize, rule: &PolicyRule) {
        let for_resources = !rule.resources.is_empty() || !rule.namespaces.is_empty();
        let for_urls = !rule.non_resource_urls.is_empty();
        for verb in rule.verbs.iter().filter(|verb| !verb.contains('*')) {
            let verb = verb.as_str();
            // `""` is the verb of an unknown method.
            let of_resources = verb.is_empty() || RESOURCE_VERBS.contains(&verb);
            let of_urls = METHOD_VERBS.contains(&verb);
            let fits = match (for_resources, for_urls) {
                (true, _) => of_resources,
                (_, true) => of_urls,
                _ => of_resources || of_urls,
            };
            if fits {
                continue;
            }
            let message = format!("verbs: no request that the rule is for has the verb {verb:?}");
            let lower = verb.to_lowercase();
            let known: &[&str] = match for_urls {
                true => METHOD_VERBS,
                false => RESOURCE_VERBS,
            };
            let mend = match (nearest(&lower, known), lower.as_str()) {
                _ if RBAC_VERBS.contains(&verb) => {
                    "remove it: RBAC checks this verb in other requests, none is sent with it"
                        .to_owned()
                }
                (_, "post") if !for_urls => "write create".to_owned(),
                (_, "put" | "replace" | "edit") if !for_urls => "write update".to_owned(),
                (_, "head") => "write get: HEAD is get or list".to_owned(),
                (_, "list" | "watch") if for_urls => "write get: URLs have HTTP methods".to_owned(),
                (_, "create") if for_urls => "write post: URLs have HTTP methods".to_owned(),
                (_, "update") if for_urls => "write put: URLs have HTTP methods".to_owned(),
                (Some(near), _) => format!("write {near}"),
                (None, _) => format!("choose among {}", known.join(" ").trim()),
            };
            self.no_match(number, verb, message, &mend);
        }
    }

    fn subjects(&mut self, number: usize, rule: &PolicyRule) {
        for user in &rule.users {
            let Some(account) = user.strip_prefix("system:serviceaccount:") else {
                if user.starts_with("system:serviceaccounts") {
                    let message = format!("users: {user:?} is a group, not a user");
                    self.no_match(number, user, message, "move it to userGroups");
                }
                continue;
            };
            let parts: Vec<&str> = account.split(':').collect();
            if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) {
                let message = format!("users: {user:?} is not the name of a service account");
                let mend = "write system:serviceaccount:NAMESPACE:NAME";
                self.no_match(number, user, message, mend);
            }
        }
        for group in &rule.user_groups {
            if group.starts_with("system:serviceaccount:") || group == "system:anonymous" {
                let message = format!("userGroups: {group:?} is a user, not a group");
                self.no_match(number, group, message, "move it to users");
            }
        }
        let nobody = rule.users.is_empty() && rule.user_groups == ["system:unauthenticated"];
        if nobody {
            self.add(
                "failed-authentication",
                PolicyConcern::Advice,
                Some(number),
                "requests that fail authentication have no user and are not matched; \
                 only anonymous ones are"
                    .to_owned(),
                "remove userGroups if failed logins are meant",
            );
        }
    }

    /// Namespaces and resources that exclude each other.
    fn scopes(&mut self, number: usize, rule: &PolicyRule) {
        if rule.namespaces.is_empty() || rule.resources.is_empty() {
            return;
        }
        let in_namespaces = rule
            .namespaces
            .iter()
            .any(|namespace| !namespace.is_empty());
        let entries = &rule.resources;
        let all = |test: fn(&GroupResources, &str) -> bool| {
            entries.iter().all(|entry| {
                !entry.resources.is_empty()
                    && entry.resources.iter().all(|pattern| test(entry, pattern))
            })
        };
        let cluster_scoped = all(|entry, pattern| {
            // `get namespaces/x` has the namespace x.
            pattern != "namespaces" && scope_of(entry, pattern) == Some(false)
        });
        if cluster_scoped && !rule.namespaces.iter().any(String::is_empty) {
            let message = "namespaces: the rule's resources have no namespace".to_owned();
            self.no_match(
                number,
                first(&rule.namespaces),
                message,
                "remove namespaces, or write [\"\"]",
            );
        } else if !in_namespaces && all(|entry, pattern| scope_of(entry, pattern) == Some(true)) {
            self.add(
                "only-across-namespaces",
                PolicyConcern::Advice,
                Some(number),
                "namespaces: [\"\"] leaves only requests across all namespaces for these resources"
                    .to_owned(),
                "remove namespaces if requests inside namespaces are meant",
            );
        }
    }

    /// `resourceNames` with verbs whose URIs name no object.
    fn nameless(&mut self, number: usize, rule: &PolicyRule) {
        let named = |entry: &GroupResources| {
            !entry.resource_names.is_empty()
                && !entry.resource_names.iter().any(String::is_empty)
                // The review of a token is a create below a service account's name.
                && !entry.resources.iter().any(|pattern| pattern.contains(['/', '*']))
        };
        let nameless = |verb: &String| matches!(verb.as_str(), "create" | "deletecollection");
        let all = !rule.verbs.is_empty()
            && rule.verbs.iter().all(nameless)
            && !rule.resources.is_empty()
            && rule.resources.iter().all(named);
        if all {
            let message = "resourceNames: these requests name no object in their URI".to_owned();
            self.no_match(number, first_name(rule), message, "remove resourceNames");
        }
    }

    fn url(&mut self, number: usize, url: &str) {
        let path = url.trim_end_matches('*');
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let is_resource = matches!(parts.as_slice(), ["api", _, _, ..] | ["apis", _, _, _, ..]);
        if is_resource {
            let message = format!("nonResourceURLs: {url:?} is the URL of a resource");
            self.no_match(number, url, message, "write it as resources");
        } else if url.contains('?') {
            let message =
                format!("nonResourceURLs: {url:?} has a query, and only paths are compared");
            self.no_match(number, url, message, "write the path alone");
        } else if url.contains('%') {
            let message =
                format!("nonResourceURLs: {url:?} is encoded, and decoded paths are compared");
            self.no_match(number, url, message, "write the decoded path");
        }
    }

    fn resource(&mut self, number: usize, entry: &GroupResources, pattern: &str) {
        let group = entry.group.as_str();
        let (resource, subresource) = pattern.split_once('/').unwrap_or((pattern, ""));
        if pattern.matches('/').count() > 1 || pattern.ends_with('/') || pattern.is_empty() {
            let message = format!("resources: {pattern:?} is not RESOURCE or RESOURCE/SUBRESOURCE");
            return self.no_match(
                number,
                pattern,
                message,
                "write, for example, pods or pods/log",
            );
        }
        if pattern == "*/*" {
            let message = "resources: \"*/*\" matches no usual request".to_owned();
            return self.no_match(
                number,
                pattern,
                message,
                "write \"*\", which includes subresources",
            );
        }
        let partial = |part: &str| part != "*" && part.contains('*');
        if partial(resource) || partial(subresource) {
            let message = format!("resources: {pattern:?} is taken literally and matches nothing");
            return self.no_match(
                number,
                pattern,
                message,
                "list the resources: only a whole part can be *",
            );
        }
        if resource == "*" {
            let known = KNOWN_RESOURCES
                .iter()
                .any(|known| known.has_subresource(subresource));
            if group != "*" && is_known_group(group) && !subresource.is_empty() && !known {
                let message = format!("resources: no resource has the subresource {subresource:?}");
                self.no_match(number, pattern, message, "correct the subresource");
            }
            return;
        }
        let here = known_by_name(resource).find(|known| group == "*" || known.api_group == group);
        match here {
            Some(known) => {
                let fits = matches!(subresource, "" | "*") || known.has_subresource(subresource);
                if !fits {
                    let message =
                        format!("resources: {resource} has no subresource {subresource:?}");
                    let known: Vec<&str> = known.subresources.split(' ').collect();
                    let mend = match (nearest(subresource, &known), known.join(", ")) {
                        (Some(near), _) => format!("write {resource}/{near}"),
                        (None, known) if known.is_empty() => format!("write {resource}"),
                        (None, known) => format!("choose among {known}"),
                    };
                    self.no_match(number, pattern, message, &mend);
                }
            }
            None => self.unknown_resource(number, group, pattern),
        }
    }

    fn unknown_resource(&mut self, number: usize, group: &str, pattern: &str) {
        let resource = pattern.split('/').next().unwrap_or_default();
        if FORMER_GROUPS.contains(&group) {
            return;
        }
        let elsewhere: Vec<&str> = known_by_name(resource)
            .map(|known| known.api_group)
            .collect();
        if !elsewhere.is_empty() && (is_known_group(group) || group.is_empty()) {
            let message = format!("resources: {resource} is not in the API group {group:?}");
            let mend = format!(
                "write group: {:?}",
                elsewhere.first().copied().unwrap_or_default()
            );
            return self.no_match(number, pattern, message, &mend);
        }
        // In a group that is not of Kubernetes anything may be served, and with `*` too.
        if group == "*" || !is_known_group(group) {
            return;
        }
        let names: Vec<&str> = KNOWN_RESOURCES
            .iter()
            .filter(|known| known.api_group == group)
            .map(|known| known.resource)
            .collect();
        let message = format!("resources: the API group {group:?} has no resource {resource:?}");
        let mend = match nearest(&resource.to_lowercase(), &names) {
            Some(near) => format!("write {near}"),
            None => "write the plural in lower case, as kubectl api-resources lists it".to_owned(),
        };
        self.no_match(number, pattern, message, &mend);
    }
}

fn first(texts: &[String]) -> &str {
    texts.first().map_or("", String::as_str)
}

fn first_name(rule: &PolicyRule) -> &str {
    rule.resources
        .first()
        .map_or("", |entry| first(&entry.resource_names))
}

/// Whether a resource is in namespaces; `None` if that is unknown or differs.
fn scope_of(entry: &GroupResources, pattern: &str) -> Option<bool> {
    let resource = pattern.split('/').next().unwrap_or_default();
    let mut scopes = known_by_name(resource)
        .filter(|known| entry.group == "*" || known.api_group == entry.group)
        .map(|known| known.namespaced);
    let first = scopes.next()?;
    scopes.all(|scope| scope == first).then_some(first)
}

/// The known name that a misspelt one probably means: a plural, or a letter or two away.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let plural = |known: &&&str| {
        **known == format!("{name}s")
            || **known == format!("{name}es")
            || name
                .strip_suffix('y')
                .is_some_and(|stem| **known == format!("{stem}ies"))
    };
    let allowed = if name.len() > 4 { 2 } else { 1 };
    known
        .iter()
        .find(plural)
        .or_else(|| {
            known
                .iter()
                .filter(|known| edit_distance(known, name) <= allowed && !known.is_empty())
                .min_by_key(|known| edit_distance(known, name))
        })
        .copied()
}
