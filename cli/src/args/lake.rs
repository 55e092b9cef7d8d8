//! The arguments of `lake`: one struct a command, with the flags that it uses.

use clap::{Args, Subcommand};

use super::{
    examples,
    flags::{
        AccountFlags, Flags, INPUT, MemoryFlags, OutputFlags, QuietFlags, RecordFlags, ThreadFlags,
        VersionFlags, WindowFlags,
    },
    values::duration,
};

#[derive(Debug, Args)]
pub(crate) struct LakeArgs {
    #[command(subcommand)]
    pub(crate) command: LakeVerb,
}

/// What is done to a lake.
#[derive(Debug, Subcommand)]
pub(crate) enum LakeVerb {
    /// List the logs a lake was made from, and what was read of each
    #[command(after_help = examples::SOURCES)]
    Sources(SourcesArgs),
    /// List the versions of a lake, newest first
    #[command(after_help = examples::HISTORY)]
    History(HistoryArgs),
    /// Check a lake against its evidence and the original logs
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Write the original events as JSON lines
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Merge small files into large ones, sorted by time
    #[command(after_help = examples::OPTIMIZE)]
    Optimize(OptimizeArgs),
    /// Remove old days
    #[command(after_help = examples::EXPIRE)]
    Expire(ExpireArgs),
    /// Delete the files of expired days, merged files and killed runs
    #[command(after_help = examples::VACUUM)]
    Vacuum(VacuumArgs),
}

impl LakeVerb {
    pub(super) fn flags(&self) -> Flags {
        match self {
            Self::Sources(args) => Flags {
                as_of: args.version.as_of,
                ..args.rows.flags()
            },
            Self::History(args) => args.rows.flags(),
            Self::Verify(args) => Flags {
                max_record: args.record.max_record,
                threads: args.threads.threads,
                ..args.rows.flags()
            },
            Self::Export(args) => Flags {
                allow_empty: true,
                window: args.window,
                as_of: args.version.as_of,
                threads: args.threads.threads,
                memory: args.memory.memory,
                to: Some(args.to.clone()),
                summary: args.account.summary.clone(),
                quiet: args.account.quiet.quiet,
                ..Flags::default()
            },
            Self::Optimize(args) => Flags {
                threads: args.threads.threads,
                memory: args.memory.memory,
                ..args.rows.flags()
            },
            Self::Expire(args) => args.rows.flags(),
            Self::Vacuum(args) => args.rows.flags(),
        }
    }
}

/// Which lake.
#[derive(Debug, Args)]
pub(crate) struct LakeName {
    /// The lake: a folder, or a URL of S3, Cloud Storage or Azure
    #[arg(value_name = "LAKE")]
    pub(crate) lake: String,
}

/// How rows about a lake are written.
#[derive(Debug, Args)]
pub(crate) struct RowFlags {
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    quiet: QuietFlags,
}

impl RowFlags {
    fn flags(&self) -> Flags {
        Flags {
            output: self.output.output.clone(),
            quiet: self.quiet.quiet,
            ..Flags::default()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SourcesArgs {
    #[command(flatten)]
    pub(crate) name: LakeName,
    #[command(flatten)]
    version: VersionFlags,
    #[command(flatten)]
    rows: RowFlags,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub(crate) name: LakeName,
    /// Show only the newest N versions
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    rows: RowFlags,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) name: LakeName,
    /// Where to find original logs that have been moved; repeatable
    #[arg(short, long, value_name = "INPUT", help_heading = INPUT)]
    pub(crate) input: Vec<String>,
    /// Do not compare with the original logs
    #[arg(long, conflicts_with = "input", help_heading = INPUT)]
    pub(crate) no_originals: bool,
    #[command(flatten)]
    record: RecordFlags,
    #[command(flatten)]
    threads: ThreadFlags,
    #[command(flatten)]
    rows: RowFlags,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) name: LakeName,
    /// File to write; `-` for stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) to: String,
    /// Only the events of this log, in their original order (`source_id` in `auditql lake sources`)
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
    #[command(flatten)]
    window: WindowFlags,
    #[command(flatten)]
    version: VersionFlags,
    #[command(flatten)]
    threads: ThreadFlags,
    #[command(flatten)]
    memory: MemoryFlags,
    #[command(flatten)]
    account: AccountFlags,
}

#[derive(Debug, Args)]
pub(crate) struct OptimizeArgs {
    #[command(flatten)]
    pub(crate) name: LakeName,
    #[command(flatten)]
    threads: ThreadFlags,
    #[command(flatten)]
    memory: MemoryFlags,
    #[command(flatten)]
    rows: RowFlags,
}

#[derive(Debug, Args)]
pub(crate) struct ExpireArgs {
    #[command(flatten)]
    pub(crate) name: LakeName,
    /// Remove days that ended longer ago than this, such as 400d or 52w
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) older_than: i64,
    /// Only show what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    rows: RowFlags,
}

#[derive(Debug, Args)]
pub(crate) struct VacuumArgs {
    #[command(flatten)]
    pub(crate) name: LakeName,
    /// Delete files unused for longer than this, such as 7d or 12h; must exceed the longest run
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "7d")]
    pub(crate) older_than: i64,
    /// Only show what would be deleted
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    rows: RowFlags,
}
