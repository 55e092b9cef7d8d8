//! Every argument: what the user types in, typed values out.

use std::path::PathBuf;

use auditql_engine::{AsOf, Options, StoreSettings, Window, parse_duration, parse_time};
use clap::{Args as ClapArgs, Parser, Subcommand};

use crate::{args_lake::Lake, terminal::When};

/// SQL for Kubernetes audit logs: who did what, who was refused, which permissions are used.
///
/// Without a command the shell is opened. Inputs are files, folders, globs and `-` for stdin; plain
/// or compressed (gzip, zstd, bzip2, xz), raw or Parquet, recognised by content, in any mixture.
#[derive(Debug, Parser)]
#[command(
    name = "auditql",
    version,
    arg_required_else_help = false,
    max_term_width = 100,
    after_help = "Examples:\n  auditql -i audit.log                                   open the shell\n  auditql sql \"SELECT count(*) FROM requests\" -i logs/    ask one question\n  auditql run secrets-read-by-humans -i logs/ --since 24h run a saved query\n  auditql queries                                        list the saved queries\n  auditql convert -i logs/ --to events.parquet           convert once, ask often\n  auditql convert -i logs/ --to lake                     again and again: what is new\n  auditql lake verify lake                               is it what was read?\n\nExit codes: 0 fine, 1 findings, 2 error, 3 part of the input could not be read, 130 interrupted"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) input: Input,
    /// When to colour messages.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    pub(crate) color: When,
}

/// What is read, and within which limits.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Input {
    /// File, folder, glob, or `-` for stdin; repeatable. Else the comma-separated list in
    /// AUDITQL_INPUT.
    #[arg(
        short,
        long,
        global = true,
        num_args = 1,
        value_name = "INPUT",
        help_heading = "Input"
    )]
    pub(crate) input: Vec<String>,
    /// Only events from this time on: RFC 3339, a date, or a span back from now such as `24h` or
    /// `7d`.
    #[arg(long, global = true, value_name = "TIME", value_parser = time, allow_hyphen_values = true, help_heading = "Input")]
    pub(crate) since: Option<i64>,
    /// Only events before this time.
    #[arg(long, global = true, value_name = "TIME", value_parser = time, allow_hyphen_values = true, help_heading = "Input")]
    pub(crate) until: Option<i64>,
    /// Name of the cluster, for logs that do not say.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Input")]
    pub(crate) cluster: Option<String>,
    /// Leave out events that were delivered twice.
    #[arg(long, global = true, help_heading = "Input")]
    pub(crate) dedup: bool,
    /// Lakes as they were: a version that `auditql lake history` lists, or a time.
    #[arg(long, global = true, value_name = "VERSION|TIME", value_parser = as_of, help_heading = "Input")]
    pub(crate) as_of: Option<AsOf>,
    /// Look for this format only, one that `auditql formats` lists; otherwise each record's is
    /// found out.
    #[arg(
        long = "format",
        id = "log-format",
        global = true,
        value_name = "NAME",
        help_heading = "Input"
    )]
    pub(crate) log_format: Option<String>,
    /// The longest record; longer ones are rejected.
    #[arg(long, global = true, value_name = "SIZE", value_parser = size, default_value = "16MiB", help_heading = "Input")]
    pub(crate) max_record: usize,
    /// Worker threads; one a processor if not given.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Limits")]
    pub(crate) threads: Option<u16>,
    /// Memory that sorts, joins and aggregations may hold before they spill to disk.
    #[arg(long, global = true, value_name = "SIZE", value_parser = size, default_value = "1GiB", help_heading = "Limits")]
    pub(crate) memory: usize,
    /// Allow statements that write: DDL, DML, COPY.
    #[arg(long, global = true, help_heading = "Limits")]
    pub(crate) allow_writes: bool,
    /// Write the account of the run (records read, events, rejects, skipped, inputs) to this file
    /// as JSON.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub(crate) summary: Option<PathBuf>,
    /// No account, no progress on stderr; errors only.
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
}

