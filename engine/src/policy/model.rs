//! The audit policy: its levels, stages and rules, as `audit.k8s.io/v1` defines them.
//!
//! Plain data. Not responsible for: reading it (`load.rs`), what it decides (`evaluate.rs`).

use std::fmt;

/// How much of a request is recorded, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyLevel {
    /// Nothing.
    None,
    /// Who did what and with what result, without bodies.
    Metadata,
    /// Metadata and the request body.
    Request,
    /// Metadata and both bodies.
    RequestResponse,
}

impl PolicyLevel {
    /// Every level, from least to most.
    pub const ALL: [Self; 4] = [
        Self::None,
        Self::Metadata,
        Self::Request,
        Self::RequestResponse,
    ];

    /// The level's name in a policy and in an event.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }

    /// The level of this name; `None` if there is no such level. Case counts.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl fmt::Display for PolicyLevel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A stage of a request at which an event is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyStage {
    /// The request arrived.
    RequestReceived,
    /// The response of a long-running request began.
    ResponseStarted,
    /// The response is complete.
    ResponseComplete,
    /// The apiserver panicked.
    Panic,
}

impl PolicyStage {
    /// Every stage, in the order in which a request passes them.
    pub const ALL: [Self; 4] = [
        Self::RequestReceived,
        Self::ResponseStarted,
        Self::ResponseComplete,
        Self::Panic,
    ];

    /// The stage's name in a policy and in an event.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestReceived => "RequestReceived",
            Self::ResponseStarted => "ResponseStarted",
            Self::ResponseComplete => "ResponseComplete",
            Self::Panic => "Panic",
        }
    }

    /// The stage of this name; `None` if there is no such stage. Case counts.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

impl fmt::Display for PolicyStage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A policy that the apiserver accepts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPolicy {
    /// The rules; the first that matches a request decides.
    pub rules: Vec<PolicyRule>,
    /// Stages that are recorded for no request.
    pub omit_stages: Vec<PolicyStage>,
    /// Whether bodies lose their managed fields, where the rule does not say.
    pub omit_managed_fields: bool,
}

/// A rule of a policy. An empty list is no condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRule {
    /// The level of the requests that the rule matches.
    pub level: PolicyLevel,
    /// User names, as authenticated: impersonation happens after the policy is asked.
    pub users: Vec<String>,
    /// Groups, of which the user has at least one.
    pub user_groups: Vec<String>,
    /// Verbs, literally: `*` is a verb of that name.
    pub verbs: Vec<String>,
    /// Resources; requests for other URLs never match.
    pub resources: Vec<GroupResources>,
    /// Namespaces, literally; `""` is a request without a namespace.
    pub namespaces: Vec<String>,
    /// URLs that are not resources; a trailing `*` is a prefix.
    pub non_resource_urls: Vec<String>,
    /// Stages not recorded, beside those of the policy.
    pub omit_stages: Vec<PolicyStage>,
    /// Overrides the policy's value if given.
    pub omit_managed_fields: Option<bool>,
    /// The line on which the rule begins in its document; 0 for a rule that has none.
    pub line: usize,
}

impl PolicyRule {
    /// A rule that matches every request.
    pub fn at(level: PolicyLevel) -> Self {
        Self {
            level,
            users: Vec::new(),
            user_groups: Vec::new(),
            verbs: Vec::new(),
            resources: Vec::new(),
            namespaces: Vec::new(),
            non_resource_urls: Vec::new(),
            omit_stages: Vec::new(),
            omit_managed_fields: None,
            line: 0,
        }
    }
}

/// Resources of one API group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupResources {
    /// The API group; `""` is the core group, `*` every group.
    pub group: String,
    /// Resources (`pods`, `pods/log`, `pods/*`, `*/scale`, `*`); empty is all of the group.
    pub resources: Vec<String>,
    /// Names of objects; empty is all.
    pub resource_names: Vec<String>,
}
