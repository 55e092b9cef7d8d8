//! The shell's commands: [`COMMANDS`] is the list that `.help` and completion iterate over.

use std::{io::Write, time::Instant};

use anyhow::{Context, Result, bail};
use auditql_engine::{SavedQuery, schema};

use super::Shell;
use crate::{
    args::Format,
    commands::{listing, queries_show, schema_columns, stdout},
    output,
};

/// A command of the shell.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    pub(crate) arguments: &'static str,
    pub(crate) doc: &'static str,
}

/// Every command.
pub(crate) static COMMANDS: &[Command] = &[
    Command {
        name: ".help",
        arguments: "",
        doc: "show this list",
    },
    Command {
        name: ".tables",
        arguments: "",
        doc: "list tables and views",
    },
    Command {
        name: ".schema",
        arguments: "TABLE",
        doc: "show the columns of a table or view, with their docs",
    },
    Command {
        name: ".queries",
        arguments: "[ID]",
        doc: "list the saved queries, or show one whole",
    },
    Command {
        name: ".run",
        arguments: "ID [NAME=VALUE…]",
        doc: "run a saved query",
    },
    Command {
        name: ".mode",
        arguments: "[FORMAT]",
        doc: "show or set the output format",
    },
    Command {
        name: ".timer",
        arguments: "[on|off]",
        doc: "show how long each answer took",
    },
    Command {
        name: ".read",
        arguments: "FILE",
        doc: "run the statements of a file",
    },
    Command {
        name: ".quit",
        arguments: "",
        doc: "leave the shell; so does Ctrl-D",
    },
];

/// Runs a line that begins with a dot.
pub(super) async fn run(shell: &mut Shell, line: &str) -> Result<()> {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    let rest: Vec<&str> = words.collect();
    let format = Format {
        output: shell.mode.clone(),
    };
    match name {
        ".help" => help(),
        ".tables" => {
            let rows: Vec<Vec<String>> = schema::tables()
                .iter()
                .map(|table| (table, "table"))
                .chain(schema::views().iter().map(|view| (view, "view")))
                .map(|(table, kind)| {
                    vec![
                        table.name.clone(),
                        kind.to_owned(),
                        table.doc.split_whitespace().collect::<Vec<_>>().join(" "),
                    ]
                })
                .collect();
            listing(&["name", "kind", "doc"], &rows, &format).map(drop)
        }
        ".schema" => {
            let table = rest.first().copied().unwrap_or("events");
            listing(
                &["column", "type", "path", "doc"],
                &schema_columns(table)?,
                &format,
            )
            .map(drop)
        }
        ".queries" => match rest.first() {
            Some(id) => {
                let mut out = stdout();
                queries_show(SavedQuery::find(id)?, &mut out)?;
                Ok(out.flush()?)
            }
            None => {
                let rows: Vec<Vec<String>> = SavedQuery::library()
                    .iter()
                    .map(|query| {
                        vec![
                            query.id.clone(),
                            query.pack.clone(),
                            query.header.question.clone(),
                        ]
                    })
                    .collect();
                listing(&["id", "pack", "question"], &rows, &format).map(drop)
            }
        },
        ".run" => {
            let Some((id, values)) = rest.split_first() else {
                bail!("which one? `.run ID [NAME=VALUE…]`; `.queries` lists them")
            };
            let values = values.iter().map(|value| match value.split_once('=') {
                Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                None => bail!("`{value}` is no NAME=VALUE"),
            });
            let values = values.collect::<Result<Vec<_>>>()?;
            let query = SavedQuery::find(id)?;
            let started = Instant::now();
            let answer = shell.engine.run(query, &values).await?;
            shell.show(answer, started).await?;
            if let Some(note) = crate::commands::not_evaluable(query, &shell.engine.report()) {
                let _ = writeln!(std::io::stderr(), "{note}");
            }
            Ok(())
        }
        ".mode" => {
            match rest.first() {
                Some(mode)
                    if output::find(mode)
                        .is_some_and(|_| !matches!(*mode, "arrow" | "parquet")) =>
                {
                    shell.mode = (*mode).to_owned()
                }
                Some(mode) => {
                    let known: Vec<&str> =
                        output::OUTPUTS.iter().map(|output| output.name()).collect();
                    bail!("there is no mode `{mode}`; there are {}", known.join(", "));
                }
                None => writeln!(std::io::stderr(), "{}", shell.mode)?,
            }
            Ok(())
        }
        ".timer" => {
            shell.timer = match rest.first().copied() {
                Some("on") => true,
                Some("off") => false,
                None => !shell.timer,
                Some(other) => bail!("`.timer` is on or off, not `{other}`"),
            };
            Ok(())
        }
        ".read" => {
            let Some(file) = rest.first() else {
                bail!("which file? `.read FILE`")
            };
            let text =
                std::fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
            shell.script(&text).await
        }
        ".quit" | ".exit" => {
            shell.quit = true;
            Ok(())
        }
        other => bail!("there is no command `{other}`; `.help` lists them"),
    }
}

fn help() -> Result<()> {
    let mut out = stdout();
    writeln!(
        out,
        "SQL statements end with `;` and may go over many lines. Commands:"
    )?;
    for command in COMMANDS {
        writeln!(
            out,
            "  {:<24}{}",
            format!("{} {}", command.name, command.arguments),
            command.doc
        )?;
    }
    Ok(out.flush()?)
}
