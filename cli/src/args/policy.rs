//! The arguments of `policy`: one struct a command, with the flags that it uses.

use clap::{Args, Subcommand, ValueEnum};

use super::{
    examples,
    flags::{AnswerFlags, Flags, OutputFlags, QuietFlags},
    values::percent,
};

#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    pub(crate) command: PolicyVerb,
}

/// What is asked about an audit policy.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Check a policy: what the apiserver refuses, and what its author will regret
    #[command(after_help = examples::POLICY_LINT)]
    Lint(PolicyLintArgs),
    /// Show which rule decides on each event of a log, or on one request, and why
    #[command(after_help = examples::POLICY_EXPLAIN)]
    Explain(Box<PolicyExplainArgs>),
    /// Show what a policy would have recorded of a log, by rule
    #[command(after_help = examples::POLICY_SIMULATE)]
    Simulate(PolicySimulateArgs),
    /// Show which saved queries a policy or a log lets you ask
    #[command(after_help = examples::POLICY_COVERAGE)]
    Coverage(PolicyCoverageArgs),
    /// Suggest rules that make a log smaller, with what they save and hide
    #[command(after_help = examples::POLICY_SUGGEST)]
    Suggest(PolicySuggestArgs),
}

impl PolicyVerb {
    pub(super) fn flags(&self) -> Flags {
        match self {
            Self::Lint(args) => Flags {
                output: args.output.output.clone(),
                quiet: args.quiet.quiet,
                ..Flags::default()
            },
            Self::Explain(args) => args.log.flags(),
            Self::Simulate(args) => args.log.flags(),
            Self::Coverage(args) => args.log.flags(),
            Self::Suggest(args) => args.log.flags(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PolicyLintArgs {
    /// Audit policy, in YAML or JSON; `-` for stdin
    pub(crate) file: String,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    quiet: QuietFlags,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyExplainArgs {
    /// Audit policy, in YAML or JSON; `-` for stdin
    pub(crate) file: String,
    #[command(flatten)]
    pub(crate) request: RequestFlags,
    #[command(flatten)]
    log: AnswerFlags,
}

/// One request, instead of a log.
#[derive(Debug, Args)]
#[group(id = "request", multiple = true, conflicts_with = "input")]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestFlags {
    /// Verb: get, list, watch, create, …; for a path, the method in lower case
    #[arg(long, value_name = "VERB")]
    pub(crate) verb: Option<String>,
    /// Resource, such as `pods`, `pods/exec` or `deployments.apps`
    #[arg(long, value_name = "RESOURCE", conflicts_with = "path")]
    pub(crate) resource: Option<String>,
    /// Subresource, such as `exec`
    #[arg(long, value_name = "NAME", requires = "resource")]
    pub(crate) subresource: Option<String>,
    /// API group of the resource [default: the core group]
    #[arg(long, value_name = "GROUP", requires = "resource")]
    pub(crate) api_group: Option<String>,
    /// Namespace
    #[arg(long, value_name = "NAME", requires = "resource")]
    pub(crate) namespace: Option<String>,
    /// Name of the object
    #[arg(long, value_name = "NAME", requires = "resource")]
    pub(crate) name: Option<String>,
    /// Path of the request, such as `/healthz`
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Authenticated user; without one, authentication failed
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Group of the user; repeatable
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(crate) group: Vec<String>,
}

impl RequestFlags {
    /// Whether a request is given.
    pub(crate) const fn is_given(&self) -> bool {
        self.verb.is_some() || self.resource.is_some() || self.path.is_some() || self.user.is_some()
    }
}

#[derive(Debug, Args)]
pub(crate) struct PolicySimulateArgs {
    /// Audit policy, in YAML or JSON; `-` for stdin
    pub(crate) file: String,
    /// What the rows are about: the rules, or the saved queries that lose evidence
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub(crate) by: SimulatedBy,
    #[command(flatten)]
    log: AnswerFlags,
}

// No docs on the values: `--help` would list each on a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SimulatedBy {
    #[default]
    Rule,
    Query,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCoverageArgs {
    /// Audit policy, in YAML or JSON; `-` for stdin [default: what the log shows]
    pub(crate) file: Option<String>,
    #[command(flatten)]
    log: AnswerFlags,
}

#[derive(Debug, Args)]
pub(crate) struct PolicySuggestArgs {
    /// Audit policy that the changes are for; `-` for stdin [default: one made from the log]
    pub(crate) file: Option<String>,
    /// Leave out changes that save less than this share of the events and of the bytes
    #[arg(long, value_name = "PERCENT", value_parser = percent, default_value = "1")]
    pub(crate) min_saving: f64,
    #[command(flatten)]
    log: AnswerFlags,
}
