//! One request's events, put together as the apiserver would: level, object, status, bodies, annotations.

use std::io;

use super::body::Bodies;
use super::client::{Client, Clients};
use super::policy::{Level, level};
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
}

pub(super) fn events(request: &Request<'_>, clients: &Clients, bodies: &Bodies) -> io::Result<Events> {
    let client = clients.get(request.client)?;
    let target = Target::parse(&request.uri);
    let subresource = target.as_ref().and_then(|target| target.subresource.as_deref());
    let long_running = request.verb == "watch"
        || matches!(subresource, Some("log" | "exec" | "attach" | "portforward" | "proxy"));
    let stages: &[&str] = match request.stage {
        Some("panic") => &["Panic"],
        Some("both") => &["ResponseStarted", "ResponseComplete"],
        _ if client.is_nobody() => &["ResponseStarted"],
        _ if long_running => &["ResponseStarted", "ResponseComplete"],
        _ => &["ResponseComplete"],
    };
    let event = Event { request, client, target, clients, bodies };
    let stages = stages.iter().map(|stage| Template::compile(&event.text(stage)?)).collect::<io::Result<_>>()?;
    let changes = matches!(request.verb, "create" | "update" | "patch" | "delete");
    Ok(Events { stages, writes: changes && request.code < 300 })
}

struct Event<'a> {
    request: &'a Request<'a>,
    client: &'a Client,
    target: Option<Target>,
    clients: &'a Clients,
    bodies: &'a Bodies,
}

