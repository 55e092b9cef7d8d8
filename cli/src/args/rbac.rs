//! The arguments of `rbac`: one struct a command, with the flags that it uses.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{
    examples,
    flags::{AnswerFlags, Flags, INPUT},
    values::{duration, kubernetes_minor, rbac_subject},
};

#[derive(Debug, Args)]
pub(crate) struct RbacArgs {
    #[command(subcommand)]
    pub(crate) command: RbacVerb,
}

/// What is asked about RBAC.
#[derive(Debug, Subcommand)]
pub(crate) enum RbacVerb {
    /// Show every permission that is granted, and whether it was used
    #[command(after_help = examples::RBAC_USAGE)]
    Usage(RbacUsageArgs),
    /// Show what can be removed without denying any request of the log
    #[command(after_help = examples::RBAC_UNUSED)]
    Unused(RbacUnusedArgs),
    /// Write the roles and bindings that allow just what was used
    #[command(after_help = examples::RBAC_SUGGEST)]
    Suggest(RbacSuggestArgs),
    /// Show which past requests a change would deny or allow
    #[command(after_help = examples::RBAC_WHAT_IF)]
    WhatIf(RbacWhatIfArgs),
    /// Show what was refused, and the smallest rule that would allow it
    #[command(after_help = examples::RBAC_DENIED)]
    Denied(RbacDeniedArgs),
    /// Show risky permissions, where they lead, and whether they were used
    #[command(after_help = examples::RBAC_RISK)]
    Risk(RbacRiskArgs),
    /// Show every grant that allows the request of an event
    #[command(after_help = examples::RBAC_EXPLAIN)]
    Explain(RbacExplainArgs),
    /// Ask whether a user may do something
    #[command(after_help = examples::RBAC_CAN_I)]
    CanI(RbacCanIArgs),
    /// List everybody who may do something
    #[command(after_help = examples::RBAC_WHO_CAN)]
    WhoCan(RbacWhoCanArgs),
    /// Check that the recorded decisions are those that the objects give
    #[command(after_help = examples::RBAC_REPLAY)]
    Replay(RbacReplayArgs),
}

impl RbacVerb {
    pub(super) fn flags(&self) -> Flags {
        match self {
            Self::Usage(args) => args.read.flags(),
            Self::Unused(args) => args.read.flags(),
            Self::Suggest(args) => args.read.flags(),
            Self::WhatIf(args) => args.read.flags(),
            Self::Denied(args) => args.read.flags(),
            Self::Risk(args) => args.read.flags(),
            Self::Explain(args) => args.read.flags(),
            Self::CanI(args) => args.read.flags(),
            Self::WhoCan(args) => args.read.flags(),
            Self::Replay(args) => args.read.flags(),
        }
    }
}

/// What every command takes: RBAC objects and logs.
#[derive(Debug, Args)]
pub(crate) struct RbacReadFlags {
    /// Version of Kubernetes whose own roles are laid under manifests that have none of them
    #[arg(long, value_name = "1.N", value_parser = kubernetes_minor, help_heading = INPUT)]
    kubernetes_version: Option<u32>,
    #[command(flatten)]
    answer: AnswerFlags,
}

