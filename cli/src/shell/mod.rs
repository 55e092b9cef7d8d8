//! The shell: statements that may go over many lines and commands that begin with a dot in, answers
//! out.
//!
//! On a terminal it is a line editor with history and completion; with input from a pipe it reads
//! statements and stops at the first error.

mod command;
mod editor;

use std::{
    io::{IsTerminal, Write},
    sync::Arc,
    time::Instant,
};

use anyhow::Result;
use auditql_engine::Engine;

pub(crate) use command::COMMANDS;

use crate::{
    args::Input,
    commands::{Ended, open, stdout, write},
    output::View,
    status, summary,
    terminal::{self, Color},
};

/// The state of a session.
pub(crate) struct Shell {
    pub(crate) engine: Arc<Engine>,
    pub(crate) input: Input,
    pub(crate) color: Color,
    pub(crate) mode: String,
    pub(crate) timer: bool,
    pub(crate) quit: bool,
    /// Was any of the input unreadable?
    pub(crate) code: u8,
}

/// Opens the inputs and answers until the end of the input.
pub(crate) async fn run(input: &Input, color: Color) -> Result<u8> {
    let interactive = std::io::stdin().is_terminal();
    if input.options().inputs.iter().any(|input| input == "-") {
        anyhow::bail!("the shell reads its statements from stdin: give the log as a file");
    }
    let engine = open(input).await?;
    engine.spool_streams()?;
    let mode = if interactive || std::io::stdout().is_terminal() {
        "table"
    } else {
        "csv"
    };
    let mut shell = Shell {
        engine,
        input: input.clone(),
        color,
        mode: mode.to_owned(),
        timer: false,
        quit: false,
        code: status::OK,
    };
    if interactive {
        editor::run(&mut shell).await?;
    } else {
        let text = std::io::read_to_string(std::io::stdin())?;
        shell.script(&text).await?;
    }
    Ok(shell.code)
}

impl Shell {
    /// Runs statements and commands from a text; the first error ends it.
    pub(crate) async fn script(&mut self, text: &str) -> Result<()> {
        let mut pending = String::new();
        for line in text.lines() {
            if self.quit {
                return Ok(());
            }
            if pending.trim().is_empty() && line.trim_start().starts_with('.') {
                Box::pin(command::run(self, line.trim())).await?;
                pending.clear();
                continue;
            }
            pending.push_str(line);
            pending.push('\n');
            if auditql_engine::is_complete(&pending) {
                self.statements(&std::mem::take(&mut pending)).await?;
            }
        }
        if self.quit {
            Ok(())
        } else {
            self.statements(&pending).await
        }
    }

    /// Answers every statement of a text.
    pub(crate) async fn statements(&mut self, text: &str) -> Result<()> {
        for statement in auditql_engine::statements(text) {
            let started = Instant::now();
            let answer = self.engine.sql(&statement).await?;
            self.show(answer, started).await?;
        }
        Ok(())
    }

    /// Writes an answer and its account.
    pub(crate) async fn show(
        &mut self,
        answer: auditql_engine::Answer,
        started: Instant,
    ) -> Result<()> {
        let progress = crate::progress::Progress::start(&self.engine, self.input.quiet);
        let mut out = stdout();
        let ended = write(
            answer,
            &self.mode,
            View {
                width: terminal::width(),
            },
            &mut out,
        )
        .await;
        drop(progress);
        out.flush()?;
        let report = self.engine.report();
        let window = self.input.options().window;
        let code = summary::finish(
            &report,
            window,
            self.input.summary.as_deref(),
            self.input.quiet,
            self.color,
        )?;
        self.code = self.code.max(code);
        if self.timer {
            let (faint, plain) = self.color.faint();
            let share = self.engine.skipped();
            let skipped = match share.files {
                0 => String::new(),
                files => format!(
                    ", {} of {files} files left out ({} of {} bytes)",
                    share.skipped_files, share.skipped_bytes, share.bytes
                ),
            };
            let _ = writeln!(
                std::io::stderr(),
                "{faint}{:.3} s{skipped}{plain}",
                started.elapsed().as_secs_f64()
            );
        }
        if let Ended::Interrupted = ended? {
            let _ = writeln!(std::io::stderr(), "interrupted");
        }
        Ok(())
    }
}
