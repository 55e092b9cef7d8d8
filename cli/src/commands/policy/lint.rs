//! `policy lint`: a policy in, what is wrong with it and an exit code out.

use std::io::{self, Write};

use anyhow::Result;
use auditql_engine::{
    arrow::array::RecordBatch,
    policy::{PolicyConcern, PolicyFinding, PolicyLint, lint_policy},
};

use super::{document, rows::ColumnSet, screen};
use crate::{
    args::PolicyLintArgs,
    output,
    run::{note, status, stdout, write_batch},
    settings::Settings,
    text::counted,
};

pub(super) fn lint(args: &PolicyLintArgs, settings: &Settings) -> Result<u8> {
    let lint = lint_policy(&document::read(&args.file, settings)?);
    let file = document::title(&args.file);
    match &settings.output {
        Some(name) => {
            let rows = rows(file, &lint.findings)?;
            write_batch(&rows, output::find(name)?, settings)?;
        }
        None => {
            let mut out = stdout();
            show(file, &lint.findings, &mut out, screen::width(settings))?;
            out.flush()?;
        }
    }
    note(settings, &summary(file, &lint));
    Ok(match (&lint.loaded.outcome, lint.findings.as_slice()) {
        (Err(_), _) => status::ERROR,
        (Ok(_), []) => status::OK,
        (Ok(_), _) => status::FINDINGS,
    })
}

fn rows(file: &str, findings: &[PolicyFinding]) -> Result<RecordBatch> {
    let all = || findings.iter();
    ColumnSet::default()
        .texts("file", all().map(|_| Some(file)))
        .numbers("line", all().map(|finding| Some(finding.line as u64)))
        .numbers("rule", all().map(|finding| Some(finding.rule? as u64)))
        .texts("code", all().map(|finding| Some(finding.code)))
        .texts("concern", all().map(|finding| Some(finding.concern.name())))
        .texts(
            "message",
            all().map(|finding| Some(finding.message.as_str())),
        )
        .texts("mend", all().map(|finding| Some(finding.mend.as_str())))
        .batch()
}

fn show(
    file: &str,
    findings: &[PolicyFinding],
    out: &mut dyn Write,
    width: usize,
) -> io::Result<()> {
    for finding in findings {
        let place = format!("{file}:{}: ", finding.line);
        let concern = finding.concern.name();
        let message = format!("{concern}: {}", finding.message);
        screen::paragraph(out, &place, 4, &message, width)?;
        let mend = match finding.concern {
            PolicyConcern::Refused => finding.mend.clone(),
            _ => format!("{} [{}]", finding.mend, finding.code),
        };
        screen::paragraph(out, "    ", 4, &mend, width)?;
    }
    Ok(())
}

fn summary(file: &str, lint: &PolicyLint) -> String {
    let count = |concern| {
        let findings = lint.findings.iter();
        findings
            .filter(|finding| finding.concern == concern)
            .count() as u64
    };
    let Ok(policy) = &lint.loaded.outcome else {
        let reasons = counted(count(PolicyConcern::Refused), "reason");
        return format!("{file}: the apiserver refuses this policy, for {reasons}");
    };
    let rules = counted(policy.rules.len() as u64, "rule");
    if lint.findings.is_empty() {
        return format!("{file}: {rules}, nothing found");
    }
    let warnings = counted(count(PolicyConcern::Warning), "warning");
    let advice = match count(PolicyConcern::Advice) {
        1 => "1 piece of advice".to_owned(),
        pieces => format!("{pieces} pieces of advice"),
    };
    format!("{file}: {rules}; {warnings}, {advice}")
}
