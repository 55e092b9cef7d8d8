//! Which queries are asked: packs, ids, files and a severity in, queries out.

use std::path::Path;

use anyhow::{Context, Result, bail};
use auditql_engine::{Framework, SavedQuery, Severity};

use crate::{args::CheckArgs, listing::find_query, text::unknown};

/// The pack of queries that are in files of the user's own.
const OWN: &str = "own";

/// What is asked.
pub(super) struct Selection {
    pub(super) queries: Vec<&'static SavedQuery>,
    /// The least severity of a finding.
    pub(super) least: Severity,
}

/// The queries of the packs, and those that are named; without either, all.
///
/// # Errors
///
/// When there is no such pack or query, a file is malformed, or nothing is left.
pub(super) fn select(args: &CheckArgs) -> Result<Selection> {
    let library = SavedQuery::library();
    let packs = || library.iter().map(|query| query.pack.as_str());
    for pack in &args.packs {
        if !packs().any(|known| known == pack) {
            let mut known: Vec<_> = packs().collect();
            known.dedup();
            let otherwise = format!("known packs: {}", known.join(", "));
            return Err(anyhow::Error::msg(unknown("pack", pack, known, &otherwise)));
        }
    }
    let is_named = !args.queries.is_empty();
    let least = args.severity.unwrap_or(match is_named {
        true => Severity::Info,
        false => Severity::Low,
    });
    let framework = args.framework.as_deref().map(framework).transpose()?;
    // Beside named queries only the packs and the framework that are named, too.
    let of_packs = library
        .iter()
        .filter(|query| match (&framework, args.packs.is_empty()) {
            (Some(framework), _) if framework.asks(&query.id) => true,
            (Some(_), true) => false,
            (None, true) => !is_named,
            (_, false) => args.packs.contains(&query.pack),
        });
    let least_of_packs = args.severity.unwrap_or(Severity::Low);
    let mut queries: Vec<&'static SavedQuery> = of_packs
        .filter(|query| query.header.severity >= least_of_packs)
        .collect();
    for name in &args.queries {
        let query = match own_file(name) {
            Some(file) => own_query(file)?,
            None => find_query(name)?,
        };
        if !queries.iter().any(|known| known.id == query.id) {
            queries.push(query);
        }
    }
    if queries.is_empty() {
        bail!(
            "no query of these packs can find anything of severity {} or worse",
            least.name()
        );
    }
    Ok(Selection { queries, least })
}

fn framework(id: &str) -> Result<&'static Framework> {
    let known = Framework::library().iter();
    let found = known.clone().find(|framework| framework.id == id);
    found.ok_or_else(|| {
        let ids: Vec<&str> = known.map(|framework| framework.id.as_str()).collect();
        let otherwise = format!("known frameworks: {}", ids.join(", "));
        anyhow::Error::msg(unknown("framework", id, ids, &otherwise))
    })
}

/// The name of a file, and not an id.
fn own_file(name: &str) -> Option<&Path> {
    let file = Path::new(name);
    (name.ends_with(".sql") && file.exists()).then_some(file)
}

/// A query in a file. It lives as long as the program, as the library does.
fn own_query(file: &Path) -> Result<&'static SavedQuery> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let id = file.file_stem().unwrap_or_default().to_string_lossy();
    let query = SavedQuery::parse(OWN, &id, &text, "");
    let query = query.with_context(|| format!("{shown}: not a saved query"))?;
    Ok(Box::leak(Box::new(query)))
}
