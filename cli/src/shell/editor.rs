//! The line editor: keys in, whole statements out. History is kept in the user's state folder, for
//! the user alone.

use std::{borrow::Cow, io::Write, path::PathBuf};

use anyhow::Result;
use auditql_engine::SavedQuery;
use rustyline::{
    CompletionType, Config, Context, Editor, Helper,
    completion::{Completer, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::{COMMANDS, Shell};
use crate::{output, status};

/// Lines of history that are kept.
const MOST_LINES: usize = 10_000;

pub(super) async fn run(shell: &mut Shell) -> Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(MOST_LINES)?
        .history_ignore_space(true)
        .auto_add_history(true)
        .build();
    let mut editor: Editor<Words, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Words::new(shell)));
    let history = history_file();
    if let Some(history) = &history {
        let _ = editor.load_history(history);
    }
    let _ = writeln!(
        std::io::stderr(),
        "auditql {} — `.help` for commands, `.tables` for tables; statements end with `;`",
        env!("CARGO_PKG_VERSION")
    );
    while !shell.quit {
        match editor.readline("auditql> ") {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                let done = if line.trim_start().starts_with('.') {
                    super::command::run(shell, line.trim()).await
                } else {
                    shell.statements(&line).await
                };
                if let Err(error) = done {
                    status::report(&error, shell.color);
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
        if let Some(history) = &history {
            let _ = editor.append_history(history);
            private(history);
        }
    }
    Ok(())
}

/// `$XDG_STATE_HOME/auditql/history`; none without a home.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")))?;
    let folder = state.join("auditql");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

#[cfg(unix)]
fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
}

#[cfg(not(unix))]
fn private(_: &std::path::Path) {}

/// What can be completed.
struct Words {
    names: Vec<String>,
}

/// The words that statements are made of.
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

impl Words {
    fn new(shell: &Shell) -> Self {
        let mut names = shell.engine.names();
        names.extend(KEYWORDS.iter().map(|word| (*word).to_owned()));
        Self { names }
    }

    /// The words that could stand at the end of `before`.
    fn candidates(&self, before: &str, word: &str) -> Vec<String> {
        let starts = |name: &str| {
            name.get(..word.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(word))
        };
        let mut words = before.split_whitespace();
        match words.next() {
            None if word.starts_with('.') => COMMANDS
                .iter()
                .map(|command| command.name.to_owned())
                .filter(|name| starts(name))
                .collect(),
            Some(".run" | ".queries") if words.next().is_none() => SavedQuery::library()
                .iter()
                .map(|query| query.id.clone())
                .filter(|name| starts(name))
                .collect(),
            Some(".run") => {
                let id = before.split_whitespace().nth(1).unwrap_or_default();
                let Ok(query) = SavedQuery::find(id) else {
                    return Vec::new();
                };
                query
                    .parameters
                    .iter()
                    .map(|(name, _)| format!("{name}="))
                    .filter(|name| starts(name))
                    .collect()
            }
            Some(".mode") => output::OUTPUTS
                .iter()
                .map(|output| output.name().to_owned())
                .filter(|name| starts(name))
                .collect(),
            Some(".timer") => ["on", "off"]
                .iter()
                .map(|word| (*word).to_owned())
                .filter(|name| starts(name))
                .collect(),
            Some(".schema") => tables().filter(|name| starts(name)).collect(),
            // A table stands here, and nothing else.
            _ if matches!(
                before
                    .split_whitespace()
                    .last()
                    .map(str::to_ascii_uppercase)
                    .as_deref(),
                Some("FROM" | "JOIN" | "DESCRIBE")
            ) =>
            {
                tables().filter(|name| starts(name)).collect()
            }
            _ if word.is_empty() => Vec::new(),
            _ => self
                .names
                .iter()
                .filter(|name| starts(name))
                .cloned()
                .collect(),
        }
    }
}

fn tables() -> impl Iterator<Item = String> {
    auditql_engine::schema::tables()
        .iter()
        .chain(auditql_engine::schema::views())
        .map(|table| table.name.clone())
}

impl Completer for Words {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = &line[..at];
        let start = before
            .rfind(|ch: char| !(ch.is_alphanumeric() || matches!(ch, '_' | '-' | '.')))
            .map_or(0, |found| {
                found + before[found..].chars().next().map_or(0, char::len_utf8)
            });
        let found = self.candidates(&before[..start], &before[start..]);
        let pairs = found.into_iter().map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let complete = text.trim_start().starts_with('.') || auditql_engine::is_complete(text);
        Ok(if complete {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Helper for Words {}
