//! The library of saved queries: listed, found by id, described, and whether an input can answer
//! one.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{AuditLevel, NeededSender, Parameter, QueryNeed, SavedQuery, ScanReport};

use super::Listing;
use crate::text::{grouped, unknown};

/// Every saved query.
pub(crate) fn queries() -> Listing {
    Listing {
        columns: &["id", "pack", "severity", "level", "question"],
        rows: SavedQuery::library()
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
            .collect(),
    }
}

/// The saved query with this id.
///
/// # Errors
///
/// When there is none; the message names the one that was probably meant.
pub(crate) fn find_query(id: &str) -> Result<&'static SavedQuery> {
    SavedQuery::find(id).map_err(|_| {
        let ids = SavedQuery::library().iter().map(|query| query.id.as_str());
        let otherwise = "`auditql queries` lists them";
        anyhow::Error::msg(unknown("saved query", id, ids, otherwise))
    })
}

/// Describes a saved query: what it asks, how it is run, and its SQL.
///
/// # Errors
///
/// When that cannot be written.
pub(crate) fn describe(query: &SavedQuery, out: &mut dyn Write) -> Result<()> {
    let header = &query.header;
    writeln!(out, "{} — {}\n", query.id, header.title)?;
    writeln!(
        out,
        "{}\n\n{}\n",
        header.question,
        header.description.trim()
    )?;
    for (name, text) in [
        ("pack", query.pack.as_str()),
        ("severity", header.severity.name()),
        ("audit level", header.level.name()),
        ("controls", &header.controls.join(", ")),
        ("ATT&CK", &header.attack.join(", ")),
        ("false positives", &header.false_positives),
        ("limits", &header.limits),
    ] {
        if !text.is_empty() {
            writeln!(out, "{name:<16}{text}")?;
        }
    }
    for need in &header.needs {
        writeln!(out, "{:<16}{}", "looks at", looks_at(need))?;
    }
    if !query.parameters.is_empty() {
        writeln!(out, "\nparameters (-P NAME=VALUE)")?;
        for (name, parameter) in &query.parameters {
            writeln!(
                out,
                "  {name} ({}{}): {}",
                parameter.kind.name(),
                default(parameter),
                parameter.doc
            )?;
        }
    }
    writeln!(out, "\n{}", query.sql)?;
    Ok(())
}

/// `get, list of secrets, by people; needs request_object`
fn looks_at(need: &QueryNeed) -> String {
    let verbs = match need.verbs.as_slice() {
        [] => "all requests".to_owned(),
        verbs => verbs.join(", "),
    };
    let resources = need.resources.iter().map(|resource| match resource.text() {
        "*" => "every resource",
        text => text,
    });
    let paths = need.paths.iter().map(|path| match path.as_str() {
        "*" => "every other path",
        path => path,
    });
    let targets: Vec<_> = resources.chain(paths).collect();
    let mut text = format!("{verbs}: {}", targets.join(", "));
    text.push_str(match need.from {
        NeededSender::People => "; by people",
        NeededSender::ServiceAccounts => "; by service accounts",
        NeededSender::Anonymous => "; by system:anonymous",
        NeededSender::Nobody => "; without a user",
        _ => "",
    });
    if !need.columns.is_empty() {
        text.push_str(&format!("; needs {}", need.columns.join(", ")));
    }
    text
}

fn default(parameter: &Parameter) -> String {
    match &parameter.default {
        Some(default) => format!(", default {default}"),
        None if parameter.required => ", required".to_owned(),
        None => String::new(),
    }
}

/// Says that an input cannot show what a query asks for, in whole or in part: no rows because
/// nothing was logged is not the same as no rows.
pub(crate) fn not_evaluable(
    query: &SavedQuery,
    report: &ScanReport,
    has_baseline: bool,
) -> Option<String> {
    let before = &query.header.baseline;
    if !before.is_empty() && !has_baseline {
        return Some(format!(
            "not evaluable: `{}` compares with the time before: give --baseline {before} with --since, or --baseline-input",
            query.id
        ));
    }
    let needed = match query.header.level {
        AuditLevel::Request => 1,
        AuditLevel::RequestResponse => 2,
        _ => return None,
    };
    let enough: u64 = report.total.levels[needed..3].iter().sum();
    // Events without a level are of formats that know no bodies either: the legacy text format.
    let [.., unknown] = report.total.levels;
    let less = report.total.levels[..needed].iter().sum::<u64>() + unknown;
    let (id, level) = (&query.id, query.header.level.name());
    match (enough, less) {
        (_, 0) => None,
        (0, _) => Some(format!(
            "not evaluable: `{id}` needs events of level {level}, and the input has none"
        )),
        (_, less) => Some(format!(
            "partly evaluable: `{id}` needs events of level {level}; {} of {} events have a lower level or none",
            grouped(less),
            grouped(less + enough)
        )),
    }
}
