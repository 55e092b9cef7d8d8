//! A LogEntry in, the `audit.k8s.io/v1` event that it stands for out: `requestURI` and `objectRef`
//! as the apiserver would have them, the HTTP code of a `google.rpc.Code`, bodies without the
//! `@type` that makes them protobufs.

use std::borrow::Cow;

use crate::format::gke::{CALLER_IP, LogEntry, PRINCIPAL, USER_AGENT, present, text};
use crate::format::request_info;
use crate::format::{Record, writer};
use crate::json::Value;
use crate::request::ResourceInfo;

/// Subresources that upgrade the connection: `2 UNKNOWN` is their 101 Switching Protocols.
const UPGRADED: [&str; 4] = ["exec", "attach", "portforward", "proxy"];

impl<'e> LogEntry<'e> {
    /// The event, absent where the entry is silent.
    pub(super) fn event(&self) -> Vec<u8> {
        let path = text(self.payload, &["resourceName", "resource_name"]).unwrap_or_default();
        let method = self.method().unwrap_or_default();
        let verb = method.rsplit('.').next().unwrap_or_default();
        // `io.k8s.get`: no group, no version, no resource, whatever the path looks like.
        let on_path = !method.is_empty() && method.matches('.').count() <= 2;
        let target = if on_path {
            None
        } else {
            self.target(&path, verb)
        };

        let mut out = writer::event();
        writer::string(&mut out, "level", self.level());
        copy(&mut out, "auditID", self.id());
        writer::string(&mut out, "stage", self.stage());
        match &target {
            Some(target) => {
                writer::string(&mut out, "requestURI", &request_info::uri_of(target, verb))
            }
            None if on_path => writer::string(
                &mut out,
                "requestURI",
                &format!("/{}", path.strip_prefix('/').unwrap_or(&path)),
            ),
            None => {}
        }
        if !verb.is_empty() {
            writer::string(&mut out, "verb", verb);
        }
        let authentication = present(self.payload, &["authenticationInfo", "authentication_info"])
            .and_then(Record::of);
        if let Some(principal) = authentication.and_then(|info| present(&info, &PRINCIPAL)) {
            writer::object(&mut out, "user", |out| {
                writer::raw(out, "username", principal.raw)
            });
        }
        if let Some(metadata) =
            present(self.payload, &["requestMetadata", "request_metadata"]).and_then(Record::of)
        {
            if let Some(ip) = present(&metadata, &CALLER_IP) {
                writer::raw(&mut out, "sourceIPs", &format!("[{}]", ip.raw));
            }
            copy(&mut out, "userAgent", present(&metadata, &USER_AGENT));
        }
        if let Some(target) = &target {
            writer::object(&mut out, "objectRef", |out| {
                request_info::write_reference(target, out);
            });
        }
        let subresource = target.as_ref().map_or("", |target| target.subresource);
        writer::object(&mut out, "responseStatus", |out| {
            self.write_status(out, verb, subresource)
        });
        for (name, body) in [
            ("requestObject", &self.request),
            ("responseObject", &self.response),
        ] {
            if let Some(body) = body {
                writer::name(&mut out, name);
                body.write(&mut out);
            }
        }
        let time = present(self.entry, &["timestamp", "Timestamp"]);
        copy(&mut out, "requestReceivedTimestamp", time);
        copy(&mut out, "stageTimestamp", time);
        if let Some(labels) = &self.labels {
            writer::raw(&mut out, "annotations", labels);
        }
        out.push(b'}');
        out
    }

