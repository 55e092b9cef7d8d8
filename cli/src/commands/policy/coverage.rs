//! `policy coverage`: a policy, a log or both in, which saved queries can be asked out.

use std::io::{self, Write};

use anyhow::{Result, bail};
use auditql_engine::{
    access::{CoverageStatus, LogCoverage, QueryCoverage, policy_coverage},
    arrow::array::RecordBatch,
    policy::PolicyLevel,
};

use super::{
    document,
    rows::ColumnSet,
    screen,
    shapes::{ShapeSizes, read_shapes},
};
use crate::{
    args::PolicyCoverageArgs,
    output,
    run::{AccountOfRun, Ended, conclude, status, stdout, write_batch},
    settings::Settings,
    text::grouped,
};

pub(super) async fn coverage(args: &PolicyCoverageArgs, settings: &Settings) -> Result<u8> {
    let policy = args.file.as_ref();
    let policy = policy
        .map(|file| document::load(file, settings))
        .transpose()?;
    if settings.options.inputs.is_empty() {
        let Some(policy) = &policy else {
            bail!("policy coverage needs a policy, a log with -i INPUT, or both");
        };
        write(&policy_coverage(policy), settings)?;
        return Ok(status::OK);
    }
    let mut coverage = LogCoverage::default();
    let shown = read_shapes(settings, ShapeSizes::Unmeasured, &mut |event, columns| {
        let level = match &policy {
            None => event.level,
            Some(policy) => {
                let decision = policy.decide(&event.request);
                match decision.records(event.stage) {
                    true => decision.level,
                    false => PolicyLevel::None,
                }
            }
        };
        coverage.add(event, level, columns);
    })
    .await?;
    if matches!(shown.ended, Ok(Ended::Complete)) {
        write(&coverage.report(policy.as_ref()), settings)?;
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    Ok(ended.exit_code(code))
}

fn write(coverage: &[QueryCoverage], settings: &Settings) -> Result<()> {
    if let Some(name) = &settings.output {
        return write_batch(&rows(coverage)?, output::find(name)?, settings);
    }
    let mut out = stdout();
    show(coverage, &mut out, screen::width(settings))?;
    Ok(out.flush()?)
}

fn rows(coverage: &[QueryCoverage]) -> Result<RecordBatch> {
    let all = || coverage.iter();
    ColumnSet::default()
        .texts("query", all().map(|row| Some(row.query.id.as_str())))
        .texts("pack", all().map(|row| Some(row.query.pack.as_str())))
        .texts(
            "level",
            all().map(|row| Some(row.query.header.level.name())),
        )
        .texts("status", all().map(|row| Some(row.status.name())))
        .numbers("enough", all().map(|row| Some(row.enough)))
        .numbers("looked_at", all().map(|row| Some(row.looked_at)))
        .texts("unit", all().map(|row| Some(row.unit.name())))
        .texts(
            "why",
            all().map(|row| Some(row.why.as_str()).filter(|why| !why.is_empty())),
        )
        .batch()
}

/// The worst first; of the evaluable ones only the names.
fn show(coverage: &[QueryCoverage], out: &mut dyn Write, width: usize) -> io::Result<()> {
    let order = [
        CoverageStatus::NotEvaluable,
        CoverageStatus::Partly,
        CoverageStatus::Unknown,
        CoverageStatus::Evaluable,
    ];
    let mut is_first = true;
    for status in order {
        let found: Vec<_> = coverage.iter().filter(|row| row.status == status).collect();
        if found.is_empty() {
            continue;
        }
        if !std::mem::take(&mut is_first) {
            writeln!(out)?;
        }
        writeln!(
            out,
            "{}: {} of {}",
            status.name(),
            found.len(),
            coverage.len()
        )?;
        if status == CoverageStatus::Evaluable {
            let names: Vec<_> = found.iter().map(|row| row.query.id.as_str()).collect();
            screen::paragraph(out, "  ", 2, &names.join(", "), width)?;
            continue;
        }
        for row in found {
            let mut why = row.why.clone();
            if row.looked_at > 0 {
                let (enough, all) = (grouped(row.enough), grouped(row.looked_at));
                why = format!("{enough} of {all} {}; {why}", row.unit.name());
            }
            let first = format!("  {}: ", row.query.id);
            screen::paragraph(out, &first, 4, &why, width)?;
        }
    }
    Ok(())
}
