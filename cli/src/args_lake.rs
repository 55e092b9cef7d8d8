//! The arguments of `lake`.

use clap::{Args as ClapArgs, Subcommand};

use crate::args::{Format, span};

#[derive(Debug, ClapArgs)]
pub(crate) struct Lake {
    #[command(subcommand)]
    pub(crate) command: LakeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LakeCommand {
    /// The evidence: what was read of which source, one row a source. The table `sources` has one
    /// for each part.
    #[command(
        after_help = "Examples:\n  auditql lake sources /srv/lake\n  auditql lake sources /srv/lake --as-of 2026-11-01 -o json"
    )]
    Sources(Place),
    /// The commits, newest first.
    #[command(
        after_help = "Examples:\n  auditql lake history /srv/lake --limit 10\n  auditql sql \"SELECT count(*) FROM events\" -i /srv/lake --as-of 12"
    )]
    History(History),
    /// Compute the evidence again, from the data files and from the originals where they are; exit
    /// code 1 when anything differs.
    #[command(
        after_help = "Examples:\n  auditql lake verify /srv/lake\n  auditql lake verify /srv/lake -i /archive/logs/        originals that are not where they were\n  auditql lake verify s3://evidence/lake --no-originals -o jsonl\n\nStatus: ok; differs; gone: not there, or another log is; expired: let go of by `expire`"
    )]
    Verify(Verify),
    /// Write the original events as JSON lines.
    #[command(
        after_help = "Examples:\n  auditql lake export /srv/lake --to events.jsonl --since 2026-11-01 --until 2026-11-02\n  auditql lake export /srv/lake --source 5f0c1d2e… --to -        one log again, in its order"
    )]
    Export(Export),
    /// Make few files of many small ones, in the order of time. No row changes; readers and writers
    /// may go on.
    #[command(after_help = "Example:\n  auditql lake optimize /srv/lake")]
    Optimize(Place),
    /// Let go of old days. Their files stay until `vacuum` removes them; the evidence stays for
    /// good.
    #[command(
        after_help = "Examples:\n  auditql lake expire /srv/lake --older-than 400d --dry-run\n  auditql lake expire /srv/lake --older-than 400d"
    )]
    Expire(Expire),
    /// Remove files that nothing needs: of days that were let go, of files that were merged, of
    /// runs that were killed.
    #[command(
        after_help = "Example:\n  auditql lake vacuum /srv/lake --older-than 7d\n\nVersions that need the removed files cannot be read in full afterwards. Runs that take longer than --older-than may lose their files"
    )]
    Vacuum(Vacuum),
}

/// Which lake, and how its rows are written.
#[derive(Debug, ClapArgs)]
pub(crate) struct Place {
    /// The lake: a folder, or a URL of S3, Cloud Storage or Azure.
    #[arg(value_name = "LAKE")]
    pub(crate) lake: String,
    #[command(flatten)]
    pub(crate) format: Format,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct History {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Only so many.
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Do not look at what the lake was made from.
    #[arg(long)]
    pub(crate) no_originals: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// The lake: a folder, or a URL of S3, Cloud Storage or Azure.
    #[arg(value_name = "LAKE")]
    pub(crate) lake: String,
    /// The file to write, or `-` for stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) to: String,
    /// Only this source, by its `source_id` (`auditql lake sources` lists them), in the order of
    /// the original.
    #[arg(long, value_name = "ID")]
    pub(crate) source: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Expire {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Days that ended so long ago: 400d, 52w.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    pub(crate) older_than: i64,
    /// Only say what would be let go.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Vacuum {
    #[command(flatten)]
    pub(crate) place: Place,
    /// What nobody has needed for so long: 7d, 12h. Longer than any run takes.
    #[arg(long, value_name = "SPAN", value_parser = span, default_value = "7d")]
    pub(crate) older_than: i64,
    /// Only say what would be removed.
    #[arg(long)]
    pub(crate) dry_run: bool,
}