impl Input {
    /// The engine's options.
    pub(crate) fn options(&self) -> Options {
        let mut inputs = self.input.clone();
        if inputs.is_empty() {
            let from_env = std::env::var("AUDITQL_INPUT").unwrap_or_default();
            inputs.extend(
                from_env
                    .split(',')
                    .map(str::trim)
                    .filter(|input| !input.is_empty())
                    .map(str::to_owned),
            );
        }
        let defaults = Options::default();
        Options {
            inputs,
            window: Window {
                since: self.since,
                until: self.until,
            },
            cluster: self.cluster.clone(),
            dedup: self.dedup,
            format: self.log_format.clone(),
            as_of: self.as_of,
            stores: StoreSettings {
                // What is no UTF-8 is no setting of a store.
                variables: std::env::vars_os()
                    .filter_map(|(name, value)| {
                        Some((name.into_string().ok()?, value.into_string().ok()?))
                    })
                    .collect(),
                home: std::env::home_dir(),
            },
            max_record: self.max_record,
            threads: self.threads.map_or(defaults.threads, usize::from),
            memory: self.memory,
            transaction: defaults.transaction,
            allow_writes: self.allow_writes,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open the shell.
    Shell,
    /// Answer SQL statements.
    #[command(
        after_help = "Example:\n  auditql sql \"SELECT username, verb, resource, count(*) n FROM requests GROUP BY ALL ORDER BY n DESC LIMIT 10\" -i audit.log"
    )]
    Sql(Sql),
    /// Run a saved query.
    #[command(
        after_help = "Example:\n  auditql run secrets-read-by-humans -i audit.log --since 24h -P namespace=payments"
    )]
    Run(Run),
    /// List the saved queries, or show one whole.
    Queries(Queries),
    /// Write the events of the input to one file (Parquet, or the original events as JSON lines),
    /// or what is new of them into a lake.
    #[command(
        after_help = "Examples:\n  auditql convert -i /var/log/kubernetes/ --to /srv/lake        again and again: each record is there once\n  auditql convert -i s3://logs/2026/ --to s3://evidence/lake\n  auditql convert -i logs/ --to events.parquet --summary run.json\n  auditql convert -i events.parquet --to events.jsonl"
    )]
    Convert(Convert),
    /// Look at a lake and look after it: its evidence, its history, what it was made from; fewer
    /// files, fewer days.
    Lake(Lake),
    /// Show the tables, views and functions, or the columns of one table.
    Schema(Schema),
    /// List the formats that are read.
    Formats(Listing),
    /// Print the completions of a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Sql {
    /// The statements, separated by `;`.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// Read the statements from this file; `-` for stdin.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Run {
    /// Id of the saved query; `auditql queries` lists them.
    pub(crate) query: String,
    /// A parameter of the query; repeatable.
    #[arg(short = 'P', long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) params: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Queries {
    #[command(subcommand)]
    pub(crate) command: Option<QueriesCommand>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueriesCommand {
    /// Print a saved query: description, parameters, SQL.
    Show {
        /// Its id.
        query: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Convert {
    /// The file to write: .parquet, .jsonl, .ndjson or .log; or a lake: a folder, or a URL of S3,
    /// Cloud Storage or Azure.
    #[arg(long, value_name = "FILE|LAKE")]
    pub(crate) to: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Schema {
    /// A table or view.
    pub(crate) table: Option<String>,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Listing {
    #[command(flatten)]
    pub(crate) format: Format,
}

/// How rows are written.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Format {
    /// Output format.
    #[arg(short, long, value_name = "FORMAT", value_parser = output(), default_value = "table", help_heading = "Output")]
    pub(crate) output: String,
}

fn output() -> clap::builder::PossibleValuesParser {
    let values = crate::output::OUTPUTS
        .iter()
        .map(|output| clap::builder::PossibleValue::new(output.name()).help(output.doc()));
    clap::builder::PossibleValuesParser::new(values)
}

/// A version, or a time.
fn as_of(text: &str) -> Result<AsOf, String> {
    match text.parse() {
        Ok(version) => Ok(AsOf::Version(version)),
        Err(_) => time(text)
            .map(AsOf::Time)
            .map_err(|error| error.to_string()),
    }
}

/// Now, in microseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since_epoch = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

/// A span of time, in microseconds.
pub(crate) fn span(text: &str) -> Result<i64, String> {
    parse_duration(text).ok_or_else(|| "no span such as 12h, 7d or 400d".to_owned())
}

/// A time, or a span back from now.
fn time(text: &str) -> Result<i64, String> {
    if text == "now" {
        return Ok(now());
    }
    parse_time(text)
        .or_else(|| now().checked_sub(parse_duration(text)?))
        .ok_or_else(|| "neither a time such as 2026-11-01T08:00:00Z or 2026-11-01, nor a span such as 90s, 24h or 7d".to_owned())
}

/// A size in bytes: `64MiB`, `2GB`, `1048576`.
fn size(text: &str) -> Result<usize, String> {
    let bad =
        || "a size is a number of bytes, or a number with KB, MB, GB, KiB, MiB or GiB".to_owned();
    let digits = text
        .find(|ch: char| !ch.is_ascii_digit())
        .unwrap_or(text.len());
    let number: usize = text[..digits].parse().map_err(|_| bad())?;
    let factor = match text[digits..].trim() {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "KB" | "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(bad()),
    };
    number
        .checked_mul(factor)
        .filter(|size| *size > 0)
        .ok_or_else(bad)
}

fn parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
        .ok_or_else(|| "a parameter is given as NAME=VALUE".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn spans_and_versions() {
        assert_eq!(
            (span("0s"), span("400d"), span("1h30m")),
            (Ok(0), Ok(400 * 86_400_000_000), Ok(5_400_000_000))
        );
        assert!(span("400").is_err() && span("").is_err() && span("-1d").is_err());
        assert_eq!(as_of("12"), Ok(AsOf::Version(12)));
        assert_eq!(as_of("2026-11-01"), Ok(AsOf::Time(1_793_491_200_000_000)));
        assert!(as_of("never").is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(size("16MiB"), Ok(16 << 20));
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        assert!(
            size("0").is_err()
                && size("x").is_err()
                && size("99999999999999999999").is_err()
                && size("99999999999GiB").is_err()
        );
    }
}