    /// The policy's level follows from the bodies.
    fn level(&self) -> &'static str {
        match (&self.request, &self.response) {
            (_, Some(_)) => "RequestResponse",
            (Some(_), None) => "Request",
            (None, None) => "Metadata",
        }
    }

    fn id(&self) -> Option<Value<'e>> {
        let id = self
            .operation
            .as_ref()
            .and_then(|operation| present(operation, &["id"]));
        id.filter(|id| id.raw != "\"\"")
            .or_else(|| present(self.entry, &["insertId", "insert_id", "InsertID"]))
    }

    /// `first` alone opens a long-running request, `last` alone ends it; a short one is both.
    fn stage(&self) -> &'static str {
        // BigQuery's tools write booleans as strings.
        let is = |value: Value<'_>| matches!(value.raw, "true" | "\"true\"");
        let says = |name: &str| {
            self.operation
                .as_ref()
                .and_then(|operation| operation.member(name))
                .is_some_and(is)
        };
        if says("first") && !says("last") {
            "ResponseStarted"
        } else {
            "ResponseComplete"
        }
    }

    /// `<group|core>/<version>[/namespaces/<ns>]/<resource>[/<name>[/<subresource>[/…]]]` taken
    /// apart.
    fn target<'p>(&self, path: &'p str, verb: &str) -> Option<ResourceInfo<'p>>
    where
        'e: 'p,
    {
        let (group, rest) = path.split_once('/')?;
        let (version, path) = rest.split_once('/')?;
        let group = if group == "core" { "" } else { group };
        let mut target = ResourceInfo::new(group, version, path);
        if target.resource.is_empty() {
            return None;
        }
        if verb == "create" {
            // The URI that makes a namespace has none in it.
            if target.resource == "namespaces" && target.subresource.is_empty() {
                target.namespace = "";
            }
            // generateName: only the answer says what the object is called.
            if target.name.is_empty() {
                target.name = self.made_name().unwrap_or_default();
            }
        }
        Some(target)
    }

    fn made_name(&self) -> Option<Cow<'e, str>> {
        let response = self
            .response
            .as_ref()
            .filter(|response| response.failure().is_none())?;
        response
            .members
            .as_ref()?
            .object("metadata")?
            .string("name")
    }

    fn write_status(&self, out: &mut Vec<u8>, verb: &str, subresource: &str) {
        writer::raw(out, "metadata", "{}");
        let status = present(self.payload, &["status"]);
        let members = status.and_then(Record::of);
        // A status that says nothing is OK; one that cannot be read may be anything.
        let grpc = match (status, &members) {
            (None, _) => Some(0),
            (Some(_), Some(members)) => present(members, &["code"]).map_or(Some(0), integer),
            (Some(_), None) => None,
        };
        let mut code = grpc.and_then(|grpc| http_code(grpc, verb, subresource));
        if let Some(failure) = self.response.as_ref().and_then(Body::failure) {
            for name in ["status", "message", "reason"] {
                copy(out, name, present(failure, &[name]));
            }
            code = present(failure, &["code"]).and_then(integer).or(code);
        } else if let Some(members) = &members {
            copy(out, "message", present(members, &["message"]));
        }
        if let Some(code) = code {
            writer::raw(out, "code", &code.to_string());
        }
    }
}

/// A body: any JSON, and its members if it is an object.
pub(in crate::format) struct Body<'e> {
    value: Value<'e>,
    members: Option<Record<'e>>,
}

impl<'e> Body<'e> {
    pub(in crate::format) fn new(value: Value<'e>) -> Self {
        Self {
            value,
            members: Record::of(value),
        }
    }

    /// The `@type` that makes it a protobuf `Any`: no member of the Kubernetes object.
    pub(super) fn typed(&self) -> Option<Value<'e>> {
        self.members.as_ref()?.member("@type")
    }

    /// A `Status` that says why the request failed.
    fn failure(&self) -> Option<&Record<'e>> {
        let members = self.members.as_ref()?;
        let is_status = members.is("kind", "Status")
            || members
                .string("@type")
                .is_some_and(|of| of.ends_with(".Status"));
        (is_status && members.is("status", "Failure")).then_some(members)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match &self.members {
            Some(members) if self.typed().is_some() => {
                out.push(b'{');
                for (name, value) in members.members() {
                    if !name.eq_str("@type") {
                        writer::member(out, *name, value.raw);
                    }
                }
                out.push(b'}');
            }
            _ => out.extend_from_slice(self.value.raw.as_bytes()),
        }
    }
}

fn copy(out: &mut Vec<u8>, name: &str, value: Option<Value<'_>>) {
    if let Some(value) = value {
        writer::raw(out, name, value.raw);
    }
}

/// BigQuery's tools write numbers as strings.
fn integer(value: Value<'_>) -> Option<i32> {
    match value.text() {
        Some(text) => text.decode().parse().ok(),
        None => value.raw.parse().ok(),
    }
}

/// The HTTP code that a `google.rpc.Code` stands for (`google/rpc/code.proto`): 10, ABORTED, is
/// what Kubernetes' AlreadyExists and Conflict become; what was created is not told from what was
/// found, but by the verb.
fn http_code(grpc: i32, verb: &str, subresource: &str) -> Option<i32> {
    Some(match grpc {
        0 if verb == "create" => 201,
        0 => 200,
        1 => 499,
        2 if UPGRADED.contains(&subresource) => 101,
        2 | 13 | 15 => 500,
        3 | 9 | 11 => 400,
        4 => 504,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => return None,
    })
}
