//! Pages about the library of saved queries, and what holds them together: ids that pages, frameworks
//! and headers name exist, and the pages that are made of the library are as it is.
//!
//! With `AUDITQL_PAGES_UPDATE=1` the pages are written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use auditql_engine::{Framework, SavedQuery};
use serde_json::json;

fn queries() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../queries")
}

/// Compares a page with what it should be, or writes it.
fn page(name: &str, expected: &str) {
    let path = queries().join(name);
    if std::env::var_os("AUDITQL_PAGES_UPDATE").is_some() {
        return fs::write(path, expected).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "queries/{name} is out of date: run this test with AUDITQL_PAGES_UPDATE=1"
    );
}

/// The text of a cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The file of a query, from the folder of the library.
fn file(query: &SavedQuery) -> String {
    match query.group.as_str() {
        "" => format!("{}/{}.sql", query.pack, query.id),
        group => format!("{}/{group}/{}.sql", query.pack, query.id),
    }
}

#[test]
fn the_index_lists_every_query() {
    let mut text = String::from(
        "# Saved queries\n\nMade from the headers of the queries. `auditql queries ID` shows one in full.\n",
    );
    let mut last = None;
    for query in SavedQuery::library() {
        let place = (&query.pack, &query.group);
        if last != Some(place) {
            let heading = match query.group.as_str() {
                "" => query.pack.clone(),
                group => format!("{}: {group}", query.pack),
            };
            write!(
                text,
                "\n## {heading}\n\n| id | severity | level | question |\n|---|---|---|---|\n"
            )
            .unwrap();
            last = Some(place);
        }
        let header = &query.header;
        writeln!(
            text,
            "| [{}]({}) | {} | {} | {} |",
            query.id,
            file(query),
            header.severity.name(),
            header.level.name(),
            cell(&header.question)
        )
        .unwrap();
    }
    page("INDEX.md", &text);
}

/// Queries by ATT&CK technique.
fn techniques() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for query in SavedQuery::library() {
        for technique in &query.header.attack {
            found.entry(technique).or_default().insert(&query.id);
        }
    }
    found
}

#[test]
fn the_techniques_are_those_of_the_queries() {
    let mut text = String::from(
        "# ATT&CK techniques\n\nMade from the headers of the queries. \
         [attack-navigator.json](attack-navigator.json) is a layer for the ATT&CK Navigator.\n\n\
         | technique | queries |\n|---|---|\n",
    );
    for (technique, ids) in techniques() {
        let ids: Vec<String> = ids.into_iter().map(|id| format!("`{id}`")).collect();
        writeln!(text, "| {technique} | {} |", ids.join(", ")).unwrap();
    }
    page("ATTACK.md", &text);
    let covered: Vec<_> = techniques()
        .into_iter()
        .map(|(technique, ids)| {
            let comment: Vec<&str> = ids.iter().copied().collect();
            json!({"techniqueID": technique, "score": ids.len(), "comment": comment.join(", ")})
        })
        .collect();
    let layer = json!({
        "name": "auditql",
        "versions": {"layer": "4.5", "navigator": "5.1.0"},
        "domain": "enterprise-attack",
        "description": "Techniques that saved queries of auditql look for in Kubernetes audit logs",
        "techniques": covered,
    });
    page(
        "attack-navigator.json",
        &(serde_json::to_string_pretty(&layer).unwrap() + "\n"),
    );
}

/// What is wrong with `ID NAME=… NAME=…` as words of a command.
fn wrong_call(id: &str, parameters: &[&str]) -> Option<String> {
    let Ok(query) = SavedQuery::find(id) else {
        return Some(format!("there is no query `{id}`"));
    };
    let is_known = |name: &&&str| query.parameters.iter().any(|(known, _)| known == *name);
    let unknown = parameters.iter().find(|name| !is_known(name))?;
    Some(format!("`{id}` has no parameter `{unknown}`"))
}

#[test]
fn what_to_run_next_exists() {
    let mut wrong = Vec::new();
    for query in SavedQuery::library() {
        for next in &query.header.triage {
            let words: Vec<&str> = next.split_whitespace().collect();
            let names: Vec<&str> = words[1..]
                .iter()
                .map(|word| word.split('=').next().unwrap())
                .collect();
            if let Some(what) = wrong_call(words[0], &names) {
                wrong.push(format!("{}: {what}", query.id));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_commands_that_answer_questions_exist() {
    let text = fs::read_to_string(queries().join("QUESTIONS.md")).unwrap();
    let mut wrong = Vec::new();
    let mut commands = 0;
    for command in text.split('`').skip(1).step_by(2) {
        let Some(words) = command.strip_prefix("auditql run ") else {
            continue;
        };
        commands += 1;
        let words = words.replace(['[', ']', '\''], " ");
        let words: Vec<&str> = words.split_whitespace().collect();
        let given = words.windows(2).filter(|pair| pair[0] == "-P");
        let names: Vec<&str> = given
            .map(|pair| pair[1].split('=').next().unwrap())
            .collect();
        wrong.extend(wrong_call(words[0], &names));
    }
    assert_eq!(wrong, [""; 0]);
    assert!(commands > 45, "{commands} commands");
}

#[test]
fn every_control_has_evidence_or_says_why_not() {
    assert_eq!(Framework::broken(), [""; 0]);
    assert_eq!(Framework::library().len(), 9);
    let mut wrong = Vec::new();
    for framework in Framework::library() {
        for control in &framework.controls {
            let place = format!("{} {}", framework.id, control.id);
            if control.queries.is_empty() && control.cannot.is_empty() {
                wrong.push(format!("{place}: no evidence, and not why"));
            }
            let unknown = control
                .queries
                .iter()
                .filter(|id| SavedQuery::find(id).is_err());
            wrong.extend(unknown.map(|id| format!("{place}: there is no query `{id}`")));
        }
    }
    assert_eq!(wrong, [""; 0]);
}
