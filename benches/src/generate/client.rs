//! The clients that send requests: users, service accounts, nodes and components, and why they are
//! allowed to. In profiles with many users a client is only a role, and each of its requests has
//! another caller.

use std::collections::HashMap;
use std::io;

use super::caller::CallerKind;
use super::malformed;
use super::profile::Profile;
use super::random::{mix, mix_text};
use super::text;

const CLIENTS: &str = include_str!("clients.txt");

/// One kind of client, in the words of an audit event; all may hold `<fields>`.
pub(super) struct Client {
    /// The `user` object.
    pub(super) user: String,
    pub(super) username: String,
    pub(super) source: &'static str,
    pub(super) agent: &'static str,
    /// The authorizer's reason, empty where it gives none.
    pub(super) reason: String,
    /// Whether it is one of Kubernetes' own users: service accounts, nodes, components.
    pub(super) is_system: bool,
    pub(super) kind: CallerKind,
}

impl Client {
    /// Whether its requests fail before they have a user.
    pub(super) fn is_nobody(&self) -> bool {
        self.username.is_empty()
    }

    /// Whether its requests have no user of their own.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_nobody() || self.username == ANONYMOUS
    }

    /// Puts fields for the caller in the place of the one user.
    fn stand_for_callers(&mut self) {
        if self.is_unknown() {
            return;
        }
        self.user = "<caller.user>".to_owned();
        self.username = "<caller>".to_owned();
        self.source = "<caller.address>";
        self.reason = granted_to_caller(&self.reason);
    }
}

const ANONYMOUS: &str = "system:anonymous";

/// The authorizer's reason with the caller as the binding's subject, unless that is a group or
/// `system:anonymous`.
fn granted_to_caller(reason: &str) -> String {
    match reason.rsplit_once(r#"\" to "#) {
        Some((grant, subject))
            if !subject.starts_with("Group ") && !subject.contains(ANONYMOUS) =>
        {
            format!(r#"{grant}\" to <caller.subject>"#)
        }
        _ => reason.to_owned(),
    }
}

/// A user whom clients impersonate.
pub(super) struct Impersonated {
    pub(super) user: &'static str,
    pub(super) constraint: Option<&'static str>,
    pub(super) reason: String,
}

pub(super) struct Clients {
    clients: HashMap<&'static str, Client>,
    grants: HashMap<&'static str, String>,
    impersonated: HashMap<&'static str, Impersonated>,
}

impl Clients {
    pub(super) fn load(profile: Profile, seed: u64) -> io::Result<Self> {
        let mut all = Self {
            clients: HashMap::new(),
            grants: HashMap::new(),
            impersonated: HashMap::new(),
        };
        for line in CLIENTS
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let cells: Vec<_> = line.split(" | ").collect();
            match cells[..] {
                [
                    name,
                    username,
                    uid,
                    groups,
                    credential,
                    source,
                    agent,
                    reason,
                ] => {
                    let mut client = Client {
                        user: user(username, uid, groups, credential, seed),
                        username: if username == "-" {
                            String::new()
                        } else {
                            username.to_owned()
                        },
                        source,
                        agent,
                        reason: sentence(reason)?,
                        is_system: username.starts_with("system:"),
                        kind: CallerKind::of(username),
                    };
                    if !profile.has_fixed_clients() {
                        client.stand_for_callers();
                    }
                    all.clients.insert(name, client);
                }
                [name, user, constraint, reason] => {
                    let constraint = (constraint != "-").then_some(constraint);
                    let name = name.trim_start_matches("impersonate ");
                    all.impersonated.insert(
                        name,
                        Impersonated {
                            user,
                            constraint,
                            reason: sentence(reason)?,
                        },
                    );
                }
                [name, reason] => {
                    let mut reason = sentence(reason)?;
                    if !profile.has_fixed_clients() {
                        reason = granted_to_caller(&reason);
                    }
                    all.grants.insert(name.trim_start_matches("grant "), reason);
                }
                _ => return Err(malformed("not a client", line)),
            }
        }
        Ok(all)
    }

    pub(super) fn get(&self, name: &str) -> io::Result<&Client> {
        self.clients
            .get(name)
            .ok_or_else(|| malformed("no such client", name))
    }

    pub(super) fn grant(&self, name: &str) -> io::Result<&str> {
        self.grants
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| malformed("no such grant", name))
    }

    pub(super) fn impersonated(&self, name: &str) -> io::Result<&Impersonated> {
        self.impersonated
            .get(name)
            .ok_or_else(|| malformed("no such user to impersonate", name))
    }
}

fn user(username: &str, uid: &str, groups: &str, credential: &str, seed: u64) -> String {
    if username == "-" {
        return "{}".to_owned();
    }
    // One user has one UID and one certificate, whatever programs it uses.
    let identity = mix_text(username, seed);
    let uid = match uid {
        "-" => String::new(),
        "uid" => format!(r#""uid":"{}","#, written(|out| text::uuid(out, identity))),
        uid => format!(r#""uid":"{uid}","#),
    };
    let groups: Vec<_> = groups
        .split(',')
        .map(|group| format!("\"{group}\""))
        .collect();
    let token = || format!("JTI={}", written(|out| text::uuid(out, mix(identity, 1))));
    let extra = match credential {
        "certificate" => credential_id(&format!(
            "X509SHA256={}",
            written(|out| text::digest(out, identity))
        )),
        "node certificate" => credential_id("X509SHA256=<node.credential>"),
        "token" => credential_id(&token()),
        "pod" => bound_to_pod(username, &token(), identity),
        _ => String::new(),
    };
    format!(
        r#"{{"username":"{username}",{uid}"groups":[{}]{extra}}}"#,
        groups.join(",")
    )
}

fn credential_id(id: &str) -> String {
    format!(r#","extra":{{"authentication.kubernetes.io/credential-id":["{id}"]}}"#)
}

fn bound_to_pod(username: &str, token: &str, identity: u64) -> String {
    let account = username.rsplit(':').next().unwrap_or_default();
    let pod = format!(
        "{account}-{}-{}",
        written(|out| text::hex(out, mix(identity, 2), 10)),
        written(|out| text::hex(out, mix(identity, 3), 5))
    );
    let extra = [
        ("credential-id", token.to_owned()),
        ("node-name", "node-1".to_owned()),
        ("node-uid", written(|out| text::uuid(out, mix(0, 13)))),
        ("pod-name", pod),
        ("pod-uid", written(|out| text::uuid(out, mix(identity, 4)))),
    ];
    let members: Vec<_> = extra
        .iter()
        .map(|(key, value)| format!(r#""authentication.kubernetes.io/{key}":["{value}"]"#))
        .collect();
    format!(r#","extra":{{{}}}"#, members.join(","))
}

/// `RBAC: allowed by …`, of binding, role and subject.
fn sentence(reason: &str) -> io::Result<String> {
    if reason == "-" {
        return Ok(String::new());
    }
    let parts: Vec<_> = reason
        .split(", ")
        .filter_map(|part| part.split_once(' '))
        .collect();
    let [
        (binding, binding_name),
        (role, role_name),
        (subject, subject_name),
    ] = parts[..]
    else {
        return Err(malformed("not a reason", reason));
    };
    Ok(format!(
        r#"RBAC: allowed by {binding} \"{binding_name}\" of {role} \"{role_name}\" to {subject} \"{subject_name}\""#
    ))
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
