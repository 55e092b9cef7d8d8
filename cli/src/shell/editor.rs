//! The line editor: keys in, whole statements and commands out.

use std::{borrow::Cow, io::Write};

use anyhow::Result;
use rustyline::{
    CompletionType, Config, Context, Editor, Helper,
    completion::{Completer, Pair},
    error::ReadlineError,
    highlight::Highlighter,
    hint::Hinter,
    history::FileHistory,
    validate::{ValidationContext, ValidationResult, Validator},
};

use super::{Shell, command, completion::Completion, history::History};
use crate::run::status;

/// The number of lines of history that are kept.
const MOST_LINES: usize = 10_000;

/// Reads lines and runs them until the user leaves. An error ends a line, not the shell.
pub(super) async fn run(shell: &mut Shell<'_>) -> Result<()> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(MOST_LINES)?
        .history_ignore_space(true)
        .auto_add_history(true)
        .build();
    let mut editor: Editor<LineHelper, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(LineHelper(Completion::new(shell.session.names()))));
    let history = History::in_folder(shell.settings.state.as_deref());
    history.load(&mut editor);
    let _ = writeln!(
        std::io::stderr(),
        "auditql {}: end statements with `;`, list commands with `.help`, tables with `.tables`",
        env!("CARGO_PKG_VERSION")
    );
    while !shell.quit {
        // Ctrl-C that came too late for an answer is not meant for the shell.
        shell.settings.interrupt.settle();
        match editor.readline("auditql> ") {
            Ok(line) if line.trim().is_empty() => {}
            Ok(line) => {
                let done = if command::is_command(&line) {
                    command::run(shell, &line).await
                } else {
                    shell.statements(&line).await
                };
                if shell.settings.interrupt.received().is_some() {
                    return done;
                }
                if let Err(error) = done {
                    status::report(&error, shell.settings.color);
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
        history.save(&mut editor);
    }
    Ok(())
}

/// What the editor asks about a line while it is typed.
struct LineHelper(Completion);

impl Completer for LineHelper {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = self.0.complete(&line[..at]);
        let pairs = found.into_iter().map(|name| Pair {
            display: name.clone(),
            replacement: name,
        });
        Ok((start, pairs.collect()))
    }
}

impl Validator for LineHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_complete = command::is_command(text) || auditql_engine::is_complete(text);
        Ok(if is_complete {
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

impl Hinter for LineHelper {
    type Hint = String;
}

impl Highlighter for LineHelper {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Helper for LineHelper {}
