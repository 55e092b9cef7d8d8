//! Flags may stand before the command: `auditql -i audit.log sql …`. They are moved behind its
//! name, since it is the command that says which flags it takes.

use std::ffi::{OsStr, OsString};

use clap::Command;

use super::refusal::Flag;

/// Moves the flags before the command's name behind it.
///
/// Words stay as they are when no command is named, and when help or the version is asked for.
pub(super) fn flags_behind_command(words: Vec<OsString>, root: &Command) -> Vec<OsString> {
    let Some((program, rest)) = words.split_first() else {
        return words;
    };
    let mut command = root;
    let (mut names, mut flags) = (Vec::new(), Vec::new());
    let mut rest = rest.iter();
    while let Some(word) = rest.as_slice().first() {
        match kind(word, root) {
            Kind::Help => return words,
            Kind::Flag { values } => flags.extend(rest.by_ref().take(1 + values)),
            Kind::Other => match command.find_subcommand(word) {
                Some(found) => {
                    command = found;
                    names.extend(rest.next());
                }
                None => break,
            },
        }
    }
    if names.is_empty() {
        return words;
    }
    let words = [program].into_iter().chain(names).chain(flags).chain(rest);
    words.cloned().collect()
}

/// What a word before the command's name is.
enum Kind {
    /// `--help` or `--version`, of what is named so far.
    Help,
    /// A flag, or several; this many words that follow are its value.
    Flag { values: usize },
    /// A command, or what a command takes.
    Other,
}

fn kind(word: &OsStr, root: &Command) -> Kind {
    let word = word.to_string_lossy();
    if let Some(long) = word.strip_prefix("--") {
        return match long {
            "" => Kind::Other,
            "help" | "version" => Kind::Help,
            long if long.contains('=') => Kind::Flag { values: 0 },
            long => Kind::Flag {
                values: usize::from(takes_value(Flag::Long(long), root)),
            },
        };
    }
    let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) else {
        return Kind::Other;
    };
    for (index, short) in shorts.char_indices() {
        if matches!(short, 'h' | 'V') {
            return Kind::Help;
        }
        if takes_value(Flag::Short(short), root) {
            // The value is what follows in the same word, or else the next word.
            let is_last = index + short.len_utf8() == shorts.len();
            return Kind::Flag {
                values: usize::from(is_last),
            };
        }
    }
    Kind::Flag { values: 0 }
}

/// A flag takes a value in all commands, or in none.
fn takes_value(flag: Flag<'_>, command: &Command) -> bool {
    flag.of(command)
        .is_some_and(|argument| argument.get_action().takes_values())
        || command
            .get_subcommands()
            .any(|command| takes_value(flag, command))
}
