//! The outcome of a request: the status in its event, and the Status object that the client got.

use super::event::{Event, NODE_PROSE, Request, escape};
use super::target::Target;

impl Event<'_> {
    /// The status, and the Status object that the client got, if it got one.
    pub(super) fn status(&self) -> (String, Option<String>) {
        let code = self.request.code;
        if code >= 400 && !self.request.bare {
            let (reason, message) = self.failure();
            let panicked = self.request.stage == Some("panic");
            let details = self
                .details(code)
                .filter(|_| !panicked)
                .map_or_else(String::new, |details| format!(r#""details":{details},"#));
            let rest = format!(
                r#""status":"Failure","message":"{message}","reason":"{reason}",{details}"code":{code}}}"#
            );
            return (
                format!(r#"{{"metadata":{{}},{rest}"#),
                Some(format!(
                    r#"{{"kind":"Status","apiVersion":"v1","metadata":{{}},{rest}"#
                )),
            );
        }
        let subresource = self
            .target
            .as_ref()
            .and_then(|target| target.subresource.as_deref());
        if code == 201 && matches!(subresource, Some("binding" | "eviction")) {
            let rest = r#""metadata":{},"status":"Success","code":201}"#;
            return (
                format!("{{{rest}"),
                Some(format!(r#"{{"kind":"Status","apiVersion":"v1",{rest}"#)),
            );
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
            return Some(format!(
                r#"{{"causes":[{{"reason":"DisruptionBudget","message":"{cause}"}}]}}"#
            ));
        }
        // `pods "x" is forbidden: …` tells the name of what was to be created.
        let in_message = self.request.message.and_then(|message| {
            let (kind, rest) = message.split_once(" \"")?;
            if kind.contains(' ') {
                None
            } else {
                rest.split('"').next()
            }
        });
        let name = target.name.as_deref().or(in_message).or(self.request.named);
        let name = name.map_or_else(String::new, |name| format!(r#""name":"{}","#, escape(name)));
        let group = if target.group.is_empty() {
            String::new()
        } else {
            format!(r#""group":"{}","#, target.group)
        };
        let resource = &target.resource;
        let causes = match self
            .request
            .message
            .and_then(|message| message.split_once("is invalid: "))
        {
            Some((_, cause)) if code == 422 => {
                let (field, cause) = cause.split_once(": ").unwrap_or(("", cause));
                let cause = escape(cause);
                format!(
                    r#","causes":[{{"reason":"FieldValueInvalid","message":"{cause}","field":"{field}"}}]"#
                )
            }
            _ if self
                .request
                .message
                .is_some_and(|message| message.contains("is being terminated")) =>
            {
                let cause = "namespace <ns> is being terminated";
                format!(
                    r#","causes":[{{"reason":"NamespaceTerminating","message":"{cause}","field":"metadata.namespace"}}]"#
                )
            }
            _ => String::new(),
        };
        Some(format!(r#"{{{name}{group}"kind":"{resource}"{causes}}}"#))
    }

    fn failure(&self) -> (&'static str, String) {
        let Request {
            verb, uri, code, ..
        } = self.request;
        let target = self.target.as_ref();
        let qualified = target.map(Target::qualified).unwrap_or_default();
        let name = target
            .and_then(|target| target.name.as_deref())
            .unwrap_or_default();
        let (reason, usual) = match code {
            400 => ("BadRequest", String::new()),
            401 => ("Unauthorized", "Unauthorized".to_owned()),
            403 => ("Forbidden", self.forbidden()),
            404 => ("NotFound", format!(r#"{qualified} "{name}" not found"#)),
            405 => ("MethodNotAllowed", String::new()),
            409 if *verb == "create" && !uri.ends_with("/binding") => {
                ("AlreadyExists", String::new())
            }
            409 => {
                let advice = "the object has been modified; please apply your changes to the latest version and try again";
                (
                    "Conflict",
                    format!(r#"Operation cannot be fulfilled on {qualified} "{name}": {advice}"#),
                )
            }
            413 => ("RequestEntityTooLarge", String::new()),
            415 => ("UnsupportedMediaType", String::new()),
            422 => ("Invalid", String::new()),
            429 => ("TooManyRequests", String::new()),
            504 => ("Timeout", String::new()),
            _ => (
                "InternalError",
                "APIServer panic'd: net/http: abort Handler".to_owned(),
            ),
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
        let name = target
            .name
            .as_ref()
            .map_or_else(String::new, |name| format!(r#" "{name}""#));
        let place = match &target.namespace {
            Some(namespace) => format!(r#"in the namespace "{namespace}""#),
            None => "at the cluster scope".to_owned(),
        };
        let prose = if *why == Some("node") {
            format!(": {NODE_PROSE}")
        } else {
            String::new()
        };
        format!(
            r#"{}{name} is forbidden: User "{user}" cannot {verb} resource "{}" in API group "{}" {place}{prose}"#,
            target.qualified(),
            target.resource_and_subresource(),
            target.group,
        )
    }
}
