//! The profiles of the generator: which cluster a log is like. They differ in who sends requests
//! ([`Crowd`](super::caller::Crowd)) and in what the audit policy logs
//! ([`level`](super::policy::level)); the requests are the same.

/// The kind of cluster that a log is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// A small cluster with GKE's audit policy: some 60 users, bodies in four events of ten
    #[default]
    Cluster,
    /// A large cluster: 3,000 users in random order, bodies in one event of ten
    Large,
    /// As `large`, but each event has a user and a source address that no other event has
    Unique,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Self; 3] = [Self::Cluster, Self::Large, Self::Unique];

    /// Whether requests come from the users of `clients.txt`, and from them alone.
    pub(super) fn has_fixed_clients(self) -> bool {
        self == Self::Cluster
    }

    /// Whether no user may have a second event. Then requests are logged at one stage, nobody is
    /// impersonated, and requests without a user of their own are left out.
    pub(super) fn has_one_event_a_user(self) -> bool {
        self == Self::Unique
    }
}
