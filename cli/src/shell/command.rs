//! The commands of the shell. [`COMMANDS`] is the list that `.help`, completion and [`run`] use.

use std::io::Write;

use anyhow::{Context, Result, bail};
use auditql_engine::is_same_file;
use futures::future::LocalBoxFuture;

use super::Shell;
use crate::{
    args::parameter,
    listing::{self, Listing},
    output,
    run::{Question, stdout},
    text::unknown,
};

/// A command of the shell.
pub(super) struct ShellCommand {
    pub(super) name: &'static str,
    /// Its arguments, as `.help` shows them.
    arguments: &'static str,
    doc: &'static str,
    /// What its arguments are, for completion.
    pub(super) argument: Argument,
    run: Handler,
}

/// What is given to a command.
#[derive(Debug, Clone, Copy)]
pub(super) enum Argument {
    /// Nothing that could be completed.
    Other,
    Query,
    QueryAndParameters,
    Table,
    Output,
    Switch,
}

type Handler = for<'a, 's> fn(&'a mut Shell<'s>, &'a [&'a str]) -> LocalBoxFuture<'a, Result<()>>;

/// Every command.
pub(super) static COMMANDS: &[ShellCommand] = &[
    ShellCommand {
        name: ".help",
        arguments: "",
        doc: "show this list",
        argument: Argument::Other,
        run: |_, _| Box::pin(async { help() }),
    },
    ShellCommand {
        name: ".tables",
        arguments: "",
        doc: "list tables and views",
        argument: Argument::Other,
        run: |shell, _| Box::pin(async move { shell.list(&listing::tables()) }),
    },
    ShellCommand {
        name: ".schema",
        arguments: "[TABLE]",
        doc: "show the columns of a table or view (default: events)",
        argument: Argument::Table,
        run: |shell, words| Box::pin(async move { shell.schema(words) }),
    },
    ShellCommand {
        name: ".queries",
        arguments: "[ID]",
        doc: "list the saved queries, or show one in full",
        argument: Argument::Query,
        run: |shell, words| Box::pin(async move { shell.queries(words) }),
    },
    ShellCommand {
        name: ".run",
        arguments: "ID [NAME=VALUE…]",
        doc: "run a saved query",
        argument: Argument::QueryAndParameters,
        run: |shell, words| Box::pin(shell.run_query(words)),
    },
    ShellCommand {
        name: ".mode",
        arguments: "[FORMAT]",
        doc: "show or set the output format",
        argument: Argument::Output,
        run: |shell, words| Box::pin(async move { shell.mode(words) }),
    },
    ShellCommand {
        name: ".timer",
        arguments: "[on|off]",
        doc: "show how long each answer takes",
        argument: Argument::Switch,
        run: |shell, words| Box::pin(async move { shell.timer(words) }),
    },
    ShellCommand {
        name: ".read",
        arguments: "FILE",
        doc: "run the statements in a file",
        argument: Argument::Other,
        run: |shell, words| Box::pin(shell.read(words)),
    },
    ShellCommand {
        name: ".quit",
        arguments: "",
        doc: "leave the shell (or press Ctrl-D)",
        argument: Argument::Other,
        run: |shell, _| {
            shell.quit = true;
            Box::pin(async { Ok(()) })
        },
    },
];

/// Is this line a command, rather than SQL?
pub(super) fn is_command(line: &str) -> bool {
    line.trim_start().starts_with('.')
}

/// The command called `name`.
pub(super) fn find(name: &str) -> Option<&'static ShellCommand> {
    let name = if name == ".exit" { ".quit" } else { name };
    COMMANDS.iter().find(|command| command.name == name)
}

/// Runs a line that is a command.
pub(super) async fn run(shell: &mut Shell<'_>, line: &str) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((name, arguments)) = words.split_first() else {
        return Ok(());
    };
    let Some(command) = find(name) else {
        let known = COMMANDS.iter().map(|command| command.name);
        bail!(unknown("command", name, known, "`.help` lists commands"))
    };
    (command.run)(shell, arguments).await
}

fn help() -> Result<()> {
    let mut out = stdout();
    writeln!(
        out,
        "SQL statements end with `;` and may span several lines. Commands:"
    )?;
    for command in COMMANDS {
        let usage = format!("{} {}", command.name, command.arguments);
        writeln!(out, "  {usage:<24}{}", command.doc)?;
    }
    Ok(out.flush()?)
}

impl Shell<'_> {
    fn list(&self, listing: &Listing) -> Result<()> {
        listing.write(self.output, self.settings)
    }

    fn schema(&self, words: &[&str]) -> Result<()> {
        let table = words.first().unwrap_or(&"events");
        self.list(&listing::columns(table)?)
    }

    fn queries(&self, words: &[&str]) -> Result<()> {
        let Some(id) = words.first() else {
            return self.list(
                &listing::queries(&listing::queries_about(&[])).only(&["id", "pack", "question"]),
            );
        };
        let mut out = stdout();
        let query = listing::find_query(id)?;
        listing::describe(query, &mut out, self.settings.text_width())?;
        Ok(out.flush()?)
    }

    async fn run_query(&mut self, words: &[&str]) -> Result<()> {
        let Some((id, values)) = words.split_first() else {
            bail!("usage: .run ID [NAME=VALUE…]; `.queries` lists saved queries")
        };
        let values = values.iter().map(|value| {
            parameter(value).map_err(|expected| anyhow::anyhow!("`{value}`: {expected}"))
        });
        let values = values.collect::<Result<Vec<_>>>()?;
        let query = listing::find_query(id)?;
        let shown = self.answer(&Question::Saved(query, &values)).await?;
        listing::warn_not_evaluable(query, &shown.report, &self.session).await
    }

    fn mode(&mut self, words: &[&str]) -> Result<()> {
        match words.first() {
            Some(name) => self.output = output::find_text(name)?,
            None => writeln!(std::io::stderr(), "{}", self.output.name())?,
        }
        Ok(())
    }

    fn timer(&mut self, words: &[&str]) -> Result<()> {
        self.timer = match words.first() {
            Some(&"on") => true,
            Some(&"off") => false,
            None => !self.timer,
            Some(other) => bail!("usage: .timer [on|off], not `{other}`"),
        };
        Ok(())
    }

    async fn read(&mut self, words: &[&str]) -> Result<()> {
        let Some(file) = words.first() else {
            bail!("usage: .read FILE")
        };
        if let Some(summary) = &self.settings.summary
            && is_same_file(file.as_ref(), summary)
        {
            bail!("{file}: is written by --summary")
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
        self.script(&text).await
    }
}
