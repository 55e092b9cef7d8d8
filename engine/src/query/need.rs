//! What a saved query looks at: an entry of `needs` in its header in, requests by verb and target
//! out.
//!
//! The SQL decides which rows there are; `needs` says which requests a log must hold, at which
//! level, for the rows to mean something. Not responsible for: whether a log or a policy has them
//! (`access/`).

use serde::Deserialize;

use crate::policy::RESOURCE_VERBS;
use crate::policy::served_resources;
use crate::query::level::AuditLevel;
use crate::schema;

/// Requests that a query looks at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueryNeed {
    /// Verbs; empty is all.
    #[serde(default)]
    pub verbs: Vec<String>,
    /// Resources.
    #[serde(default)]
    pub resources: Vec<NeededResource>,
    /// Paths that are not resources; a trailing `*` is a prefix.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Who sends the requests.
    #[serde(default)]
    pub from: NeededSender,
    /// Which of a request's events the rows are made of.
    #[serde(default)]
    pub stage: NeededStage,
    /// The level that these requests must have.
    #[serde(default = "metadata")]
    pub level: AuditLevel,
    /// Columns of `events` without which the rows mean nothing, beside those of every event.
    #[serde(default)]
    pub columns: Vec<String>,
}

/// Who sends the requests, by the authenticated user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NeededSender {
    /// Whoever it is.
    #[default]
    Anyone,
    /// Users whose names do not begin with `system:`.
    People,
    /// Service accounts.
    ServiceAccounts,
    /// `system:anonymous`.
    Anonymous,
    /// Nobody: requests whose authentication failed.
    Nobody,
}

/// Which of a request's events a query is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum NeededStage {
    /// The last one, as in the view `requests`.
    #[default]
    Final,
    /// Whichever there is.
    Any,
}

/// Resources as kubectl names them: `pods`, `pods/exec`, `pods/*` (each subresource),
/// `deployments.apps/scale`, `*.apps` and `*` (with subresources), `*/scale`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct NeededResource {
    text: String,
    /// `None` is any.
    resource: Option<String>,
    /// `None` is any.
    api_group: Option<String>,
    subresource: NeededSubresource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum NeededSubresource {
    /// The resource itself.
    Absent,
    Named(String),
    /// Each subresource.
    Each,
    /// The resource itself and each subresource.
    Any,
}

const fn metadata() -> AuditLevel {
    AuditLevel::Metadata
}

impl TryFrom<String> for NeededResource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (full, subresource) = match text.split_once('/') {
            Some((full, subresource)) => (full, Some(subresource)),
            None => (text.as_str(), None),
        };
        let (resource, api_group) = match full.split_once('.') {
            Some((resource, api_group)) => (resource, Some(api_group)),
            None => (full, None),
        };
        let is_word = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let is_pattern = |part: &str| part == "*" || is_word(part);
        let group_is_right = api_group.is_none_or(|group| group.split('.').all(is_word));
        if !is_pattern(resource) || !subresource.is_none_or(is_pattern) || !group_is_right {
            return Err(format!(
                "`{text}` is not a resource such as `pods`, `pods/exec`, `deployments.apps` or `*`"
            ));
        }
        let any = resource == "*";
        Ok(Self {
            resource: (!any).then(|| resource.to_owned()),
            api_group: match api_group {
                None if any => None,
                group => Some(group.unwrap_or_default().to_owned()),
            },
            subresource: match subresource {
                None if any => NeededSubresource::Any,
                None => NeededSubresource::Absent,
                Some("*") => NeededSubresource::Each,
                Some(name) => NeededSubresource::Named(name.to_owned()),
            },
            text,
        })
    }
}

impl NeededResource {
    /// As it stands in the header.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a resource is meant; the resource itself has the subresource `""`.
    pub fn includes(&self, api_group: &str, resource: &str, subresource: &str) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        same(&self.resource, resource)
            && same(&self.api_group, api_group)
            && match &self.subresource {
                NeededSubresource::Absent => subresource.is_empty(),
                NeededSubresource::Named(name) => name == subresource,
                NeededSubresource::Each => !subresource.is_empty(),
                NeededSubresource::Any => true,
            }
    }

    /// API group, resource and subresource, if the text names one; `None` for patterns.
    pub fn named(&self) -> Option<(&str, &str, &str)> {
        let subresource = match &self.subresource {
            NeededSubresource::Absent => "",
            NeededSubresource::Named(name) => name,
            NeededSubresource::Each | NeededSubresource::Any => return None,
        };
        Some((
            self.api_group.as_deref()?,
            self.resource.as_deref()?,
            subresource,
        ))
    }
}

/// Verbs of requests for paths.
const PATH_VERBS: &[&str] = &["get", "head", "post", "put", "patch", "delete", "options"];
/// Columns of bodies, and the level at which they are recorded.
const BODIES: &[(&str, AuditLevel)] = &[
    ("request_object", AuditLevel::Request),
    ("response_object", AuditLevel::RequestResponse),
];

