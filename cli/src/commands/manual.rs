//! `completions` and `man`: the definition of the command line in, a script or a manual page out.

use std::io::Write;

use anyhow::Result;
use clap::Command;
use clap_mangen::Man;

use crate::{
    args::{CompletionsArgs, definition},
    run::{status, stdout},
};

pub(crate) fn completions(args: &CompletionsArgs) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut definition(), "auditql", &mut text);
    print(&text)
}

pub(crate) fn man() -> Result<u8> {
    let definition = definition();
    let man = Man::new(definition.clone());
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    for command in definition.get_subcommands() {
        section(command, "", &mut text)?;
    }
    man.render_extra_section(&mut text)?;
    man.render_version_section(&mut text)?;
    print(&text)
}

/// A command, and the commands below it, each as a section of the page.
fn section(command: &Command, prefix: &str, text: &mut Vec<u8>) -> Result<()> {
    let name = format!("{prefix}{}", command.get_name());
    if name == "help" || name.ends_with(" help") {
        return Ok(());
    }
    let man = Man::new(command.clone());
    let mut parts = Vec::new();
    man.render_synopsis_section(&mut parts)?;
    man.render_description_section(&mut parts)?;
    if command.get_arguments().next().is_some() {
        man.render_options_section(&mut parts)?;
    }
    if command.get_after_help().is_some() {
        man.render_extra_section(&mut parts)?;
    }
    writeln!(text, ".SH \"AUDITQL {}\"", name.to_uppercase())?;
    // The sections of a command's own page are below its section here.
    let parts = String::from_utf8_lossy(&parts);
    for line in parts.lines() {
        match line.strip_prefix(".SH ") {
            Some(title) => writeln!(text, ".SS {title}")?,
            None => writeln!(text, "{line}")?,
        }
    }
    for command in command.get_subcommands() {
        section(command, &format!("{name} "), text)?;
    }
    Ok(())
}

fn print(text: &[u8]) -> Result<u8> {
    let mut out = stdout();
    out.write_all(text)?;
    out.flush()?;
    Ok(status::OK)
}
