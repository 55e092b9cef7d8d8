//! One request's events, put together as the apiserver would: level, object, status, bodies,
//! annotations.

use std::io;

use super::body::Bodies;
use super::caller::CallerKind;
use super::client::{Client, Clients};
use super::policy::{Level, level};
use super::profile::Profile;
use super::target::Target;
use super::template::Template;

/// A request as a flow describes it; the texts may hold `<fields>`.
#[derive(Clone, Debug, Default)]
pub(super) struct Request<'a> {
    pub(super) client: &'a str,
    pub(super) verb: &'a str,
    pub(super) uri: String,
    pub(super) code: u16,
    /// The name of what it creates.
    pub(super) named: Option<&'a str>,
    /// Names of bodies.
    pub(super) request: Option<String>,
    pub(super) response: Option<String>,
    pub(super) annotations: Option<&'a str>,
    pub(super) message: Option<&'a str>,
    /// A failure without a Status.
    pub(super) bare: bool,
    pub(super) unannotated: bool,
    pub(super) why: Option<&'a str>,
    pub(super) impersonated: Option<&'a str>,
    pub(super) stage: Option<&'a str>,
}

/// The events of a request, one for each stage that is logged.
pub(super) struct Events {
    pub(super) stages: Vec<Template>,
    /// Whether it changed an object, and so the object's resource version.
    pub(super) writes: bool,
    pub(super) caller: CallerKind,
}

pub(super) fn events(
    request: &Request<'_>,
    profile: Profile,
    clients: &Clients,
    bodies: &Bodies,
) -> io::Result<Events> {
    let client = clients.get(request.client)?;
    let target = Target::parse(&request.uri);
    let subresource = target
        .as_ref()
        .and_then(|target| target.subresource.as_deref());
    let long_running = request.verb == "watch"
        || matches!(
            subresource,
            Some("log" | "exec" | "attach" | "portforward" | "proxy")
        );
    let stages: &[&str] = match request.stage {
        Some("panic") => &["Panic"],
        Some("both") => &["ResponseStarted", "ResponseComplete"],
        _ if client.is_nobody() => &["ResponseStarted"],
        _ if long_running => &["ResponseStarted", "ResponseComplete"],
        _ => &["ResponseComplete"],
    };
    let omitted = if profile.has_one_event_a_user() {
        stages.len() - 1
    } else {
        0
    };
    let event = Event {
        request,
        profile,
        client,
        target,
        clients,
        bodies,
    };
    let stages = stages
        .iter()
        .skip(omitted)
        .map(|stage| Template::compile(&event.text(stage)?))
        .collect::<io::Result<_>>()?;
    let changes = matches!(request.verb, "create" | "update" | "patch" | "delete");
    Ok(Events {
        stages,
        writes: changes && request.code < 300,
        caller: client.kind,
    })
}

/// A request with what is known of its client and target.
pub(super) struct Event<'a> {
    pub(super) request: &'a Request<'a>,
    profile: Profile,
    pub(super) client: &'a Client,
    pub(super) target: Option<Target>,
    clients: &'a Clients,
    bodies: &'a Bodies,
}

