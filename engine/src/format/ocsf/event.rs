//! An API Activity in, the `audit.k8s.io/v1` event that it stands for out.

use std::borrow::Cow;

use crate::event::epoch_micros;
use crate::format::ocsf::unmapped::Unmapped;
use crate::format::{Record, writer};
use crate::json::{Value, ValueKind, elements};
use crate::time::format_micros;

/// `k8s.io/apiserver/pkg/apis/audit/v1/types.go`.
const STAGES: [&str; 4] = [
    "RequestReceived",
    "ResponseStarted",
    "ResponseComplete",
    "Panic",
];
const LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];

/// A record of the class, with what it has no attribute for.
pub(super) struct Activity<'r, 'a> {
    pub(super) record: &'r Record<'a>,
    pub(super) unmapped: &'r Unmapped<'a>,
}

impl<'a> Activity<'_, 'a> {
    /// Did an apiserver write it?
    pub(super) fn is_kubernetes(&self) -> bool {
        let says = |path: &[&str], word: &str| {
            self.text(path)
                .is_some_and(|text| text.to_ascii_lowercase().contains(word))
        };
        let product = ["metadata", "product", "name"];
        says(&["metadata", "product", "version"], "audit.k8s.io")
            || ["eks", "kubernetes", "gke", "aks", "openshift"]
                .iter()
                .any(|name| says(&product, name))
            || says(&["metadata", "product", "feature", "name"], "kubernetes")
            || says(&["metadata", "log_name"], "kube-apiserver-audit")
            || (self
                .text(&["message"])
                .is_some_and(|stage| is_stage(&stage))
                && self.path().is_some())
    }

    /// The value at a path; `null` is none.
    fn value(&self, path: &[&str]) -> Option<Value<'a>> {
        let (last, before) = path.split_last()?;
        let value = match before {
            [] => self.record.member(last),
            [first, rest @ ..] => {
                let mut object = self.record.object(first)?;
                for name in rest {
                    object = object.object(name)?;
                }
                object.member(last)
            }
        };
        value.filter(|value| value.kind != ValueKind::Null)
    }

    /// The text at a path, unless it is empty.
    fn text(&self, path: &[&str]) -> Option<Cow<'a, str>> {
        let text = self.value(path)?.text()?.decode();
        (!text.is_empty()).then_some(text)
    }

    /// Where only one time is said.
    pub(super) fn has_one_time(&self) -> bool {
        self.received().is_none()
    }

    fn received(&self) -> Option<String> {
        time(self.value(&["start_time_dt"])).or_else(|| time(self.value(&["start_time"])))
    }

    fn staged(&self) -> Option<String> {
        time(self.value(&["time_dt"])).or_else(|| time(self.value(&["time"])))
    }

    /// The URI of the request.
    fn path(&self) -> Option<Cow<'a, str>> {
        let url = |name| self.text(&["http_request", "url", name]);
        if let Some(path) = url("path") {
            return match url("query_string") {
                Some(query) if !path.contains('?') => {
                    let query = query.trim_start_matches('?');
                    Some(Cow::Owned(format!("{path}?{query}")))
                }
                _ => Some(path),
            };
        }
        let whole = url("url_string")?;
        let Some((_, rest)) = whole.split_once("://") else {
            return Some(whole);
        };
        Some(Cow::Owned(rest[rest.find('/')?..].to_owned()))
    }

    fn code(&self) -> Option<i32> {
        [
            &["api", "response", "code"][..],
            &["http_response", "code"],
            &["status_code"],
        ]
        .iter()
        .find_map(|path| {
            let value = self.value(path)?;
            match value.text() {
                Some(text) => text.decode().parse().ok(),
                None => value.raw.parse::<f64>().ok().map(|code| code as i32),
            }
        })
        .filter(|code| (100..600).contains(code))
    }

    fn stage(&self) -> Option<Cow<'a, str>> {
        self.text(&["message"])
            .filter(|stage| is_stage(stage))
            .or_else(|| self.unmapped.text("stage"))
            // What has a code was answered.
            .or_else(|| self.code().map(|_| Cow::Borrowed("ResponseComplete")))
    }

    fn level(&self) -> Option<Cow<'a, str>> {
        self.text(&["metadata", "log_level"])
            .filter(|level| LEVELS.contains(&&**level))
            .or_else(|| self.unmapped.text("level"))
    }

    /// The event, absent where the record is silent.
    pub(super) fn event(&self) -> Vec<u8> {
        let mut out = writer::event();
        let text = |out: &mut Vec<u8>, name: &str, text: Option<Cow<'_, str>>| {
            if let Some(text) = text {
                writer::string(out, name, &text);
            }
        };
        let id = self
            .text(&["api", "request", "uid"])
            .or_else(|| self.text(&["metadata", "original_event_uid"]))
            .or_else(|| self.text(&["metadata", "uid"]));
        text(&mut out, "level", self.level());
        text(&mut out, "auditID", id);
        text(&mut out, "stage", self.stage());
        text(&mut out, "requestURI", self.path());
        text(&mut out, "verb", self.text(&["api", "operation"]));
        self.write_user(&mut out);
        for name in ["impersonatedUser", "authenticationMetadata"] {
            if let Some(json) = self.unmapped.json(name) {
                writer::raw(&mut out, name, &json);
            }
        }
        self.write_addresses(&mut out);
        text(
            &mut out,
            "userAgent",
            self.text(&["http_request", "user_agent"]),
        );
        self.write_object(&mut out);
        self.write_status(&mut out);
        for (name, side) in [("requestObject", "request"), ("responseObject", "response")] {
            let data = self.value(&["api", side, "data"]);
            let body = self.unmapped.json(name);
            if let Some(json) = body.or_else(|| data.map(|data| Cow::Borrowed(data.raw))) {
                writer::raw(&mut out, name, &json);
            }
        }
        let staged = self.staged();
        let received = self.received().or_else(|| staged.clone());
        text(
            &mut out,
            "requestReceivedTimestamp",
            received.map(Cow::Owned),
        );
        text(&mut out, "stageTimestamp", staged.map(Cow::Owned));
        if let Some(json) = self.unmapped.map("annotations") {
            writer::raw(&mut out, "annotations", &json);
        }
        if let Some(json) = self.unmapped.json("authorizationDecision") {
            writer::raw(&mut out, "authorizationDecision", &json);
        }
        out.push(b'}');
        out
    }

    fn write_user(&self, out: &mut Vec<u8>) {
        let Some(user) = self.value(&["actor", "user"]).and_then(Record::of) else {
            return;
        };
        writer::object(out, "user", |out| {
            for (ours, theirs) in [("username", "name"), ("uid", "uid")] {
                if let Some(text) = user.string(theirs).filter(|text| !text.is_empty()) {
                    writer::string(out, ours, &text);
                }
            }
            let groups = user.member("groups").map(elements).into_iter().flatten();
            // The groups of OCSF are objects.
            let names = groups.filter_map(|group| match Record::of(group) {
                Some(group) => group.string("name").or_else(|| group.string("uid")),
                None => group.text().map(|name| name.decode()),
            });
            let names: Vec<_> = names.collect();
            if !names.is_empty() {
                let names = serde_json::to_string(&names).unwrap_or_default();
                writer::raw(out, "groups", &names);
            }
            self.write_extra(out);
        });
    }

    /// `user.extra`: what is unmapped of it, and what EKS's mapping makes the session of.
    fn write_extra(&self, out: &mut Vec<u8>) {
        let mut extra = b"{".to_vec();
        if let Some(json) = self.unmapped.map("user.extra")
            && let Ok(record) = Record::new(&json)
        {
            for (name, value) in record.members() {
                writer::member(&mut extra, *name, value.raw);
            }
        }
        let product = self.text(&["metadata", "product", "name"]);
        if product.is_some_and(|name| name.contains("EKS")) {
            let arn = self.text(&["cloud", "account", "uid"]);
            for (name, text) in [
                (
                    "accessKeyId",
                    self.text(&["actor", "session", "credential_uid"]),
                ),
                ("arn", arn.filter(|uid| uid.starts_with("arn:"))),
                ("canonicalArn", self.text(&["actor", "session", "issuer"])),
                ("sessionName", self.text(&["actor", "session", "uid"])),
            ] {
                if let Some(text) = text {
                    writer::list(&mut extra, name, &text);
                }
            }
        }
        extra.push(b'}');
        if extra.len() > 2
            && let Some(extra) = writer::text(extra)
        {
            writer::raw(out, "extra", &extra);
        }
    }

    fn write_addresses(&self, out: &mut Vec<u8>) {
        let first = self.text(&["src_endpoint", "ip"]);
        let others = self.value(&["src_endpoint", "intermediate_ips"]);
        let others: Vec<_> = match others {
            Some(one) if one.kind == ValueKind::String => one.text().into_iter().collect(),
            Some(list) => elements(list).filter_map(Value::text).collect(),
            None => Vec::new(),
        };
        let others = others.into_iter().map(|text| text.decode());
        let all: Vec<_> = first.into_iter().chain(others).collect();
        if !all.is_empty() {
            let all = serde_json::to_string(&all).unwrap_or_default();
            writer::raw(out, "sourceIPs", &all);
        }
    }

    /// The first of `resources`; a request that is about none has no type there.
    fn write_object(&self, out: &mut Vec<u8>) {
        let first = self
            .value(&["resources"])
            .and_then(|list| elements(list).next());
        let resource = first
            .or_else(|| self.value(&["resource"]))
            .and_then(Record::of);
        let Some(resource) = resource else { return };
        let text = |name: &str| resource.string(name).filter(|text| !text.is_empty());
        let Some(kind) = text("type") else { return };
        let path = self.path().unwrap_or_default();
        let (kind, subresource) = parts_of(&kind, text("name").as_deref(), &path);
        let version = self
            .text(&["api", "version"])
            .filter(|version| !version.contains("audit.k8s.io"));
        writer::object(out, "objectRef", |out| {
            for (name, value) in [
                ("resource", Some(Cow::Borrowed(&*kind))),
                ("namespace", text("namespace")),
                ("name", text("name")),
                ("uid", text("uid")),
                ("apiGroup", self.text(&["api", "group", "name"])),
                ("apiVersion", version),
                ("resourceVersion", text("version")),
                ("subresource", subresource.map(Cow::Owned)),
            ] {
                if let Some(value) = value {
                    writer::string(out, name, &value);
                }
            }
        });
    }

    fn write_status(&self, out: &mut Vec<u8>) {
        let response = |name| self.text(&["api", "response", name]);
        let is_status = |text: &str| matches!(text, "Success" | "Failure");
        // The mapping of EKS puts `status` there, others the message.
        let (status, message) = match response("error_message") {
            Some(status) if is_status(&status) => (Some(status), response("message")),
            other => (None, response("message").or(other)),
        };
        let code = self.code();
        let reason = response("error");
        if code.is_none() && status.is_none() && message.is_none() && reason.is_none() {
            return;
        }
        writer::object(out, "responseStatus", |out| {
            writer::raw(out, "metadata", "{}");
            for (name, text) in [("status", status), ("message", message), ("reason", reason)] {
                if let Some(text) = text {
                    writer::string(out, name, &text);
                }
            }
            if let Some(code) = code {
                writer::raw(out, "code", &code.to_string());
            }
        });
    }
}

