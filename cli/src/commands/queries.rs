//! `queries`: the saved-query library, listed or one whole.

use std::io::Write;

use anyhow::Result;
use auditql_engine::SavedQuery;

use super::{listing, stdout};
use crate::{
    args::{Queries, QueriesCommand},
    status,
};

pub(super) fn queries(args: &Queries) -> Result<u8> {
    match &args.command {
        Some(QueriesCommand::Show { query }) => {
            let query = SavedQuery::find(query)?;
            let mut out = stdout();
            show(query, &mut out)?;
            out.flush()?;
            Ok(status::OK)
        }
        None => {
            let rows: Vec<Vec<String>> = SavedQuery::library()
                .iter()
                .map(|query| {
                    let header = &query.header;
                    vec![
                        query.id.clone(),
                        query.pack.clone(),
                        header.severity.name().to_owned(),
                        header.level.name().to_owned(),
                        header.question.clone(),
                    ]
                })
                .collect();
            listing(
                &["id", "pack", "severity", "level", "question"],
                &rows,
                &args.format,
            )
        }
    }
}

/// A saved query for people: what it asks, how it is run, and its SQL.
pub(crate) fn show(query: &SavedQuery, out: &mut dyn Write) -> Result<()> {
    let header = &query.header;
    writeln!(out, "{} — {}\n", query.id, header.title)?;
    writeln!(
        out,
        "{}\n\n{}\n",
        header.question,
        header.description.trim()
    )?;
    let mut line = |name: &str, text: &str| -> Result<()> {
        if !text.is_empty() {
            writeln!(out, "{name:<16}{text}")?;
        }
        Ok(())
    };
    line("pack", &query.pack)?;
    line("severity", header.severity.name())?;
    line("audit level", header.level.name())?;
    line("controls", &header.controls.join(", "))?;
    line("ATT&CK", &header.attack.join(", "))?;
    line("false positives", &header.false_positives)?;
    line("cannot show", &header.limits)?;
    if !query.parameters.is_empty() {
        writeln!(out, "\nparameters (-P name=value)")?;
        for (name, parameter) in &query.parameters {
            let default = match &parameter.default {
                Some(default) => format!(", default {default}"),
                None if parameter.required => ", required".to_owned(),
                None => String::new(),
            };
            writeln!(
                out,
                "  {name} ({}{default}): {}",
                parameter.kind.name(),
                parameter.doc
            )?;
        }
    }
    writeln!(out, "\n{}", query.sql)?;
    Ok(())
}
