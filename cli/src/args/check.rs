//! The arguments of `check`, and the forms in which it reports.

use std::path::PathBuf;

use auditql_engine::Severity;
use clap::Args;

use super::flags::{AccountFlags, EmptyFlags, Flags, LibraryFlags, OUTPUT, OwnFlags, ReadFlags};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Ask only the queries of this pack; repeatable
    #[arg(long = "pack", value_name = "PACK")]
    pub(crate) packs: Vec<String>,
    /// Ask only this saved query, or the query of your own in this file (.sql); repeatable
    #[arg(long = "query", value_name = "ID|FILE")]
    pub(crate) queries: Vec<String>,
    /// Ask only the queries that are evidence for this framework: cis, pci-dss-4.0, soc2, nist-800-53,
    /// iso27001, hipaa, nsa-cisa, gdpr or overview
    #[arg(long, value_name = "FRAMEWORK")]
    pub(crate) framework: Option<String>,
    /// Leave out findings less severe than this: info, low, medium, high or critical [default: low;
    /// info for queries named by --query]
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) severity: Option<Severity>,
    /// Exit with 1 for findings of this severity or worse; `none` never does, `not-evaluable` also
    /// does for a query that the log cannot answer [default: high]
    #[arg(long, value_name = "SEVERITY", value_parser = fail_on, value_delimiter = ',')]
    pub(crate) fail_on: Vec<FailOn>,
    /// Do not fail for the findings that this file accepts, until they expire
    #[arg(long, value_name = "FILE")]
    pub(crate) accept: Option<PathBuf>,
    /// Write a file that accepts what was found, and do not fail for it
    #[arg(long, value_name = "FILE")]
    pub(crate) write_accept: Option<PathBuf>,
    #[command(flatten)]
    library: LibraryFlags,
    #[command(flatten)]
    empty: EmptyFlags,
    #[command(flatten)]
    read: ReadFlags,
    #[command(flatten)]
    own: OwnFlags,
    /// Report as table, json, jsonl, sarif, junit or markdown, on stdout or into a file; repeatable
    /// [default: table]
    #[arg(short, long, value_name = "FORMAT[=FILE]", value_parser = report_target, help_heading = OUTPUT)]
    pub(crate) output: Vec<ReportTarget>,
    #[command(flatten)]
    account: AccountFlags,
}

impl CheckArgs {
    pub(super) fn flags(&self) -> Flags {
        let files = self.output.iter().filter_map(|target| target.file.clone());
        Flags {
            allow_empty: self.empty.allow_empty,
            summary: self.account.summary.clone(),
            quiet: self.account.quiet.quiet,
            files: files.chain(self.write_accept.clone()).collect(),
            own: self.own.clone(),
            library: self.library.library.clone(),
            ..self.read.flags()
        }
    }
}

/// What makes a run fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// A finding that is so bad, or worse.
    Severity(Severity),
    /// A query that the log cannot answer.
    NotEvaluable,
    Nothing,
}

/// A form of the report, and the file that it is written to; without one, stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportTarget {
    pub(crate) format: ReportFormat,
    pub(crate) file: Option<PathBuf>,
}

/// A form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportFormat {
    Table,
    Json,
    JsonLines,
    Sarif,
    Junit,
    Markdown,
}

const FORMATS: [(&str, ReportFormat); 6] = [
    ("table", ReportFormat::Table),
    ("json", ReportFormat::Json),
    ("jsonl", ReportFormat::JsonLines),
    ("sarif", ReportFormat::Sarif),
    ("junit", ReportFormat::Junit),
    ("markdown", ReportFormat::Markdown),
];

fn report_target(text: &str) -> Result<ReportTarget, String> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(file)),
        None => (text, None),
    };
    let Some((_, format)) = FORMATS.iter().find(|(known, _)| *known == name) else {
        let names = FORMATS.map(|(name, _)| name);
        let otherwise = format!("known formats: {}", names.join(", "));
        return Err(crate::text::unknown("format", name, names, &otherwise));
    };
    if file == Some("") {
        return Err(format!("expected {name}=FILE"));
    }
    Ok(ReportTarget {
        format: *format,
        file: file.filter(|file| *file != "-").map(PathBuf::from),
    })
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::from_name(text).ok_or_else(|| format!("expected one of: {}", severities()))
}

fn fail_on(text: &str) -> Result<FailOn, String> {
    match text {
        "none" => Ok(FailOn::Nothing),
        "not-evaluable" => Ok(FailOn::NotEvaluable),
        _ => Severity::from_name(text)
            .map(FailOn::Severity)
            .ok_or_else(|| format!("expected one of: {}, not-evaluable, none", severities())),
    }
}

fn severities() -> String {
    Severity::ALL.map(Severity::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_and_files() {
        let sarif = report_target("sarif=a=b.sarif").unwrap();
        assert_eq!(sarif.format, ReportFormat::Sarif);
        assert_eq!(sarif.file, Some(PathBuf::from("a=b.sarif")));
        assert_eq!(report_target("json=-").unwrap().file, None);
        let error = report_target("sarf").unwrap_err();
        assert_eq!(error, "unknown format `sarf`; did you mean `sarif`?");
        assert!(report_target("csv").is_err() && report_target("json=").is_err());
        assert_eq!(fail_on("none"), Ok(FailOn::Nothing));
        assert!(fail_on("worst").is_err());
    }
}