fn is_stage(text: &str) -> bool {
    STAGES.contains(&text)
}

/// A time in the apiserver's spelling, from a text or a number since the epoch.
fn time(value: Option<Value<'_>>) -> Option<String> {
    let value = value?;
    let text = value
        .text()
        .map_or(Cow::Borrowed(value.raw), |text| text.decode());
    match epoch_micros(&text) {
        Some(micros) => {
            let mut out = Vec::new();
            format_micros(&mut out, micros);
            writer::text(out)
        }
        None => value.text().map(|_| text.into_owned()),
    }
}

/// The resource and subresource of a type, which may hold both in one word: the path tells where
/// one ends.
fn parts_of<'k>(kind: &'k str, name: Option<&str>, path: &str) -> (Cow<'k, str>, Option<String>) {
    if let Some((resource, subresource)) = kind.split_once('/') {
        return (
            Cow::Owned(resource.to_owned()),
            Some(subresource.to_owned()).filter(|text| !text.is_empty()),
        );
    }
    let path = path.split('?').next().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').collect();
    for part in segments.windows(3) {
        let [resource, named, subresource] = part else {
            continue;
        };
        if subresource.is_empty() || name.is_some_and(|name| name != *named) {
            continue;
        }
        let in_namespace = *resource == "namespaces";
        if in_namespace && !matches!(*subresource, "status" | "finalize") {
            continue;
        }
        let between = kind
            .strip_prefix(resource)
            .and_then(|rest| rest.strip_suffix(subresource));
        let is_both = between.is_some_and(|joint| !joint.contains(char::is_alphanumeric));
        if kind == *resource || is_both {
            return (
                Cow::Owned((*resource).to_owned()),
                Some((*subresource).to_owned()),
            );
        }
    }
    (Cow::Borrowed(kind), None)
}
