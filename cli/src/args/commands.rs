//! The arguments of each command but `lake`: its own, and the groups of flags that it uses.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{
    flags::{
        AccountFlags, AnswerFlags, Flags, LibraryFlags, OUTPUT, OutputFlags, OwnFlags, ReadFlags,
        WriteFlags, text_output,
    },
    values::parameter,
};

#[derive(Debug, Args)]
pub(crate) struct ShellArgs {
    #[command(flatten)]
    read: ReadFlags,
    #[command(flatten)]
    own: OwnFlags,
    #[command(flatten)]
    library: LibraryFlags,
    #[command(flatten)]
    write: WriteFlags,
    /// Output format [default: table on a terminal, otherwise csv]
    #[arg(short, long, value_name = "FORMAT", value_parser = text_output(), help_heading = OUTPUT)]
    output: Option<String>,
    #[command(flatten)]
    account: AccountFlags,
}

impl ShellArgs {
    pub(super) fn flags(&self) -> Flags {
        Flags {
            allow_writes: self.write.allow_writes,
            output: self.output.clone(),
            summary: self.account.summary.clone(),
            quiet: self.account.quiet.quiet,
            own: self.own.clone(),
            library: self.library.library.clone(),
            ..self.read.flags()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SqlArgs {
    /// SQL statements, separated by `;`
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// Read the statements from FILE; `-` for stdin
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    answer: AnswerFlags,
    #[command(flatten)]
    own: OwnFlags,
    #[command(flatten)]
    write: WriteFlags,
}

impl SqlArgs {
    pub(super) fn flags(&self) -> Flags {
        Flags {
            allow_writes: self.write.allow_writes,
            own: self.own.clone(),
            ..self.answer.flags()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Id of the saved query (see `auditql queries`)
    #[arg(value_name = "ID")]
    pub(crate) query: String,
    /// Set a parameter of the query; repeatable
    #[arg(short = 'P', long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) params: Vec<(String, String)>,
    #[command(flatten)]
    library: LibraryFlags,
    #[command(flatten)]
    answer: AnswerFlags,
    #[command(flatten)]
    own: OwnFlags,
    #[command(flatten)]
    write: WriteFlags,
}

impl RunArgs {
    pub(super) fn flags(&self) -> Flags {
        Flags {
            allow_writes: self.write.allow_writes,
            own: self.own.clone(),
            library: self.library.library.clone(),
            ..self.answer.flags()
        }
    }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct QueriesArgs {
    #[command(subcommand)]
    pub(crate) command: Option<QueriesCommand>,
    /// Only queries that these words are about, or the query with this id in full
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(super) library: LibraryFlags,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QueriesCommand {
    /// Show a saved query: description, parameters, SQL
    Show {
        /// Id of the saved query
        #[arg(value_name = "ID")]
        query: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    /// File to write (.parquet, .jsonl, .ndjson or .log), or a lake: a folder, or a URL of S3,
    /// Cloud Storage or Azure
    #[arg(long, value_name = "FILE|LAKE")]
    pub(crate) to: String,
    #[command(flatten)]
    read: ReadFlags,
    #[command(flatten)]
    account: AccountFlags,
}

impl ConvertArgs {
    pub(super) fn flags(&self) -> Flags {
        Flags {
            // Of an empty log the conversion is empty, too, and says so.
            allow_empty: true,
            to: Some(self.to.clone()),
            summary: self.account.summary.clone(),
            quiet: self.account.quiet.quiet,
            ..self.read.flags()
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Table or view whose columns to list
    pub(crate) table: Option<String>,
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

#[derive(Debug, Args)]
pub(crate) struct FormatsArgs {
    #[command(flatten)]
    pub(super) output: OutputFlags,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// Shell to print completions for
    pub(crate) shell: clap_complete::Shell,
}