impl Event<'_> {
    fn text(&self, stage: &str) -> io::Result<String> {
        let Request { verb, uri, code, .. } = self.request;
        let level = level(self.request.client, verb, self.target.as_ref());
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
                text += &format!(r#","authenticationMetadata":{{"impersonationConstraint":"{constraint}"}}"#);
            }
        }
        text += &format!(r#","sourceIPs":["{}"],"userAgent":"{}""#, self.client.source, escape(self.client.agent));
        text += &self.object_ref();
        let (status, status_body) = self.status();
        text += &format!(r#","responseStatus":{status}"#);
        if let Some(name) = self.request.request.as_ref().filter(|_| level >= Level::Request && stage != "ResponseStarted") {
            text += &format!(r#","requestObject":{}"#, self.bodies.get(name)?);
        }
        if level == Level::RequestResponse && *code != 101 {
            match &self.request.response {
                Some(name) => text += &format!(r#","responseObject":{}"#, self.bodies.get(name)?),
                None => {
                    text += &status_body.map_or_else(String::new, |body| format!(r#","responseObject":{body}"#));
                }
            }
        }
        text += r#","requestReceivedTimestamp":"<received>","stageTimestamp":"<stage>""#;
        text += &self.annotations(stage)?;
        text += "}\n";
        Ok(text)
    }

    fn object_ref(&self) -> String {
        let Some(target) = &self.target else { return String::new() };
        let bare = matches!((target.resource.as_str(), target.subresource.as_deref()), ("secrets", _) | (_, Some("scale")));
        let decoded = self.is_admitted() && self.request.code != 405;
        let updates = self.request.verb == "update" && decoded && !bare;
        let binds = target.subresource.as_deref() == Some("binding");
        let name = target.name.as_deref().or(self.request.named).map(escape);
        let member = |key: &str, value: Option<&str>| {
            value.filter(|value| !value.is_empty()).map_or_else(String::new, |value| format!(r#""{key}":"{value}","#))
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

    /// The status, and the Status object that the client got, if it got one.
    fn status(&self) -> (String, Option<String>) {
        let code = self.request.code;
        if code >= 400 && !self.request.bare {
            let (reason, message) = self.failure();
            let panicked = self.request.stage == Some("panic");
            let details = self.details(code).filter(|_| !panicked).map_or_else(String::new, |details| format!(r#""details":{details},"#));
            let rest = format!(r#""status":"Failure","message":"{message}","reason":"{reason}",{details}"code":{code}}}"#);
            return (
                format!(r#"{{"metadata":{{}},{rest}"#),
                Some(format!(r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},{rest}"#)),
            );
        }
        let subresource = self.target.as_ref().and_then(|target| target.subresource.as_deref());
        if code == 201 && matches!(subresource, Some("binding" | "eviction")) {
            let rest = r#""metadata":{},"status":"Success","code":201}"#;
            return (format!("{{{rest}"), Some(format!(r#"{{"kind":"Status","apiVersion":"v1",{rest}"#)));
        }
        if code == 200 && self.request.verb == "delete" && self.request.response.is_none() {
            let uid = self.target.as_ref().map_or("<uid>", Target::uid);
            let details = self.details(code).unwrap_or_default();
            let details = format!(r#"{},"uid":"{uid}"}}"#, details.trim_end_matches('}'));
            let rest = format!(r#""metadata":{{}},"status":"Success","details":{details}"#);
            return (
                format!(r#"{{{rest},"code":200}}"#),
                Some(format!(r#"{{"kind":"Status","apiVersion":"v1",{rest}}}"#)),
            );
        }
        (format!(r#"{{"metadata":{{}},"code":{code}}}"#), None)
    }

    fn details(&self, code: u16) -> Option<String> {
        if matches!(code, 400 | 401 | 413 | 415 | 500) {
            return None;
        }
        let Some(target) = self.target.as_ref().filter(|_| code != 405 && code != 504) else {
            return Some("{}".to_owned());
        };
        if code == 429 {
            let cause = "The disruption budget <app> needs 3 healthy pods and has 3 currently";
            return Some(format!(r#"{{"causes":[{{"reason":"DisruptionBudget","message":"{cause}"}}]}}"#));
        }
        // `pods "x" is forbidden: …` tells the name of what was to be created.
        let in_message = self.request.message.and_then(|message| {
            let (kind, rest) = message.split_once(" \"")?;
            if kind.contains(' ') { None } else { rest.split('"').next() }
        });
        let name = target.name.as_deref().or(in_message).or(self.request.named);
        let name = name.map_or_else(String::new, |name| format!(r#""name":"{}","#, escape(name)));
        let group =
            if target.group.is_empty() { String::new() } else { format!(r#""group":"{}","#, target.group) };
        let resource = &target.resource;
        let causes = match self.request.message.and_then(|message| message.split_once("is invalid: ")) {
            Some((_, cause)) if code == 422 => {
                let (field, cause) = cause.split_once(": ").unwrap_or(("", cause));
                let cause = escape(cause);
                format!(r#","causes":[{{"reason":"FieldValueInvalid","message":"{cause}","field":"{field}"}}]"#)
            }
            _ if self.request.message.is_some_and(|message| message.contains("is being terminated")) => {
                let cause = "namespace <ns> is being terminated";
                format!(r#","causes":[{{"reason":"NamespaceTerminating","message":"{cause}","field":"metadata.namespace"}}]"#)
            }
            _ => String::new(),
        };
        Some(format!(r#"{{{name}{group}"kind":"{resource}"{causes}}}"#))
    }

    fn failure(&self) -> (&'static str, String) {
        let Request { verb, uri, code, .. } = self.request;
        let target = self.target.as_ref();
        let qualified = target.map(Target::qualified).unwrap_or_default();
        let name = target.and_then(|target| target.name.as_deref()).unwrap_or_default();
        let (reason, usual) = match code {
            400 => ("BadRequest", String::new()),
            401 => ("Unauthorized", "Unauthorized".to_owned()),
            403 => ("Forbidden", self.forbidden()),
            404 => ("NotFound", format!(r#"{qualified} "{name}" not found"#)),
            405 => ("MethodNotAllowed", String::new()),
            409 if *verb == "create" && !uri.ends_with("/binding") => ("AlreadyExists", String::new()),
            409 => {
                let advice = "the object has been modified; please apply your changes to the latest version and try again";
                ("Conflict", format!(r#"Operation cannot be fulfilled on {qualified} "{name}": {advice}"#))
            }
            413 => ("RequestEntityTooLarge", String::new()),
            415 => ("UnsupportedMediaType", String::new()),
            422 => ("Invalid", String::new()),
            429 => ("TooManyRequests", String::new()),
            504 => ("Timeout", String::new()),
            _ => ("InternalError", "APIServer panic'd: net/http: abort Handler".to_owned()),
        };
        (reason, escape(self.request.message.unwrap_or(&usual)))
    }

    fn forbidden(&self) -> String {
        let Request { verb, uri, why, .. } = self.request;
        let user = match self.request.impersonated {
            Some("bob") => "bob@example.com",
            _ => &self.client.username,
        };
        let Some(target) = &self.target else {
            let path = uri.split('?').next().unwrap_or_default();
            return format!(r#"forbidden: User "{user}" cannot {verb} path "{path}""#);
        };
        let name = target.name.as_ref().map_or_else(String::new, |name| format!(r#" "{name}""#));
        let place = match &target.namespace {
            Some(namespace) => format!(r#"in the namespace "{namespace}""#),
            None => "at the cluster scope".to_owned(),
        };
        let prose = if *why == Some("node") { format!(": {NODE_PROSE}") } else { String::new() };
        format!(
            r#"{}{name} is forbidden: User "{user}" cannot {verb} resource "{}" in API group "{}" {place}{prose}"#,
            target.qualified(),
            target.resource_and_subresource(),
            target.group,
        )
    }

    /// Whether the authorizer let the request pass, so that any refusal is admission's.
    fn is_admitted(&self) -> bool {
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
            None if stage != "ResponseStarted" && self.target.as_ref().is_some_and(Target::is_deprecated) => {
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
        if self.client.reason.is_empty() && !self.client.username.starts_with("system:") {
            return Ok("");
        }
        let public = matches!(path, "/livez" | "/readyz" | "/healthz" | "/version" | "/.well-known/openid-configuration");
        let discovery = self.target.is_none() && ["/api", "/openapi"].iter().any(|start| path.starts_with(start));
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
const NODE_PROSE: &str = "no relationship found between node '<node>' and this object";

/// A text inside a JSON string as Go's encoder writes it. `<` and `>` stay: they delimit fields here.
fn escape(text: &str) -> String {
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
