//! The shell: statements that may span lines, and commands that begin with a dot in; answers out.
//!
//! On a terminal it is a line editor with history and completion. From a pipe it reads all
//! statements first and stops at the first error.

mod command;
mod completion;
mod editor;
mod history;

use std::io::Write;

use anyhow::{Result, bail};
use auditql_engine::Error;
use auditql_engine::ErrorKind;

use crate::{
    output::{self, Output},
    run::{AccountOfRun, Ended, Question, Session, Shown, status, tell},
    settings::{Settings, Stopwatch},
};

/// The state of a shell.
pub(crate) struct Shell<'s> {
    session: Session<'s>,
    settings: &'s Settings,
    /// How answers are written.
    output: &'static dyn Output,
    /// Show how long each answer took?
    timer: bool,
    /// Leave after this line?
    quit: bool,
    /// What all answers have read.
    account: AccountOfRun,
    /// The exit code: whether some input could not be read.
    code: u8,
}

/// Opens the inputs and answers until the statements end.
pub(crate) async fn run(settings: &Settings) -> Result<u8> {
    if settings.options.inputs.iter().any(|input| input == "-") {
        bail!(
            "the shell reads statements from stdin, so the log cannot come from there; pass a file"
        );
    }
    let terminal = settings.terminal;
    let name = match &settings.output {
        Some(name) => name,
        None if terminal.stdin || terminal.stdout => "table",
        None => "csv",
    };
    let output = output::find_text(name)?;
    let session = Session::open(settings).await?;
    session.keep_streams().await?;
    let mut shell = Shell {
        session,
        settings,
        output,
        timer: false,
        quit: false,
        account: AccountOfRun::default(),
        code: status::OK,
    };
    if terminal.stdin {
        editor::run(&mut shell).await?;
    } else {
        let text = std::io::read_to_string(std::io::stdin())?;
        shell.script(&text).await?;
    }
    Ok(shell.code)
}

impl Shell<'_> {
    /// Runs the statements and commands of a text, until the first error.
    async fn script(&mut self, text: &str) -> Result<()> {
        let mut pending = String::new();
        for line in text.lines() {
            if self.quit {
                return Ok(());
            }
            if pending.trim().is_empty() && command::is_command(line) {
                Box::pin(command::run(self, line)).await?;
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
    async fn statements(&mut self, text: &str) -> Result<()> {
        for statement in auditql_engine::statements(text) {
            self.answer(&Question::Sql(&statement)).await?;
        }
        Ok(())
    }

    /// Writes the answer to a question, and its account.
    async fn answer(&mut self, question: &Question<'_>) -> Result<Shown> {
        let watch = Stopwatch::start();
        let mut shown = self.session.show(question, self.output).await;
        self.code = self.code.max(tell(&shown.report, self.settings));
        self.account.add(shown.report.clone());
        let error = shown.ended.as_ref().err().map(status::words);
        self.account.save(error.as_deref(), self.settings)?;
        if self.timer {
            self.print_time(&watch, &shown);
        }
        let ended = std::mem::replace(&mut shown.ended, Ok(Ended::Complete))?;
        if ended == Ended::Interrupted {
            self.go_on().await?;
        }
        Ok(shown)
    }

    /// Ctrl-C stops an answer; at a prompt the shell goes on. If the threads of the query do not
    /// stop, this waits for one in vain, and the listener of signals ends the program.
    async fn go_on(&self) -> Result<()> {
        if !self.settings.terminal.stdin {
            return Err(Error::from(ErrorKind::Interrupted).into());
        }
        tokio::spawn(std::future::ready(())).await?;
        self.settings.interrupt.settle();
        match self.settings.interrupt.received() {
            Some(_) => Err(Error::from(ErrorKind::Interrupted).into()),
            None => {
                let _ = writeln!(std::io::stderr(), "interrupted");
                Ok(())
            }
        }
    }

    fn print_time(&self, watch: &Stopwatch, shown: &Shown) {
        let share = &shown.skipped;
        let skipped = match share.files {
            0 => String::new(),
            files => format!(
                ", skipped {} of {files} files ({} of {} bytes)",
                share.skipped_files, share.skipped_bytes, share.bytes
            ),
        };
        let (faint, plain) = self.settings.color.faint();
        let seconds = watch.seconds();
        let _ = writeln!(std::io::stderr(), "{faint}{seconds:.3} s{skipped}{plain}");
    }
}