impl RbacReadFlags {
    fn flags(&self) -> Flags {
        Flags {
            kubernetes_minor: self.kubernetes_version,
            ..self.answer.flags()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RbacUsageArgs {
    /// What the rows are about
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) by: UsageBy,
    /// Only this subject: `user:NAME`, `group:NAME`, `serviceaccount:NAMESPACE/NAME`
    #[arg(long, value_name = "KIND:NAME", value_parser = rbac_subject)]
    pub(crate) subject: Option<(String, String, String)>,
    /// Audit policy of the cluster: what it does not record is not called unused
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<String>,
    #[command(flatten)]
    read: RbacReadFlags,
}

// No docs on the values: `--help` would list each on a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum UsageBy {
    #[default]
    Permission,
    Subject,
    Binding,
    Role,
    Rule,
}

#[derive(Debug, Args)]
pub(crate) struct RbacUnusedArgs {
    /// Shorter windows are said to be too short to conclude from, such as `30d`
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30d")]
    pub(crate) min_window: i64,
    /// List what Kubernetes itself creates, too
    #[arg(long)]
    pub(crate) bootstrap: bool,
    /// List only what no request needed, not what other grants allow as well
    #[arg(long)]
    pub(crate) keep_redundant: bool,
    #[command(flatten)]
    read: RbacReadFlags,
}

#[derive(Debug, Args)]
#[group(id = "subjects", required = true, args = ["subject", "all"])]
pub(crate) struct RbacSuggestArgs {
    /// For this subject: `user:NAME`, `group:NAME`, `serviceaccount:NAMESPACE/NAME`; repeatable
    #[arg(long, value_name = "KIND:NAME", value_parser = rbac_subject)]
    pub(crate) subject: Vec<(String, String, String)>,
    /// For every user and service account of the log, except `system:` users that are not service
    /// accounts and members of system:masters
    #[arg(long)]
    pub(crate) all: bool,
    /// Compare with what is granted now, instead of writing the roles
    #[arg(long)]
    pub(crate) diff: bool,
    /// Allow what was refused, too
    #[arg(long)]
    pub(crate) include_denied: bool,
    /// From N different names of a resource on, allow every name
    #[arg(long, value_name = "N")]
    pub(crate) any_name_from: Option<usize>,
    /// From N namespaces on, allow every namespace
    #[arg(long, value_name = "N")]
    pub(crate) any_namespace_from: Option<usize>,
    /// Allow get, list and watch together
    #[arg(long)]
    pub(crate) reads_together: bool,
    #[command(flatten)]
    read: RbacReadFlags,
}

#[derive(Debug, Args)]
#[group(id = "change", required = true, args = ["remove", "apply"], multiple = true)]
pub(crate) struct RbacWhatIfArgs {
    /// Remove a binding or role: `clusterrolebinding/NAME`, `rolebinding/NAMESPACE/NAME`,
    /// `clusterrole/NAME`, `role/NAMESPACE/NAME`; repeatable
    #[arg(long, value_name = "OBJECT")]
    pub(crate) remove: Vec<String>,
    /// Apply a file of roles and bindings, as kubectl would; repeatable
    #[arg(long, value_name = "FILE")]
    pub(crate) apply: Vec<PathBuf>,
    #[command(flatten)]
    read: RbacReadFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RbacDeniedArgs {
    /// Call a user who was refused at least N different things a scanner
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) broad_from: usize,
    #[command(flatten)]
    read: RbacReadFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RbacRiskArgs {
    /// Only this subject: `user:NAME`, `group:NAME`, `serviceaccount:NAMESPACE/NAME`
    #[arg(long, value_name = "KIND:NAME", value_parser = rbac_subject)]
    pub(crate) subject: Option<(String, String, String)>,
    #[command(flatten)]
    read: RbacReadFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RbacExplainArgs {
    /// Audit ID of the event
    #[arg(value_name = "AUDIT_ID")]
    pub(crate) audit_id: String,
    #[command(flatten)]
    read: RbacReadFlags,
}

/// A request in kubectl's words.
#[derive(Debug, Args)]
pub(crate) struct RequestWords {
    /// Verb, such as `get`; `*` for any
    pub(crate) verb: String,
    /// Resource as rules spell it, such as `pods`, `pods/exec` or `deployments.apps`; or a path such
    /// as `/healthz`
    #[arg(value_name = "RESOURCE|PATH")]
    pub(crate) target: String,
    /// Namespace [default: none, as for a request to the whole cluster]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// Name of the object
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// API group [default: that of RESOURCE, or else the core group]
    #[arg(long, value_name = "GROUP")]
    pub(crate) api_group: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RbacCanIArgs {
    #[command(flatten)]
    pub(crate) request: RequestWords,
    /// User, such as `alice` or `system:serviceaccount:NAMESPACE:NAME`
    #[arg(long = "as", value_name = "USER", required = true)]
    pub(crate) user: String,
    /// Group of the user; repeatable [default: the groups that every such user is in]
    #[arg(long = "as-group", value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    #[command(flatten)]
    read: RbacReadFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RbacWhoCanArgs {
    #[command(flatten)]
    pub(crate) request: RequestWords,
    #[command(flatten)]
    read: RbacReadFlags,
}

#[derive(Debug, Args)]
pub(crate) struct RbacReplayArgs {
    /// Judge each event by the objects as they were at its time: the writes in the log are laid over
    /// the input
    #[arg(long)]
    pub(crate) as_of_events: bool,
    #[command(flatten)]
    read: RbacReadFlags,
}
