//! Everything that decides how a command runs, gathered once: the command line, the environment,
//! the terminal, signals and the time in; a [`Command`] and its [`Settings`] out.
//!
//! Nothing else reads the environment or the clock.

mod clock;
mod color;
mod environment;
mod interrupt;
mod terminal;

use std::path::PathBuf;

use auditql_engine::{AsOf, Baseline, GivenTable, Options, Window, is_lake};

pub(crate) use clock::Stopwatch;
pub(crate) use color::Color;
pub(crate) use interrupt::Interrupt;
pub(crate) use terminal::Terminal;

use crate::args::{self, ColorChoice, Command, Flags, Version};
use environment::Environment;

/// How a command runs.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What the engine is opened with.
    pub(crate) options: Options,
    /// The name of the output format, if one was given.
    pub(crate) output: Option<String>,
    /// The file that the account is written to.
    pub(crate) summary: Option<PathBuf>,
    /// Print only errors on stderr.
    pub(crate) quiet: bool,
    /// Is an input without events fine?
    pub(crate) allow_empty: bool,
    /// The colours of stderr.
    pub(crate) color: Color,
    pub(crate) terminal: Terminal,
    /// Folders of saved queries of the user's own.
    pub(crate) library: Vec<PathBuf>,
    /// The folder that keeps the user's state, such as the shell's history; none without a home.
    pub(crate) state: Option<PathBuf>,
    /// Whether the program was asked to stop.
    pub(crate) interrupt: Interrupt,
    /// When the program began, in microseconds since the epoch.
    pub(crate) now: i64,
}

impl Settings {
    /// Reads the command line and what surrounds the process.
    ///
    /// # Errors
    ///
    /// When the command line is not valid, or asks for help or the version.
    pub(crate) fn read(interrupt: Interrupt) -> Result<(Command, Self), clap::Error> {
        let (command, color) = args::parse(std::env::args_os())?;
        let environment = Environment::read();
        let flags = command.flags();
        let settings = Self::new(flags, color, environment, interrupt);
        Ok((command, settings))
    }

    fn new(
        flags: Flags,
        color: ColorChoice,
        environment: Environment,
        interrupt: Interrupt,
    ) -> Self {
        let (terminal, now) = (Terminal::detect(), clock::now());
        let color = match color {
            ColorChoice::Always => Color::ON,
            ColorChoice::Never => Color::OFF,
            ColorChoice::Auto => Color::new(terminal.stderr && environment.allows_color),
        };
        Self {
            color,
            terminal,
            interrupt,
            now,
            state: environment.state,
            output: flags.output.clone(),
            summary: flags.summary.clone(),
            quiet: flags.quiet,
            allow_empty: flags.allow_empty,
            library: match flags.library.is_empty() {
                true => environment.library,
                false => flags.library.clone(),
            },
            options: Options {
                stores: environment.stores,
                ..options(flags, environment.inputs, now)
            },
        }
    }

    /// Columns for sentences: those of the terminal, but no more than people like to read.
    pub(crate) fn text_width(&self) -> usize {
        const WIDEST: usize = 100;
        const USUAL: usize = 80;
        self.terminal.width().unwrap_or(USUAL).min(WIDEST)
    }

    /// The name of the output format: the one given, or else a table.
    pub(crate) fn output(&self) -> &str {
        self.output.as_deref().unwrap_or("table")
    }
}

/// The engine's options, with its defaults where no flag was given.
fn options(flags: Flags, default_inputs: Vec<String>, now: i64) -> Options {
    let defaults = Options::default();
    let outputs = outputs(&flags);
    let inputs = match flags.input {
        Some(inputs) if inputs.is_empty() => default_inputs,
        Some(inputs) => inputs,
        None => Vec::new(),
    };
    Options {
        inputs,
        window: Window {
            since: flags.window.since.map(|since| since.resolve(now)),
            until: flags.window.until.map(|until| until.resolve(now)),
        },
        cluster: flags.log.cluster,
        dedup: flags.log.dedup,
        format: flags.log.log_format,
        as_of: flags.as_of.map(|version| match version {
            Version::Number(number) => AsOf::Version(number),
            Version::Time(time) => AsOf::Time(time.resolve(now)),
        }),
        kubernetes_minor: flags.kubernetes_minor.unwrap_or(defaults.kubernetes_minor),
        tables: flags
            .own
            .tables
            .iter()
            .map(|(name, file)| GivenTable {
                name: name.clone(),
                file: file.clone(),
            })
            .collect(),
        baseline: match flags.own.baseline {
            Some(span) => Some(Baseline::Span(span)),
            None if flags.own.baseline_input.is_empty() => None,
            None => Some(Baseline::Inputs(flags.own.baseline_input.clone())),
        },
        max_record: flags.max_record.unwrap_or(defaults.max_record),
        threads: flags.threads.map_or(defaults.threads, usize::from),
        memory: flags.memory.unwrap_or(defaults.memory),
        allow_writes: flags.allow_writes,
        outputs,
        ..defaults
    }
}

/// What the command writes besides stdout.
fn outputs(flags: &Flags) -> Vec<PathBuf> {
    let to = flags.to.as_deref().filter(|to| *to != "-").map(|to| {
        let to = to.to_owned();
        PathBuf::from(if is_lake(&to) { to + "/" } else { to })
    });
    let files = flags.files.iter().cloned();
    to.into_iter()
        .chain(flags.summary.clone())
        .chain(files)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs_of(line: &str) -> Vec<String> {
        let words = line.split(' ').map(std::ffi::OsString::from);
        let (command, _) = args::parse(words).unwrap();
        options(command.flags(), vec!["from-environment".to_owned()], 0).inputs
    }

    #[test]
    fn inputs_of_the_environment_are_for_commands_that_read_logs() {
        assert_eq!(inputs_of("auditql sql x"), ["from-environment"]);
        assert_eq!(inputs_of("auditql sql x -i a -i b"), ["a", "b"]);
        assert!(inputs_of("auditql lake verify lake -i a").is_empty());
        assert!(inputs_of("auditql lake export lake --to -").is_empty());
        assert!(inputs_of("auditql queries").is_empty());
    }

    #[test]
    fn times_are_relative_to_one_now() {
        let words = "auditql sql x --since 2s --until now --as-of 1s";
        let words = words.split(' ').map(std::ffi::OsString::from);
        let (command, _) = args::parse(words).unwrap();
        let options = options(command.flags(), Vec::new(), 5_000_000);
        assert_eq!(options.window.since, Some(3_000_000));
        assert_eq!(options.window.until, Some(5_000_000));
        assert_eq!(options.as_of, Some(AsOf::Time(4_000_000)));
    }
}
