//! `completions` and `man`, generated from the arguments.

use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;

use super::stdout;
use crate::{args::Args, status};

pub(super) fn completions(shell: clap_complete::Shell) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "auditql", &mut text);
    print(&text)
}

pub(super) fn man() -> Result<u8> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Args::command()).render(&mut text)?;
    print(&text)
}

fn print(text: &[u8]) -> Result<u8> {
    let mut out = stdout();
    out.write_all(text)?;
    out.flush()?;
    Ok(status::OK)
}
