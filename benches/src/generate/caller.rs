//! The users of profiles with many of them. A caller is a number, like the cluster's objects: its
//! name, UID, groups, credential and address follow from that number alone, so that millions of
//! callers take no memory.
//!
//! Not responsible for what callers do: a flow's client says which requests are sent, with which
//! user agent, and why they are allowed.

use super::cluster::{APPS, PEOPLE};
use super::profile::Profile;
use super::random::{Random, mix};
use super::text;

/// How many callers of each kind a large cluster has. With `system:anonymous`, who stays as it is,
/// these are 3,000 users.
const PEOPLE_COUNT: u64 = 599;
const ACCOUNT_COUNT: u64 = 1_800;
const NODE_COUNT: u64 = 600;

/// How the `extra` of a user begins, before the credential's kind and digits.
const CREDENTIAL_ID: &[u8] = br#","extra":{"authentication.kubernetes.io/credential-id":[""#;

/// Which kind of user a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerKind {
    Person,
    ServiceAccount,
    Node,
}

impl CallerKind {
    pub(super) fn of(username: &str) -> Self {
        if username.starts_with("system:node:") {
            Self::Node
        } else if username.starts_with("system:") {
            Self::ServiceAccount
        } else {
            Self::Person
        }
    }

    fn count(self) -> u64 {
        match self {
            Self::Person => PEOPLE_COUNT,
            Self::ServiceAccount => ACCOUNT_COUNT,
            Self::Node => NODE_COUNT,
        }
    }
}

/// The user who sends one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    kind: CallerKind,
    /// Part of the name.
    number: u64,
    /// Whether the number is one of 2^64 and not one of a few.
    ephemeral: bool,
    /// What credentials and UIDs are made of.
    identity: u64,
    address: [u8; 4],
}

/// All callers of a log, from whom each request's is drawn.
pub(super) struct Crowd {
    profile: Profile,
    seed: u64,
    /// Apart from the flows' random numbers: who calls does not change what happens.
    random: Random,
    drawn: u64,
}

impl Crowd {
    pub(super) fn new(profile: Profile, seed: u64) -> Self {
        Self {
            profile,
            seed,
            random: Random::new(mix(seed, 40)),
            drawn: 0,
        }
    }

    /// The caller of the next request. Where clients are fixed, the templates do not show it.
    pub(super) fn draw(&mut self, kind: CallerKind) -> Caller {
        let ephemeral = self.profile.has_one_event_a_user();
        self.drawn += 1;
        // `mix` maps different numbers to different ones.
        let number = if ephemeral {
            mix(self.drawn, self.seed)
        } else {
            self.random.below(kind.count())
        };
        let identity = mix(mix(number, 41 + kind as u64), self.seed);
        let address = if ephemeral {
            unique_address(self.drawn, self.seed)
        } else {
            let [_, second, third, last, ..] = mix(identity, 42).to_le_bytes();
            [10, second, third, 1 + last % 254]
        };
        Caller {
            kind,
            number,
            ephemeral,
            identity,
            address,
        }
    }
}

/// The number's own address: the first 2^30 numbers have different ones, all in 32.0.0.0 to
/// 95.255.255.255. An odd factor and a shift to the right, by exclusive or, lose nothing.
fn unique_address(number: u64, seed: u64) -> [u8; 4] {
    const MASK: u64 = (1 << 30) - 1;
    let mut word = number.wrapping_add(seed) & MASK;
    for _ in 0..2 {
        word = word.wrapping_mul(0x9e37_79b1) & MASK;
        word ^= word >> 15;
    }
    ((word as u32) + (32 << 24)).to_be_bytes()
}

impl Caller {
    fn write_number(&self, out: &mut Vec<u8>) {
        if self.ephemeral {
            text::hex(out, self.number, 16);
        } else {
            text::number(out, self.number + 1);
        }
    }

