//! A flag that the command does not use: clap's error in, one that names the commands which use the
//! flag out.

use std::ffi::OsString;

use clap::{
    Arg, Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// A flag by one of its names, without hyphens.
#[derive(Debug, Clone, Copy)]
pub(super) enum Flag<'n> {
    Long(&'n str),
    Short(char),
}

impl<'n> Flag<'n> {
    /// Reads `--since` or `-i`.
    fn parse(text: &'n str) -> Option<Self> {
        match text.strip_prefix("--") {
            Some(long) => Some(Self::Long(long)),
            None => Some(Self::Short(text.strip_prefix('-')?.chars().next()?)),
        }
    }

    /// The argument that a command has for it.
    pub(super) fn of(self, command: &Command) -> Option<&Arg> {
        command.get_arguments().find(|argument| match self {
            Self::Long(long) => argument.get_long() == Some(long),
            Self::Short(short) => argument.get_short() == Some(short),
        })
    }
}

/// Rewords the error for a flag that only other commands use; other errors stay as they are.
pub(super) fn explain(error: Error, words: &[OsString], root: &Command) -> Error {
    reword(&error, words, root).unwrap_or(error)
}

fn reword(error: &Error, words: &[OsString], root: &Command) -> Option<Error> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let users = users(Flag::parse(name)?, root, "");
    if users.is_empty() {
        return None;
    }
    let mut command = root;
    let mut path = Vec::new();
    for word in words.iter().skip(1) {
        let Some(found) = command.find_subcommand(word) else {
            break;
        };
        command = found;
        path.push(found.get_name());
    }
    if path.is_empty() {
        path.push("shell");
    }
    let message = format!(
        "`{}` does not use `{name}`\n\n`{name}` works with: {}",
        path.join(" "),
        users.join(", ")
    );
    Some(command.clone().error(ErrorKind::UnknownArgument, message))
}

/// The commands that use a flag, as they are typed after `auditql`.
fn users(flag: Flag<'_>, command: &Command, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for command in command.get_subcommands() {
        let name = format!("{prefix}{}", command.get_name());
        if flag.of(command).is_some() {
            found.push(name.clone());
        }
        let below = users(flag, command, &format!("{name} "));
        // Many commands of one family: the family is named.
        if below.len() > 1 && below.len() == command.get_subcommands().count() {
            found.push(name);
        } else {
            found.extend(below);
        }
    }
    found
}