impl Event<'_> {
    fn text(&self, stage: &str) -> io::Result<String> {
        let Request {
            verb, uri, code, ..
        } = self.request;
        let level = level(
            self.profile,
            self.request.client,
            verb,
            self.target.as_ref(),
        );
        let mut text = format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"{}","auditID":"<audit>","stage":"{stage}","requestURI":"{}","verb":"{verb}","user":{}"#,
            level.name(),
            escape(uri),
            self.client.user,
        );
        if let Some(name) = self.request.impersonated {
            let impersonated = self.clients.impersonated(name)?;
            text += &format!(r#","impersonatedUser":{}"#, impersonated.user);
            if let Some(constraint) = impersonated.constraint {
                text += &format!(
                    r#","authenticationMetadata":{{"impersonationConstraint":"{constraint}"}}"#
                );
            }
        }
        text += &format!(
            r#","sourceIPs":["{}"],"userAgent":"{}""#,
            self.client.source,
            escape(self.client.agent)
        );
        text += &self.object_ref();
        let (status, status_body) = self.status();
        text += &format!(r#","responseStatus":{status}"#);
        if let Some(name) = self
            .request
            .request
            .as_ref()
            .filter(|_| level >= Level::Request && stage != "ResponseStarted")
        {
            text += &format!(r#","requestObject":{}"#, self.bodies.get(name)?);
        }
        if level == Level::RequestResponse && *code != 101 {
            match &self.request.response {
                Some(name) => text += &format!(r#","responseObject":{}"#, self.bodies.get(name)?),
                None => {
                    text += &status_body
                        .map_or_else(String::new, |body| format!(r#","responseObject":{body}"#));
                }
            }
        }
        text += r#","requestReceivedTimestamp":"<received>","stageTimestamp":"<stage>""#;
        text += &self.annotations(stage)?;
        text += "}\n";
        Ok(text)
    }

    fn object_ref(&self) -> String {
        let Some(target) = &self.target else {
            return String::new();
        };
        let bare = matches!(
            (target.resource.as_str(), target.subresource.as_deref()),
            ("secrets", _) | (_, Some("scale"))
        );
        let decoded = self.is_admitted() && self.request.code != 405;
        let updates = self.request.verb == "update" && decoded && !bare;
        let binds = target.subresource.as_deref() == Some("binding");
        let name = target.name.as_deref().or(self.request.named).map(escape);
        let member = |key: &str, value: Option<&str>| {
            value
                .filter(|value| !value.is_empty())
                .map_or_else(String::new, |value| format!(r#""{key}":"{value}","#))
        };
        let members = [
            member("resource", Some(&target.resource)),
            member("namespace", target.namespace.as_deref()),
            member("name", name.as_deref()),
            member("uid", (updates || binds).then(|| target.uid())),
            member("apiGroup", Some(&target.group)),
            member("apiVersion", Some(&target.version)),
            member("resourceVersion", updates.then_some("<rv>")),
            member("subresource", target.subresource.as_deref()),
        ]
        .concat();
        format!(r#","objectRef":{{{}}}"#, members.trim_end_matches(','))
    }

    /// Whether the authorizer let the request pass, so that any refusal is admission's.
    pub(super) fn is_admitted(&self) -> bool {
        self.request.code != 403 || self.request.message.is_some()
    }

    fn annotations(&self, stage: &str) -> io::Result<String> {
        if self.client.is_nobody() || self.request.unannotated {
            return Ok(String::new());
        }
        let node = self.request.why == Some("node");
        let (decision, reason) = match self.is_admitted() && !node {
            true => ("allow", self.reason()?),
            false => ("forbid", if node { NODE_PROSE } else { "" }),
        };
        let (before, after) = match self.request.annotations {
            Some(name) => self.bodies.annotations(name)?,
            None if stage != "ResponseStarted"
                && self.target.as_ref().is_some_and(Target::is_deprecated) =>
            {
                ("", r#","k8s.io/deprecated":"true""#)
            }
            None => ("", ""),
        };
        Ok(format!(
            r#","annotations":{{{before}"authorization.k8s.io/decision":"{decision}","authorization.k8s.io/reason":"{reason}"{after}}}"#
        ))
    }

    fn reason(&self) -> io::Result<&str> {
        if let Some(name) = self.request.impersonated {
            return Ok(&self.clients.impersonated(name)?.reason);
        }
        if let Some(name) = self.request.why {
            return self.clients.grant(name);
        }
        let path = self.request.uri.split('?').next().unwrap_or_default();
        if self.client.reason.is_empty() && !self.client.is_system {
            return Ok("");
        }
        let public = matches!(
            path,
            "/livez" | "/readyz" | "/healthz" | "/version" | "/.well-known/openid-configuration"
        );
        let discovery = self.target.is_none()
            && ["/api", "/openapi"]
                .iter()
                .any(|start| path.starts_with(start));
        let authorized_otherwise = matches!(self.request.client, "apiserver" | "kubelet");
        if authorized_otherwise {
            Ok("")
        } else if public && self.request.client != "carol" {
            self.clients.grant("public-info-viewer")
        } else if discovery {
            self.clients.grant("discovery")
        } else if path.contains("/selfsubject") {
            self.clients.grant("basic-user")
        } else {
            Ok(&self.client.reason)
        }
    }
}

/// The node authorizer's refusal.
pub(super) const NODE_PROSE: &str = "no relationship found between node '<node>' and this object";

/// A text inside a JSON string as Go's encoder writes it. `<` and `>` stay: they delimit fields
/// here.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '&' => escaped.push_str("\\u0026"),
            other => escaped.push(other),
        }
    }
    escaped
}
