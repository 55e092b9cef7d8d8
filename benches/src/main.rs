//! The benches' command line: `auditql-benches generate` writes audit logs of any size.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use auditql_benches::{Profile, Summary};
use clap::{Args, Parser, Subcommand};

/// Load generator for auditql's benches
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(Generate),
}

/// Write an audit log like that of a real cluster, one event a line
#[derive(Args)]
struct Generate {
    /// Stop after the line that reaches this size: `2GB`, `500MB`, `24140694`
    #[arg(long, value_parser = size)]
    bytes: u64,
    /// The kind of cluster to imitate
    #[arg(long, value_enum, default_value_t)]
    profile: Profile,
    /// Seed of the random numbers; a profile and a seed always give the same bytes
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Output file; `-` is standard output
    #[arg(long, default_value = "-", value_name = "FILE")]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let Command::Generate(arguments) = Cli::parse().command;
    match arguments.run() {
        // The reader has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        result => result,
    }
}

impl Generate {
    fn run(&self) -> anyhow::Result<()> {
        let summary = if self.out == Path::new("-") {
            let mut out = io::stdout().lock();
            self.profile.generate(&mut out, self.bytes, self.seed)?
        } else {
            let file = File::create(&self.out)
                .with_context(|| format!("cannot create {}", self.out.display()))?;
            let mut out = BufWriter::new(file);
            let summary = self.profile.generate(&mut out, self.bytes, self.seed)?;
            out.flush()?;
            summary
        };
        let Summary {
            events,
            bytes,
            first,
            last,
        } = summary;
        writeln!(
            io::stderr(),
            "{events} events, {bytes} bytes, {first} to {last}"
        )?;
        Ok(())
    }
}

/// A number of bytes; units are decimal.
fn size(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err("units are KB, MB and GB".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "not a number of bytes".to_owned())?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "too many bytes".to_owned())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
