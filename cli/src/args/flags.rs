//! The flags that several commands take, in groups: each command lists the groups that it uses,
//! and so its `--help` shows them. [`Flags`] holds all groups, for the settings.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};

use super::values::{Moment, Version, duration, log_format, moment, size, table, version};
use crate::output::{OUTPUTS, Output, text_outputs};

/// Headings of `--help`.
pub(super) const INPUT: &str = "Input";
pub(super) const LIMITS: &str = "Limits";
pub(super) const OUTPUT: &str = "Output";

/// The flags of any command. A group that the command does not take is at its default.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags {
    /// `None`: the command reads no input, so `AUDITQL_INPUT` means nothing to it.
    pub(crate) input: Option<Vec<String>>,
    pub(crate) window: WindowFlags,
    pub(crate) as_of: Option<Version>,
    pub(crate) log: LogFlags,
    /// The version of Kubernetes, 1.`kubernetes_minor`, whose own roles are assumed.
    pub(crate) kubernetes_minor: Option<u32>,
    pub(crate) own: OwnFlags,
    pub(crate) max_record: Option<usize>,
    pub(crate) threads: Option<u16>,
    pub(crate) memory: Option<usize>,
    pub(crate) allow_writes: bool,
    pub(crate) allow_empty: bool,
    pub(crate) output: Option<String>,
    pub(crate) summary: Option<PathBuf>,
    /// The file or lake that the command writes.
    pub(crate) to: Option<String>,
    /// Files that the command writes besides.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) quiet: bool,
    /// Folders of saved queries of the user's own.
    pub(crate) library: Vec<PathBuf>,
}

/// What a command takes that reads any input.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ReadFlags {
    #[command(flatten)]
    pub(crate) input: InputFlags,
    #[command(flatten)]
    pub(crate) window: WindowFlags,
    #[command(flatten)]
    pub(crate) version: VersionFlags,
    #[command(flatten)]
    pub(crate) log: LogFlags,
    #[command(flatten)]
    pub(crate) record: RecordFlags,
    #[command(flatten)]
    pub(crate) threads: ThreadFlags,
    #[command(flatten)]
    pub(crate) memory: MemoryFlags,
}

impl ReadFlags {
    pub(super) fn flags(&self) -> Flags {
        Flags {
            input: Some(self.input.input.clone()),
            window: self.window,
            as_of: self.version.as_of,
            log: self.log.clone(),
            max_record: self.record.max_record,
            threads: self.threads.threads,
            memory: self.memory.memory,
            ..Flags::default()
        }
    }
}

/// What a command takes that answers from any input with rows.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AnswerFlags {
    #[command(flatten)]
    empty: EmptyFlags,
    #[command(flatten)]
    read: ReadFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    account: AccountFlags,
}

impl AnswerFlags {
    pub(super) fn flags(&self) -> Flags {
        Flags {
            allow_empty: self.empty.allow_empty,
            output: self.output.output.clone(),
            summary: self.account.summary.clone(),
            quiet: self.account.quiet.quiet,
            ..self.read.flags()
        }
    }
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct InputFlags {
    /// File, folder, quoted glob, store URL, or `-` for stdin; repeatable [env: AUDITQL_INPUT, a
    /// comma-separated list]
    #[arg(short, long, value_name = "INPUT", help_heading = INPUT)]
    pub(crate) input: Vec<String>,
}

/// What the user gives beside logs.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OwnFlags {
    /// Read a table of your own, or rows for a lookup table, from a file: CSV, TSV, JSON, JSON lines,
    /// YAML, or one value a line; repeatable
    #[arg(long = "table", value_name = "NAME=FILE", value_parser = table, help_heading = INPUT)]
    pub(crate) tables: Vec<(String, PathBuf)>,
    /// Compare with this much time before --since, such as `30d`, in queries about what is new
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = INPUT)]
    pub(crate) baseline: Option<i64>,
    /// Compare with an earlier log; repeatable
    #[arg(long, value_name = "INPUT", conflicts_with = "baseline", help_heading = INPUT)]
    pub(crate) baseline_input: Vec<String>,
}

/// A folder of saved queries.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LibraryFlags {
    /// Add the saved queries in a folder of your own (PACK/ID.sql); repeatable [env: AUDITQL_LIBRARY]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) library: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct EmptyFlags {
    /// Succeed if the input holds no audit events [default: exit 3]
    #[arg(long, help_heading = INPUT)]
    pub(crate) allow_empty: bool,
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct WindowFlags {
    /// Only events at or after this time: RFC 3339, a date, or a duration back from now such as
    /// `24h` or `7d`
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true, help_heading = INPUT)]
    pub(crate) since: Option<Moment>,
    /// Only events before this time
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true, help_heading = INPUT)]
    pub(crate) until: Option<Moment>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct VersionFlags {
    /// Read lakes as of this version (see `auditql lake history`) or time
    #[arg(long, value_name = "VERSION|TIME", value_parser = version, allow_hyphen_values = true, help_heading = INPUT)]
    pub(crate) as_of: Option<Version>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LogFlags {
    /// Cluster name for logs that do not record one
    #[arg(long, value_name = "NAME", help_heading = INPUT)]
    pub(crate) cluster: Option<String>,
    /// Skip duplicate events in raw logs
    #[arg(long, help_heading = INPUT)]
    pub(crate) dedup: bool,
    /// Read only this log format (see `auditql formats`) [default: detect]
    #[arg(long = "format", value_name = "NAME", value_parser = log_format, help_heading = INPUT)]
    pub(crate) log_format: Option<String>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RecordFlags {
    /// Reject records longer than this [default: 16MiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = LIMITS)]
    pub(crate) max_record: Option<usize>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ThreadFlags {
    /// Number of worker threads [default: one per CPU]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = LIMITS)]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MemoryFlags {
    /// Memory for sorts, joins and aggregations before they spill to disk [default: 1GiB]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = LIMITS)]
    pub(crate) memory: Option<usize>,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WriteFlags {
    /// Allow statements that write: DDL, DML, COPY
    #[arg(long, help_heading = LIMITS)]
    pub(crate) allow_writes: bool,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OutputFlags {
    /// Output format [default: table]
    #[arg(short, long, value_name = "FORMAT", value_parser = any_output(), help_heading = OUTPUT)]
    pub(crate) output: Option<String>,
}

/// What a command takes that accounts for what it read.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AccountFlags {
    /// Write the account of the run (records read, events, rejects, skipped) to FILE as JSON
    #[arg(long, value_name = "FILE", help_heading = OUTPUT)]
    pub(crate) summary: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) quiet: QuietFlags,
}

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct QuietFlags {
    /// Print only errors on stderr: no account, no progress
    #[arg(short, long, help_heading = OUTPUT)]
    pub(crate) quiet: bool,
}

/// Every output format.
fn any_output() -> PossibleValuesParser {
    possible_values(OUTPUTS.iter().copied())
}

/// The output formats that a terminal can show.
pub(super) fn text_output() -> PossibleValuesParser {
    possible_values(text_outputs())
}

fn possible_values(outputs: impl Iterator<Item = &'static dyn Output>) -> PossibleValuesParser {
    outputs
        .map(|output| PossibleValue::new(output.name()).help(output.doc()))
        .collect::<Vec<_>>()
        .into()
}