impl QueryNeed {
    /// Whether requests with this verb are looked at.
    pub fn has_verb(&self, verb: &str) -> bool {
        self.verbs.is_empty() || self.verbs.iter().any(|wanted| wanted == verb)
    }

    /// Whether requests for a resource are looked at.
    pub fn has_resource(&self, api_group: &str, resource: &str, subresource: &str) -> bool {
        let mut resources = self.resources.iter();
        resources.any(|wanted| wanted.includes(api_group, resource, subresource))
    }

    /// Whether requests for a path are looked at.
    pub fn has_path(&self, path: &str) -> bool {
        self.paths
            .iter()
            .any(|wanted| match wanted.strip_suffix('*') {
                Some(prefix) => path.starts_with(prefix),
                None => wanted == path,
            })
    }

    /// What is wrong with the entry, for a query of this level.
    pub(super) fn lint(&self, of_query: AuditLevel) -> Vec<String> {
        let mut found = Vec::new();
        if self.resources.is_empty() && self.paths.is_empty() {
            found.push("`needs` without `resources` and `paths` looks at nothing".to_owned());
        }
        for verb in self.verbs.iter().map(String::as_str) {
            let of_resource = !self.resources.is_empty() && RESOURCE_VERBS.contains(&verb);
            let of_path = !self.paths.is_empty() && PATH_VERBS.contains(&verb);
            if !of_resource && !of_path {
                found.push(format!("`needs`: no such request has the verb `{verb}`"));
            }
        }
        for path in &self.paths {
            if path != "*" && !path.starts_with('/') {
                found.push(format!(
                    "`needs`: the path `{path}` does not begin with `/`"
                ));
            }
        }
        for resource in &self.resources {
            if let Some((group, name, subresource)) = resource.named()
                && !is_plausible(group, name, subresource)
            {
                found.push(format!("`needs`: Kubernetes has no `{}`", resource.text()));
            }
        }
        if self.level > of_query {
            found.push("`needs` asks for a level above that of the query".to_owned());
        }
        let mut events = schema::tables().iter();
        let events = events.find(|table| table.name == "events");
        for column in &self.columns {
            let known = events.is_some_and(|table| {
                let mut columns = table.columns.iter();
                columns.any(|known| known.name == *column)
            });
            let recorded = BODIES.iter().find(|(body, _)| body == column);
            if !known {
                found.push(format!("`needs`: `events` has no column `{column}`"));
            } else if recorded.is_some_and(|(_, level)| self.level < *level) {
                found.push(format!(
                    "`needs`: `{column}` is NULL at {}",
                    self.level.name()
                ));
            }
        }
        found
    }
}

/// Whether a resource can be there: custom resources have groups that Kubernetes does not serve.
fn is_plausible(api_group: &str, resource: &str, subresource: &str) -> bool {
    let former = api_group == "extensions";
    let served = served_resources().any(|(group, ..)| group == api_group);
    former || !served || served_resources().any(|known| known == (api_group, resource, subresource))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(text: &str) -> NeededResource {
        NeededResource::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn resources_as_kubectl_names_them() {
        let cases = [
            ("pods", ("", "pods", ""), true),
            ("pods", ("", "pods", "exec"), false),
            ("pods", ("metrics.k8s.io", "pods", ""), false),
            ("pods/exec", ("", "pods", "exec"), true),
            ("pods/*", ("", "pods", "exec"), true),
            ("pods/*", ("", "pods", ""), false),
            (
                "roles.rbac.authorization.k8s.io",
                ("rbac.authorization.k8s.io", "roles", ""),
                true,
            ),
            ("*.apps", ("apps", "deployments", "scale"), true),
            ("*.apps", ("", "pods", ""), false),
            ("*/scale", ("apps", "deployments", "scale"), true),
            ("*/scale", ("apps", "deployments", ""), false),
            ("*", ("example.com", "widgets", "status"), true),
        ];
        for (text, (group, name, subresource), included) in cases {
            let found = resource(text).includes(group, name, subresource);
            assert_eq!(found, included, "{text}: {group} {name} {subresource}");
        }
        for bad in ["", "/exec", "pods/", "Pods", "pods.", "po*", "pods/a/b"] {
            assert!(NeededResource::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn mistakes_in_needs_are_found() {
        let lint = |text: &str| {
            let need: QueryNeed = toml::from_str(text).unwrap();
            need.lint(AuditLevel::Request)
        };
        assert!(lint("resources = ['secrets']\nverbs = ['get']").is_empty());
        assert!(lint("resources = ['widgets.example.com']").is_empty());
        assert!(
            lint("resources = ['pods']\nlevel = 'Request'\ncolumns = ['request_object']")
                .is_empty()
        );
        for wrong in [
            "verbs = ['get']",
            "resources = ['secret']",
            "resources = ['pods']\nverbs = ['read']",
            "resources = ['pods']\nverbs = ['head']",
            "paths = ['healthz']",
            "resources = ['pods']\ncolumns = ['requestObject']",
            "resources = ['pods']\ncolumns = ['request_object']",
            "resources = ['pods']\nlevel = 'RequestResponse'",
        ] {
            assert!(!lint(wrong).is_empty(), "{wrong}");
        }
    }
}