    fn write_namespace(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"team-");
        text::number(out, 1 + self.identity % 200);
    }

    fn write_account(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(APPS[(self.identity >> 8) as usize % APPS.len()].as_bytes());
        out.push(b'-');
        self.write_number(out);
    }

    pub(super) fn write_name(&self, out: &mut Vec<u8>) {
        match self.kind {
            CallerKind::Person => {
                out.extend_from_slice(PEOPLE[self.identity as usize % PEOPLE.len()].as_bytes());
                out.push(b'.');
                self.write_number(out);
                out.extend_from_slice(b"@example.com");
            }
            CallerKind::ServiceAccount => {
                out.extend_from_slice(b"system:serviceaccount:");
                self.write_namespace(out);
                out.push(b':');
                self.write_account(out);
            }
            CallerKind::Node => {
                out.extend_from_slice(b"system:node:worker-");
                self.write_number(out);
            }
        }
    }

    /// The subject that a binding names, inside a JSON string.
    pub(super) fn write_subject(&self, out: &mut Vec<u8>) {
        if self.kind == CallerKind::ServiceAccount {
            out.extend_from_slice(br#"ServiceAccount \""#);
            self.write_account(out);
            out.push(b'/');
            self.write_namespace(out);
        } else {
            out.extend_from_slice(br#"User \""#);
            self.write_name(out);
        }
        out.extend_from_slice(br#"\""#);
    }

    pub(super) fn write_address(&self, out: &mut Vec<u8>) {
        for (position, part) in self.address.iter().enumerate() {
            if position > 0 {
                out.push(b'.');
            }
            text::number(out, u64::from(*part));
        }
    }

    /// The event's `user`.
    pub(super) fn write_user(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"username":""#);
        self.write_name(out);
        match self.kind {
            CallerKind::Person => {
                out.extend_from_slice(br#"","uid":"u-"#);
                self.write_number(out);
                out.extend_from_slice(br#"","groups":["team-"#);
                text::number(out, 1 + self.identity % 200);
                out.extend_from_slice(br#"","developers","system:authenticated"]}"#);
            }
            CallerKind::ServiceAccount => {
                out.extend_from_slice(br#"","uid":""#);
                text::uuid(out, self.identity);
                out.extend_from_slice(
                    br#"","groups":["system:serviceaccounts","system:serviceaccounts:"#,
                );
                self.write_namespace(out);
                out.extend_from_slice(br#"","system:authenticated"]"#);
                self.write_token(out);
                out.push(b'}');
            }
            CallerKind::Node => {
                out.extend_from_slice(br#"","groups":["system:nodes","system:authenticated"]"#);
                out.extend_from_slice(CREDENTIAL_ID);
                out.extend_from_slice(b"X509SHA256=");
                text::digest(out, self.identity);
                out.extend_from_slice(br#""]}}"#);
            }
        }
    }

    /// The `extra` of a service account. Of eight tokens one is bound to a pod, and two are old ones
    /// without an id.
    fn write_token(&self, out: &mut Vec<u8>) {
        let kind_of_token = self.identity >> 60 & 7;
        if kind_of_token > 5 {
            return;
        }
        out.extend_from_slice(CREDENTIAL_ID);
        out.extend_from_slice(b"JTI=");
        text::uuid(out, mix(self.identity, 1));
        if kind_of_token == 0 {
            out.extend_from_slice(br#""],"authentication.kubernetes.io/node-name":["worker-"#);
            text::number(out, 1 + mix(self.identity, 2) % NODE_COUNT);
            out.extend_from_slice(br#""],"authentication.kubernetes.io/pod-name":[""#);
            self.write_account(out);
            out.push(b'-');
            text::suffix(out, mix(self.identity, 3), 5);
            out.extend_from_slice(br#""],"authentication.kubernetes.io/pod-uid":[""#);
            text::uuid(out, mix(self.identity, 4));
        }
        out.extend_from_slice(br#""]}"#);
    }
}
