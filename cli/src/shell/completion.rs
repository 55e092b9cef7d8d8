//! Completion: the line up to the cursor in, the words that could stand there out.

use auditql_engine::SavedQuery;

use super::command::{Argument, COMMANDS, find};
use crate::{listing::table_names, output::text_outputs};

/// The words of SQL.
const KEYWORDS: [&str; 34] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "GROUP BY ALL",
    "ORDER BY",
    "LIMIT",
    "HAVING",
    "QUALIFY",
    "DISTINCT",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "ILIKE",
    "BETWEEN",
    "IS NULL",
    "IS NOT NULL",
    "AS",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "USING",
    "UNION ALL",
    "WITH",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "DESC",
    "EXPLAIN",
    "DESCRIBE",
];

/// What can be completed.
pub(super) struct Completion {
    /// The words of statements.
    words: Vec<String>,
}

impl Completion {
    /// `names` are those of tables, columns and functions.
    pub(super) fn new(names: Vec<String>) -> Self {
        let mut words = names;
        words.extend(KEYWORDS.map(str::to_owned));
        Self { words }
    }

    /// Where the word before the cursor begins, and what could stand in its place.
    pub(super) fn complete(&self, before: &str) -> (usize, Vec<String>) {
        let is_part = |ch: char| ch.is_alphanumeric() || matches!(ch, '_' | '-' | '.');
        let start = before.trim_end_matches(is_part).len();
        let (before, word) = before.split_at(start);
        let mut found = self.candidates(before, word);
        found.retain(|name| {
            name.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        });
        (start, found)
    }

    /// The names that may stand behind `before`.
    fn candidates(&self, before: &str, word: &str) -> Vec<String> {
        let words: Vec<&str> = before.split_whitespace().collect();
        match words.as_slice() {
            [] if word.starts_with('.') => owned(COMMANDS.iter().map(|command| command.name)),
            [command, given @ ..] if command.starts_with('.') => {
                find(command).map_or_else(Vec::new, |command| argument(command.argument, given))
            }
            // Only a table can stand here.
            [.., last]
                if ["FROM", "JOIN", "DESCRIBE"]
                    .iter()
                    .any(|keyword| last.eq_ignore_ascii_case(keyword)) =>
            {
                owned(table_names())
            }
            _ if word.is_empty() => Vec::new(),
            _ => self.words.clone(),
        }
    }
}

/// The values of a command's argument, behind those given already.
fn argument(argument: Argument, given: &[&str]) -> Vec<String> {
    match (argument, given) {
        (Argument::Query | Argument::QueryAndParameters, []) => {
            owned(SavedQuery::library().iter().map(|query| query.id.as_str()))
        }
        (Argument::QueryAndParameters, [id, ..]) => {
            SavedQuery::find(id).map_or_else(|_| Vec::new(), parameters)
        }
        (Argument::Table, []) => owned(table_names()),
        (Argument::Output, []) => owned(text_outputs().map(|output| output.name())),
        (Argument::Switch, []) => owned(["on", "off"].into_iter()),
        _ => Vec::new(),
    }
}

fn parameters(query: &SavedQuery) -> Vec<String> {
    let names = query.parameters.iter();
    names.map(|(name, _)| format!("{name}=")).collect()
}

fn owned<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_by_what_stands_before_them() {
        let completion = Completion::new(vec!["username".to_owned(), "user_agent".to_owned()]);
        for (before, start, expected) in [
            (".ti", 0, vec![".timer"]),
            (".timer o", 7, vec!["on", "off"]),
            (".mode pa", 6, vec![]),
            (".mode y", 6, vec!["yaml"]),
            (".run slow-r", 5, vec!["slow-requests"]),
            (".run slow-requests th", 19, vec!["threshold_ms="]),
            (".schema rej", 8, vec!["rejects"]),
            ("select * from rej", 14, vec!["rejects"]),
            ("select usern", 7, vec!["username"]),
            ("select count(user_", 13, vec!["user_agent"]),
            ("sel", 0, vec!["SELECT"]),
            ("select ", 7, vec![]),
        ] {
            let (at, found) = completion.complete(before);
            assert_eq!(
                (at, found.as_slice()),
                (start, owned(expected.iter().copied()).as_slice()),
                "{before}"
            );
        }
    }
}
