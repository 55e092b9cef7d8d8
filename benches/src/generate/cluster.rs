//! The cluster's objects. An object is a number, its identity. Its name, UID, addresses and
//! suffixes follow from that number alone, so nothing has to be remembered and names never run out.

use super::profile::Profile;
use super::random::{Random, mix};
use super::text;

/// Namespaces that are always there. The first [`TEAMS`] are those of the teams' workloads.
const NAMESPACES: &[&str] = &[
    "web",
    "dev-a",
    "payments",
    "dev-b",
    "shop",
    "search",
    "billing",
    "mobile",
    "media",
    "identity",
    "data",
    "edge",
    "ci",
    "monitoring",
    "argocd",
    "quota",
    "slow-hooks",
    "broken-hooks",
    "psa-restricted",
    "psa-baseline",
    "kube-system",
];
const TEAMS: u64 = 12;

/// The first of the namespaces that large clusters have for their teams, `team-1` and so on.
const NUMBERED: u64 = 1_000;

pub(super) const APPS: &[&str] = &[
    "api",
    "auth",
    "backend",
    "basket",
    "billing",
    "catalog",
    "checkout",
    "gateway",
    "invoices",
    "ledger",
    "mailer",
    "orders",
    "payments-api",
    "pricing",
    "profile",
    "reports",
    "reviews",
    "search",
    "session",
    "shipping",
    "stock",
    "svc-0",
    "svc-1",
    "svc-2",
    "svc-3",
    "tax",
    "tickets",
    "wallet",
    "webhooks",
    "worker",
];

const WORDS: &[&str] = &[
    "cfg", "data", "tmp", "ops", "app", "job", "dev", "sync", "test", "run", "base", "cache",
    "demo", "probe", "node", "proxy", "queue", "store", "tool", "view",
];

pub(super) const PEOPLE: &[&str] = &[
    "amara", "anders", "aylin", "benoit", "chiara", "daria", "diego", "elif", "emeka", "farah",
    "felix", "grace", "hana", "ivan", "jana", "joao", "kofi", "lena", "liang", "maya", "milan",
    "nadia", "nils", "noor", "olga", "omar", "paula", "priya", "rafael", "rosa", "sami", "sara",
    "tomas", "uma", "vera", "wei", "xenia", "yara", "yusuf", "zeno",
];

const HUMANS: &[&str] = &[
    "alice@example.com",
    "bob@example.com",
    "carol@example.com",
    "erin@example.com",
];

/// Where a flow takes place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A namespace of any team.
    Team,
    /// One of the two development namespaces.
    Development,
    /// A namespace of its own, which nothing else has had.
    Preview,
    /// The namespace of this index.
    Fixed(u64),
}

impl Place {
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "team" => Some(Self::Team),
            "dev" => Some(Self::Development),
            "preview" => Some(Self::Preview),
            _ => NAMESPACES
                .iter()
                .position(|known| *known == name)
                .map(|index| Self::Fixed(index as u64)),
        }
    }
}

/// Whose pods a flow is about, which decides how they are named.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum PodKind {
    #[default]
    ReplicaSet,
    Job,
    DaemonSet,
    Bare,
}

/// What grows with the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    pub(super) nodes: u64,
    pub(super) newcomers: u64,
    pub(super) teams: u64,
    pub(super) apps: u64,
    /// Whether the teams' namespaces have numbers in place of names.
    numbered: bool,
}

impl Growth {
    pub(super) fn after(events: u64, profile: Profile) -> Self {
        if !profile.has_fixed_clients() {
            // Large from the start. The number of a node is part of an address, so below 245.
            return Self {
                nodes: 240,
                newcomers: PEOPLE.len() as u64,
                teams: 200,
                apps: APPS.len() as u64,
                numbered: true,
            };
        }
        Self {
            nodes: 4 + (events / 60_000).min(28),
            newcomers: 2 + (events / 30_000).min(38),
            teams: 5 + (events / 40_000).min(TEAMS - 5),
            apps: 12 + (events / 10_000).min(APPS.len() as u64 - 12),
            numbered: false,
        }
    }
}

/// The objects a flow is about, by identity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Objects {
    pub(super) namespace: u64,
    pub(super) app: u64,
    pub(super) revision: u64,
    pub(super) pod: u64,
    pub(super) pod_kind: PodKind,
    pub(super) node: u64,
    pub(super) nodes: u64,
    pub(super) job: u64,
    pub(super) name: u64,
    pub(super) newcomer: u64,
    /// When the flow began, in microseconds: the age of what it made.
    pub(super) born: i64,
}

impl Objects {
    pub(super) fn choose(place: Place, growth: Growth, born: i64, random: &mut Random) -> Self {
        let mut objects = Self {
            namespace: 0,
            app: few(growth.apps, random),
            revision: random.next(),
            pod: random.next(),
            pod_kind: PodKind::default(),
            node: random.below(growth.nodes),
            nodes: growth.nodes,
            job: random.next(),
            name: random.next(),
            newcomer: random.below(growth.newcomers),
            born,
        };
        objects.enter(place, growth, random);
        objects
    }

    pub(super) fn enter(&mut self, place: Place, growth: Growth, random: &mut Random) {
        self.namespace = match place {
            Place::Team if growth.numbered => NUMBERED + few(growth.teams, random),
            Place::Team => few(growth.teams, random),
            Place::Development => 1 + 2 * random.below(2),
            Place::Preview => random.next() | (1 << 63),
            Place::Fixed(index) => index,
        };
    }

    /// The app's own identity: apps of one name in two namespaces are two.
    fn deployment(&self) -> u64 {
        mix(self.namespace, self.app)
    }

