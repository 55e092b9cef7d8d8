//! `policy simulate`: a policy and a log in, what the policy would have recorded of it out.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{
    access::{EvidenceShare, EvidenceTally},
    arrow::array::RecordBatch,
    policy::{
        AuditPolicy, LogVolume, PolicyLevel, PolicySimulation, PolicyStage, SimulatedRow,
        SimulationReport,
    },
};

use super::{
    document,
    rows::ColumnSet,
    screen,
    shapes::{ShapeSizes, read_shapes},
};
use crate::{
    args::{PolicySimulateArgs, SimulatedBy},
    output,
    run::{AccountOfRun, Ended, conclude, note, stdout, write_batch},
    settings::Settings,
    text::{counted, grouped},
};

/// Saved queries that are named where others are asked for.
const MOST_LOSSES: usize = 10;

pub(super) async fn simulate(args: &PolicySimulateArgs, settings: &Settings) -> Result<u8> {
    let policy = document::load(&args.file, settings)?;
    let mut simulation = PolicySimulation::new(&policy);
    let mut tally = EvidenceTally::default();
    let shown = read_shapes(settings, ShapeSizes::Measured, &mut |event, columns| {
        let decision = simulation.add(event);
        let left = match decision.records(event.stage) {
            true => decision.level.min(event.level),
            false => PolicyLevel::None,
        };
        tally.add(event, left, columns);
    })
    .await?;
    if matches!(shown.ended, Ok(Ended::Complete)) {
        let report = simulation.report();
        let mut losses = tally.shares();
        losses.retain(|share| share.left < share.had);
        match &settings.output {
            Some(name) => {
                let rows = match args.by {
                    SimulatedBy::Rule => rule_rows(&report, &policy)?,
                    SimulatedBy::Query => query_rows(&losses)?,
                };
                write_batch(&rows, output::find(name)?, settings)?;
                note(settings, &summary(&args.file, &report));
                if args.by == SimulatedBy::Rule && !losses.is_empty() {
                    let queries = losses.len();
                    let all = tally.shares().len();
                    note(
                        settings,
                        &format!(
                            "{queries} of {all} saved queries lose evidence; --by query lists them"
                        ),
                    );
                }
            }
            None => {
                let mut out = stdout();
                show(args, &report, &policy, &losses, &mut out, settings)?;
                out.flush()?;
            }
        }
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    Ok(ended.exit_code(code))
}

fn line_of(policy: &AuditPolicy, row: &SimulatedRow) -> Option<u64> {
    Some(policy.rules.get(row.rule?.checked_sub(1)?)?.line as u64)
}

fn rule_rows(report: &SimulationReport, policy: &AuditPolicy) -> Result<RecordBatch> {
    let all = || report.rows.iter();
    ColumnSet::default()
        .numbers("rule", all().map(|row| row.rule.map(|rule| rule as u64)))
        .numbers("line", all().map(|row| line_of(policy, row)))
        .texts("level", all().map(|row| Some(row.level.name())))
        .texts("stage", all().map(|row| Some(row.stage.name())))
        .numbers("events", all().map(|row| Some(row.read.events)))
        .numbers("bytes", all().map(|row| Some(row.read.bytes)))
        .numbers(
            "recorded_events",
            all().map(|row| Some(row.recorded.events)),
        )
        .numbers("recorded_bytes", all().map(|row| Some(row.recorded.bytes)))
        .numbers("bodies_unknown", all().map(|row| Some(row.bodies_unknown)))
        .batch()
}

fn query_rows(losses: &[EvidenceShare]) -> Result<RecordBatch> {
    let all = || losses.iter();
    ColumnSet::default()
        .texts("query", all().map(|loss| Some(loss.query.id.as_str())))
        .texts("pack", all().map(|loss| Some(loss.query.pack.as_str())))
        .texts(
            "level",
            all().map(|loss| Some(loss.query.header.level.name())),
        )
        .numbers("requests", all().map(|loss| Some(loss.had)))
        .numbers("recorded_requests", all().map(|loss| Some(loss.left)))
        .batch()
}

fn summary(file: &str, report: &SimulationReport) -> String {
    let (read, recorded) = (report.read, report.recorded);
    format!(
        "{} would record {} of {} and {} of {}",
        document::title(file),
        grouped(recorded.events),
        counted(read.events, "event"),
        grouped(recorded.bytes),
        counted(read.bytes, "byte"),
    )
}

fn show(
    args: &PolicySimulateArgs,
    report: &SimulationReport,
    policy: &AuditPolicy,
    losses: &[EvidenceShare],
    out: &mut dyn Write,
    settings: &Settings,
) -> Result<()> {
    let width = screen::width(settings);
    screen::paragraph(out, "", 0, &summary(&args.file, report), width)?;
    if args.by == SimulatedBy::Rule {
        writeln!(out)?;
        show_rules(report, policy, out)?;
        for remark in remarks(report) {
            writeln!(out)?;
            screen::paragraph(out, "", 0, &remark, width)?;
        }
    }
    writeln!(out)?;
    if losses.is_empty() {
        writeln!(out, "no saved query loses evidence")?;
        return Ok(());
    }
    writeln!(out, "saved queries that lose evidence:")?;
    let most = match args.by {
        SimulatedBy::Query => losses.len(),
        _ => losses.len().min(MOST_LOSSES),
    };
    let shown = &losses[..most];
    show_losses(shown, out)?;
    let more = losses.len() - shown.len();
    if more > 0 && args.by != SimulatedBy::Query {
        writeln!(
            out,
            "  and {} more: --by query lists them",
            grouped(more as u64)
        )?;
    }
    Ok(())
}

fn show_losses(losses: &[EvidenceShare], out: &mut dyn Write) -> Result<()> {
    let rows: Vec<_> = losses
        .iter()
        .map(|loss| {
            let (left, had) = (grouped(loss.left), grouped(loss.had));
            vec![
                loss.query.id.clone(),
                format!("keeps {left} of {had} requests"),
            ]
        })
        .collect();
    Ok(screen::grid(out, &rows, &[0, 1])?)
}

/// A line a rule, over all stages.
fn show_rules(report: &SimulationReport, policy: &AuditPolicy, out: &mut dyn Write) -> Result<()> {
    let head = [
        "rule", "line", "level", "events", "recorded", "bytes", "recorded",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut rest = report.rows.as_slice();
    while let Some(first) = rest.first() {
        let of_rule = rest.iter().take_while(|row| row.rule == first.rule).count();
        let (stages, further) = rest.split_at(of_rule);
        rest = further;
        let mut read = LogVolume::default();
        let mut recorded = LogVolume::default();
        for row in stages {
            read += row.read;
            recorded += row.recorded;
        }
        rows.push(vec![
            first
                .rule
                .map_or_else(|| "none".to_owned(), |rule| rule.to_string()),
            line_of(policy, first).map_or_else(String::new, |line| line.to_string()),
            first.level.name().to_owned(),
            grouped(read.events),
            grouped(recorded.events),
            grouped(read.bytes),
            grouped(recorded.bytes),
        ]);
    }
    Ok(screen::grid(out, &rows, &[2])?)
}

fn remarks(report: &SimulationReport) -> Vec<String> {
    let mut remarks = Vec::new();
    if !report.unused_rules.is_empty() {
        let rules: Vec<_> = report
            .unused_rules
            .iter()
            .map(ToString::to_string)
            .collect();
        remarks.push(format!(
            "rules that decide on no event: {}",
            rules.join(", ")
        ));
    }
    if report.bodies_unknown > 0 {
        remarks.push(format!(
            "lower bound: the policy records bodies of {} whose level in the log is lower",
            counted(report.bodies_unknown, "event")
        ));
    }
    if !report.stages_not_in_log.is_empty() {
        let stages = report
            .stages_not_in_log
            .iter()
            .map(|stage| PolicyStage::name(*stage));
        remarks.push(format!(
            "lower bound: the policy records stages that the log does not have: {}",
            stages.collect::<Vec<_>>().join(", ")
        ));
    }
    remarks
}
