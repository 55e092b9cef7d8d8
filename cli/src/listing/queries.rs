//! The library of saved queries: listed, found by id, described, and whether an input can answer
//! one.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{
    AuditLevel, LookupDefinition, NeededSender, Parameter, QueryNeed, SavedQuery, ScanReport,
};

use super::Listing;
use crate::run::{Session, insist};
use crate::text::{grouped, paragraph, unknown};

/// The saved queries whose text has all of these words, by pack and group.
pub(crate) fn queries_about(words: &[String]) -> Vec<&'static SavedQuery> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let is_about = |query: &&SavedQuery| {
        let header = &query.header;
        let texts = [
            &query.id,
            &query.pack,
            &query.group,
            &header.title,
            &header.question,
            &header.description,
        ];
        let text = texts.map(|text| text.to_lowercase()).join(" ");
        words.iter().all(|word| text.contains(word))
    };
    SavedQuery::library().iter().filter(is_about).collect()
}

/// Saved queries as rows.
pub(crate) fn queries(queries: &[&SavedQuery]) -> Listing {
    Listing {
        columns: &["id", "pack", "group", "severity", "level", "question"],
        rows: queries
            .iter()
            .map(|query| {
                let header = &query.header;
                vec![
                    query.id.clone(),
                    query.pack.clone(),
                    query.group.clone(),
                    header.severity.name().to_owned(),
                    header.level.name().to_owned(),
                    header.question.clone(),
                ]
            })
            .collect(),
    }
}

/// Writes saved queries for people: a heading for each pack and group, a question each.
///
/// # Errors
///
/// When they cannot be written.
pub(crate) fn write_by_pack(
    queries: &[&SavedQuery],
    out: &mut dyn Write,
    width: usize,
) -> Result<()> {
    let mut last = None;
    for query in queries {
        let place = (&query.pack, &query.group);
        if last != Some(place) {
            if last.is_some() {
                writeln!(out)?;
            }
            match query.group.as_str() {
                "" => writeln!(out, "{}", query.pack)?,
                group => writeln!(out, "{}: {group}", query.pack)?,
            }
            last = Some(place);
        }
        let first = format!("  {}  ", query.id);
        paragraph(out, &first, 6, &query.header.question, width)?;
    }
    writeln!(
        out,
        "\n`auditql queries ID` shows one in full, `auditql queries WORD…` searches"
    )?;
    Ok(())
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

/// Describes a saved query as a page of a runbook: what it asks, what a row means, how it is run and
/// tuned, what to do next, what it cannot show, and its SQL.
///
/// # Errors
///
/// When that cannot be written.
pub(crate) fn describe(query: &SavedQuery, out: &mut dyn Write, width: usize) -> Result<()> {
    let header = &query.header;
    writeln!(out, "{} — {}", query.id, header.title)?;
    let group = match query.group.as_str() {
        "" => String::new(),
        group => format!("/{group}"),
    };
    let place = format!(
        "pack {}{group} · severity {} · audit level {}",
        query.pack,
        header.severity.name(),
        header.level.name()
    );
    paragraph(out, "", 0, &place, width)?;
    writeln!(out)?;
    paragraph(out, "", 0, &header.question, width)?;
    writeln!(out)?;
    paragraph(out, "", 0, &header.description, width)?;
    let mut section = |title: &str, items: &[String]| -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{title}")?;
        for item in items {
            paragraph(out, "  ", 4, item, width)?;
        }
        Ok(())
    };
    let of = |text: &str| match text.trim() {
        "" => Vec::new(),
        text => vec![text.to_owned()],
    };
    let needs: Vec<String> = header.needs.iter().map(looks_at).collect();
    section("Looks at", &needs)?;
    section("A row says", &of(header.message.text()))?;
    section("Parameters", &parameters(query))?;
    section("Lookup tables", &tables(query))?;
    if !header.baseline.is_empty() {
        let before = format!(
            "at least {} before the window: --baseline {0} with --since, or --baseline-input INPUT",
            header.baseline
        );
        section("Compares with", &[before])?;
    }
    section("False positives", &of(&header.false_positives))?;
    section("Tuning", &of(&header.tuning))?;
    section("Limits", &of(&header.limits))?;
    let next = header.triage.iter().map(|next| {
        let mut words = next.split_whitespace();
        let id = words.next().unwrap_or_default();
        let values: Vec<String> = words.map(|word| format!(" -P {word}")).collect();
        format!("auditql run {id}{} -i INPUT", values.concat())
    });
    section("Next", &next.collect::<Vec<_>>())?;
    section("Covers rules of others", &of(&header.covers.join("; ")))?;
    section("Where it differs from them", &of(&header.differs))?;
    section("ATT&CK", &of(&header.attack.join(", ")))?;
    section("Controls", &of(&header.controls.join(", ")))?;
    writeln!(out, "\nSQL\n\n{}", query.sql)?;
    Ok(())
}

fn parameters(query: &SavedQuery) -> Vec<String> {
    let parameters = query.parameters.iter();
    let line = |(name, parameter): &(String, Parameter)| {
        let kind = parameter.kind.name();
        format!(
            "-P {name} ({kind}{}): {}",
            default(parameter),
            parameter.doc
        )
    };
    parameters.map(line).collect()
}

/// `expected: What known controllers do (--table expected=FILE adds rows)`
fn tables(query: &SavedQuery) -> Vec<String> {
    let definitions = LookupDefinition::library().iter();
    let used = definitions.filter(|table| query.header.tables.contains(&table.name));
    let line = |table: &LookupDefinition| {
        let columns = table.columns.iter().map(|column| column.name.as_str());
        let columns: Vec<&str> = columns.collect();
        let blind = match table.blind {
            true => "; without rows the query is not evaluable",
            false => "",
        };
        let (name, rows) = (&table.name, table.rows.len());
        format!(
            "{name} ({}): {rows} rows; --table {name}=FILE adds some{blind}",
            columns.join(", ")
        )
    };
    used.map(line).collect()
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
///
/// # Errors
///
/// When the inputs cannot be read.
pub(crate) async fn warn_not_evaluable(
    query: &SavedQuery,
    report: &ScanReport,
    session: &Session<'_>,
) -> Result<()> {
    let lacking = session.lacking(query).await?.map(|why| {
        let id = &query.id;
        format!("not evaluable: `{id}`: {why} (see --table, --baseline and --baseline-input)")
    });
    if let Some(warning) = lacking.or_else(|| not_evaluable(query, report)) {
        insist(&warning);
    }
    Ok(())
}

fn not_evaluable(query: &SavedQuery, report: &ScanReport) -> Option<String> {
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
