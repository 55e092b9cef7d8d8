//! The command line: words in, a command with its arguments and [`Flags`] out, or an error that
//! says which command takes a flag.
//!
//! Each command accepts the flags that it uses and no other. Not responsible for what flags mean:
//! the settings put defaults and the environment where nothing was given.

mod check;
mod commands;
mod examples;
mod flags;
mod lake;
mod order;
mod policy;
mod rbac;
mod refusal;
mod values;

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

pub(crate) use check::{CheckArgs, FailOn, ReportFormat, ReportTarget};
pub(crate) use commands::{
    CompletionsArgs, ConvertArgs, QueriesArgs, QueriesCommand, RunArgs, SchemaArgs, ShellArgs,
    SqlArgs,
};
pub(crate) use flags::Flags;
pub(crate) use lake::{ExportArgs, LakeArgs, LakeVerb};
pub(crate) use policy::{
    PolicyArgs, PolicyCoverageArgs, PolicyExplainArgs, PolicyLintArgs, PolicySimulateArgs,
    PolicySuggestArgs, PolicyVerb, RequestFlags, SimulatedBy,
};
pub(crate) use rbac::{
    RbacArgs, RbacCanIArgs, RbacDeniedArgs, RbacExplainArgs, RbacReplayArgs, RbacRiskArgs,
    RbacSuggestArgs, RbacUnusedArgs, RbacUsageArgs, RbacVerb, RbacWhatIfArgs, RbacWhoCanArgs,
    RequestWords, UsageBy,
};
pub(crate) use values::{Version, parameter};

use commands::FormatsArgs;

/// SQL for Kubernetes audit logs: who did what, who was refused, which permissions are used
///
/// Reads files, folders, globs, stdin and object stores: plain or compressed (gzip, zstd, bzip2,
/// xz), raw or Parquet, in any mix. Files are recognised by content, never by name. Without a
/// command, auditql opens the shell.
#[derive(Debug, Parser)]
#[command(
    name = "auditql",
    bin_name = "auditql",
    version,
    max_term_width = 100,
    args_override_self = true,
    after_help = examples::AUDITQL
)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    /// For the shell that opens without a command.
    #[command(flatten)]
    shell: ShellArgs,
    /// When to colour messages; `auto` needs a terminal, and respects NO_COLOR and TERM=dumb
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = flags::OUTPUT
    )]
    color: ColorChoice,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open the interactive shell (the default)
    #[command(after_help = examples::SHELL)]
    Shell(ShellArgs),
    /// Run SQL statements
    #[command(after_help = examples::SQL)]
    Sql(SqlArgs),
    /// Run a saved query
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// List saved queries, or show one in full
    #[command(after_help = examples::QUERIES)]
    Queries(QueriesArgs),
    /// Ask many saved queries at once, and fail on what they find
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Convert logs to Parquet or JSON lines, or add them to a lake
    #[command(after_help = examples::CONVERT)]
    Convert(ConvertArgs),
    /// Inspect and maintain a lake
    Lake(LakeArgs),
    /// Check an audit policy, and show what it records and hides
    Policy(PolicyArgs),
    /// Show which permissions are granted, used, removable and risky
    Rbac(RbacArgs),
    /// List tables, views and functions, or the columns of one table
    #[command(after_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// List the log formats that auditql reads
    #[command(after_help = examples::FORMATS)]
    Formats(FormatsArgs),
    /// Print shell completions
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man,
}

impl Command {
    /// The flags that the command was given.
    pub(crate) fn flags(&self) -> Flags {
        let output = |output: &flags::OutputFlags| Flags {
            output: output.output.clone(),
            ..Flags::default()
        };
        match self {
            Self::Shell(args) => args.flags(),
            Self::Sql(args) => args.flags(),
            Self::Run(args) => args.flags(),
            Self::Check(args) => args.flags(),
            Self::Convert(args) => args.flags(),
            Self::Lake(args) => args.command.flags(),
            Self::Policy(args) => args.command.flags(),
            Self::Rbac(args) => args.command.flags(),
            Self::Queries(args) => Flags {
                library: args.library.library.clone(),
                ..output(&args.output)
            },
            Self::Schema(args) => output(&args.output),
            Self::Formats(args) => output(&args.output),
            Self::Completions(_) | Self::Man => Flags::default(),
        }
    }
}

// No docs on the values: `--help` would list each on a line of its own, for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

/// Parses the words of the command line, the program's name first.
pub(crate) fn parse(
    words: impl IntoIterator<Item = OsString>,
) -> Result<(Command, ColorChoice), clap::Error> {
    let mut definition = definition();
    let words = order::flags_behind_command(words.into_iter().collect(), &definition);
    let matches = definition
        .try_get_matches_from_mut(&words)
        .map_err(|error| refusal::explain(error, &words, &definition))?;
    let line = <CommandLine as clap::FromArgMatches>::from_arg_matches(&matches)?;
    let command = line.command.unwrap_or(Command::Shell(line.shell));
    Ok((command, line.color))
}

/// The definition of the command line, for completions and the manual.
pub(crate) fn definition() -> clap::Command {
    let mut definition = CommandLine::command();
    definition.build();
    definition
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(Command, ColorChoice), clap::Error> {
        parse(line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_definition_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn without_a_command_the_shell_opens() {
        let (command, _) = parsed("auditql -i a.log --since 24h").unwrap();
        assert!(matches!(command, Command::Shell(_)));
        assert_eq!(command.flags().input, Some(vec!["a.log".to_owned()]));
    }

    #[test]
    fn flags_stand_before_and_after_the_command() {
        for line in [
            "auditql sql x -i a.log -q --threads 2",
            "auditql -q -i a.log --threads=2 sql x",
            "auditql -qia.log sql x --threads 2",
            "auditql -q sql --threads 3 -q --threads 2 x -i a.log",
        ] {
            let (command, _) = parsed(line).unwrap();
            assert!(matches!(command, Command::Sql(_)), "{line}");
            let flags = command.flags();
            assert_eq!(flags.input, Some(vec!["a.log".to_owned()]), "{line}");
            assert!(flags.quiet && flags.threads == Some(2), "{line}");
        }
    }

    #[test]
    fn a_flag_that_is_not_used_is_refused_with_the_commands_that_use_it() {
        for (line, says) in [
            (
                "auditql schema --since 24h",
                "`schema` does not use `--since`",
            ),
            (
                "auditql --since 24h schema",
                "`schema` does not use `--since`",
            ),
            (
                "auditql lake history lake --summary run.json",
                "`--summary` works with: shell, sql, run, check, convert, lake export",
            ),
            (
                "auditql lake expire -i a.log lake --older-than 1d",
                "`lake expire` does not use `-i`",
            ),
            ("auditql -P a=b", "`shell` does not use `-P`"),
        ] {
            let error = parsed(line).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(says), "{line}: {error}");
        }
    }

    #[test]
    fn defaults_in_help_are_the_engines() {
        let defaults = auditql_engine::Options::default();
        assert_eq!((defaults.max_record, defaults.memory), (16 << 20, 1 << 30));
    }

    #[test]
    fn a_word_that_is_no_command() {
        for line in ["auditql nonsense", "auditql -i a.log nonsense"] {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.contains("unrecognized subcommand"), "{error}");
        }
    }

    #[test]
    fn examples_fit_80_columns() {
        fn check(command: &clap::Command) {
            for line in command.get_after_help().iter().flat_map(|text| {
                let text = text.to_string();
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            }) {
                assert!(line.chars().count() < 80, "{line}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&definition());
    }
}