    pub(super) fn write_namespace(&self, out: &mut Vec<u8>) {
        match NAMESPACES.get(self.namespace as usize) {
            Some(name) => out.extend_from_slice(name.as_bytes()),
            None if self.namespace < 2 * NUMBERED => {
                out.extend_from_slice(b"team-");
                text::number(out, self.namespace - NUMBERED + 1);
            }
            None => {
                out.extend_from_slice(b"preview-");
                text::number(out, self.namespace % 9973);
                out.push(b'-');
                text::hex(out, self.namespace >> 8, 4);
            }
        }
    }

    pub(super) fn write_namespace_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.namespace, 1));
    }

    pub(super) fn write_app(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(APPS[self.app as usize % APPS.len()].as_bytes());
    }

    pub(super) fn write_app_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.deployment(), 2));
    }

    /// Of the app's Service, and for short of its endpoints.
    pub(super) fn write_service_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.deployment(), 20));
    }

    /// The address of the app's Service.
    pub(super) fn write_app_ip(&self, out: &mut Vec<u8>) {
        let address = mix(mix(self.deployment(), self.revision), 3);
        out.extend_from_slice(b"10.");
        text::number(out, 96 + address % 16);
        out.push(b'.');
        text::number(out, address >> 8 & 255);
        out.push(b'.');
        text::number(out, address >> 16 & 255);
    }

    pub(super) fn write_image(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"registry.example.com/");
        self.write_app(out);
        out.extend_from_slice(b":1.");
        text::number(out, mix(self.deployment(), 4) % 10);
        out.extend_from_slice(b".0");
    }

    pub(super) fn write_slice(&self, out: &mut Vec<u8>) {
        text::suffix(out, mix(self.deployment(), 5), 5);
    }

    /// The pod template's hash.
    pub(super) fn write_hash(&self, out: &mut Vec<u8>) {
        text::suffix(out, mix(self.revision, 6), 10);
    }

    pub(super) fn write_replica_set_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.revision, 7));
    }

    pub(super) fn write_pod(&self, out: &mut Vec<u8>) {
        match self.pod_kind {
            PodKind::ReplicaSet => {
                self.write_app(out);
                out.push(b'-');
                self.write_hash(out);
            }
            PodKind::Job => self.write_job(out),
            PodKind::DaemonSet => self.write_app(out),
            PodKind::Bare => {
                out.extend_from_slice(WORDS[self.pod as usize % WORDS.len()].as_bytes())
            }
        }
        out.push(b'-');
        self.write_pod_suffix(out);
    }

    pub(super) fn write_pod_suffix(&self, out: &mut Vec<u8>) {
        text::suffix(out, mix(self.pod, 8), 5);
    }

    /// A pod of the app that has been there for long.
    pub(super) fn write_steady_pod(&self, out: &mut Vec<u8>) {
        self.write_app(out);
        out.push(b'-');
        text::suffix(out, mix(self.deployment(), 21), 10);
        out.push(b'-');
        text::suffix(out, mix(self.deployment(), 22), 5);
    }

    pub(super) fn write_pod_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.pod, 9));
    }

    pub(super) fn write_pod_ip(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"10.244.");
        text::number(out, self.node);
        out.push(b'.');
        text::number(out, 2 + mix(self.pod, 10) % 250);
    }

    /// The suffix of the volume that holds the pod's token.
    pub(super) fn write_volume(&self, out: &mut Vec<u8>) {
        text::suffix(out, mix(self.pod, 11), 5);
    }

    pub(super) fn write_container(&self, out: &mut Vec<u8>) {
        text::digest(out, mix(self.pod, 12));
    }

    pub(super) fn write_node(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"node-");
        text::number(out, self.node + 1);
    }

    pub(super) fn write_other_node(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"node-");
        text::number(out, (self.node + 1) % self.nodes + 1);
    }

    pub(super) fn write_node_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.node, 13));
    }

    pub(super) fn write_node_ip(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"10.0.0.");
        text::number(out, 11 + self.node);
    }

    pub(super) fn write_node_cidr(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"10.244.");
        text::number(out, self.node);
        out.extend_from_slice(b".0/24");
    }

    /// The digest of the node's client certificate.
    pub(super) fn write_node_credential(&self, out: &mut Vec<u8>) {
        text::digest(out, mix(self.node, 14));
    }

    pub(super) fn write_job(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"migrate-");
        text::suffix(out, mix(self.job, 15), 5);
    }

    pub(super) fn write_job_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.job, 16));
    }

    pub(super) fn write_name(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(WORDS[self.name as usize % WORDS.len()].as_bytes());
        out.push(b'-');
        text::suffix(out, mix(self.name, 17), 5);
    }

    pub(super) fn write_uid(&self, out: &mut Vec<u8>) {
        text::uuid(out, mix(self.name, 18));
    }

    pub(super) fn write_count(&self, out: &mut Vec<u8>) {
        text::number(out, 1 + self.name % 40);
    }

    pub(super) fn write_human(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(HUMANS[self.name as usize % HUMANS.len()].as_bytes());
    }

    pub(super) fn write_newcomer(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(PEOPLE[self.newcomer as usize % PEOPLE.len()].as_bytes());
    }

    /// Text that only this flow has: certificates and signing requests.
    pub(super) fn write_base64(&self, out: &mut Vec<u8>, salt: u64, length: usize) {
        text::base64(out, mix(self.name, salt), length);
    }

    /// An address on the internet.
    pub(super) fn write_octet(&self, out: &mut Vec<u8>) {
        text::number(out, 1 + mix(self.name, 19) % 254);
    }
}

/// A number below `bound`, the smaller the likelier: some namespaces and apps are busier than
/// others.
fn few(bound: u64, random: &mut Random) -> u64 {
    random.below(bound).min(random.below(bound))
}
