//! `policy suggest`: a log, and perhaps the policy in force, in; changes that cut noise out.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{
    access::{EvidenceShare, EvidenceTally},
    arrow::array::RecordBatch,
    policy::{
        AuditPolicy, EventFacts, LogVolume, ObservedLevels, PolicyLevel, PolicySuggestion,
        SuggestionSearch,
    },
};

use super::{
    document,
    rows::ColumnSet,
    screen,
    shapes::{ShapeSizes, read_shapes},
};
use crate::{
    args::PolicySuggestArgs,
    output,
    run::{AccountOfRun, Ended, conclude, stdout, write_batch},
    settings::Settings,
    text::{counted, grouped},
};

/// A change with the saved queries that lose evidence by it.
struct WeighedChange {
    suggestion: PolicySuggestion,
    losses: Vec<EvidenceShare>,
}

pub(super) async fn suggest(args: &PolicySuggestArgs, settings: &Settings) -> Result<u8> {
    let policy = args.file.as_ref();
    let policy = policy
        .map(|file| document::load(file, settings))
        .transpose()?;
    let mut search = SuggestionSearch::default();
    let mut observed = ObservedLevels::default();
    let mut tally = EvidenceTally::default();
    let shown = read_shapes(settings, ShapeSizes::Measured, &mut |event, columns| {
        let Some(event) = recorded(event, policy.as_ref()) else {
            return;
        };
        search.add(&event);
        observed.add(&event);
        tally.add(&event, event.level, columns);
    })
    .await?;
    if matches!(shown.ended, Ok(Ended::Complete)) {
        let suggestions = search.suggestions(args.min_saving / 100.0);
        let changes: Vec<_> = suggestions
            .into_iter()
            .map(|suggestion| {
                let mut lost = EvidenceTally::default();
                search.affected(&suggestion.change, |event, left| lost.add(event, left, &[]));
                WeighedChange {
                    losses: tally.shares_without(&lost),
                    suggestion,
                }
            })
            .collect();
        let total = search.total();
        match settings.output.as_deref() {
            Some("yaml") => {
                let base = policy.unwrap_or_else(|| observed.as_policy());
                let mut out = stdout();
                out.write_all(document_of(&base, &changes, total).as_bytes())?;
                out.flush()?;
            }
            Some(name) => write_batch(&rows(&changes, total)?, output::find(name)?, settings)?,
            None => {
                let mut out = stdout();
                show(
                    &changes,
                    total,
                    args.min_saving,
                    &mut out,
                    screen::width(settings),
                )?;
                out.flush()?;
            }
        }
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    Ok(ended.exit_code(code))
}

/// Saved queries that a suggestion names; `-o jsonl` has all.
const MOST_LOSSES: usize = 5;

/// What a policy leaves of events; all of them without one.
fn recorded<'e>(event: &EventFacts<'e>, policy: Option<&AuditPolicy>) -> Option<EventFacts<'e>> {
    let Some(policy) = policy else {
        return Some(*event);
    };
    let decision = policy.decide(&event.request);
    let mut left = *event;
    left.level = decision.level.min(event.level);
    if left.level < PolicyLevel::Request {
        left.bytes.request_object = 0;
    }
    if left.level < PolicyLevel::RequestResponse {
        left.bytes.response_object = 0;
    }
    decision.records(event.stage).then_some(left)
}

fn share(part: u64, whole: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more precision"
    )]
    let (part, whole) = (part as f64, whole.max(1) as f64);
    part / whole
}

fn rows(changes: &[WeighedChange], total: LogVolume) -> Result<RecordBatch> {
    let all = || changes.iter().map(|change| &change.suggestion);
    let queries = changes.iter().map(|change| {
        let losses = change.losses.iter();
        losses.map(|loss| loss.query.id.clone()).collect()
    });
    ColumnSet::default()
        .texts("change", all().map(|row| Some(row.code)))
        .numbers("saved_events", all().map(|row| Some(row.saving.events)))
        .numbers("saved_bytes", all().map(|row| Some(row.saving.bytes)))
        .shares(
            "share_of_bytes",
            all().map(|row| share(row.saving.bytes, total.bytes)),
        )
        .numbers(
            "further_events",
            all().map(|row| Some(row.further_saving.events)),
        )
        .numbers(
            "further_bytes",
            all().map(|row| Some(row.further_saving.bytes)),
        )
        .texts("hides", all().map(|row| Some(row.invisible.as_str())))
        .numbers("refused", all().map(|row| Some(row.refused)))
        .numbers("by_people", all().map(|row| Some(row.by_people)))
        .lists("queries", queries)
        .texts("yaml", all().map(|row| Some(row.yaml.as_str())))
        .batch()
}

/// The policy with all changes, and what they are in comments.
fn document_of(base: &AuditPolicy, changes: &[WeighedChange], total: LogVolume) -> String {
    let mut policy = base.clone();
    let mut text = String::new();
    for change in changes {
        policy = policy.amended(&change.suggestion.change);
        text.push_str(&format!("# {}\n", headline(&change.suggestion, total)));
        text.push_str(&format!("#   hides {}\n", change.suggestion.invisible));
    }
    text + &policy.to_yaml()
}

fn headline(suggestion: &PolicySuggestion, total: LogVolume) -> String {
    let saving = suggestion.saving;
    let percent = |part, whole| 100.0 * share(part, whole);
    format!(
        "{}: saves {} ({:.1}%), {} ({:.1}%)",
        suggestion.code,
        counted(saving.events, "event"),
        percent(saving.events, total.events),
        counted(saving.bytes, "byte"),
        percent(saving.bytes, total.bytes),
    )
}

fn show(
    changes: &[WeighedChange],
    total: LogVolume,
    min_saving: f64,
    out: &mut dyn Write,
    width: usize,
) -> Result<()> {
    if changes.is_empty() {
        writeln!(out, "no change saves {min_saving}% of the events or bytes")?;
        return Ok(());
    }
    let mut all = LogVolume::default();
    for change in changes {
        let suggestion = &change.suggestion;
        all += suggestion.further_saving;
        screen::paragraph(out, "", 2, &headline(suggestion, total), width)?;
        for line in suggestion.yaml.lines() {
            writeln!(out, "    {}", crate::text::sanitize(line, false))?;
        }
        screen::paragraph(out, "  hides ", 4, &suggestion.invisible, width)?;
        for (count, what) in [
            (suggestion.refused, "refused requests"),
            (suggestion.by_people, "events of people"),
        ] {
            if count > 0 {
                writeln!(out, "  among them {} {what}", grouped(count))?;
            }
        }
        if !change.losses.is_empty() {
            let more = change.losses.len().saturating_sub(MOST_LOSSES);
            let losses = change.losses.iter().take(MOST_LOSSES).map(|loss| {
                let lost = loss.had.saturating_sub(loss.left);
                format!(
                    "{} ({} of {})",
                    loss.query.id,
                    grouped(lost),
                    grouped(loss.had)
                )
            });
            let mut losses = losses.collect::<Vec<_>>().join(", ");
            if more > 0 {
                losses.push_str(&format!(" and {} more", grouped(more as u64)));
            }
            screen::paragraph(out, "  lost to ", 4, &losses, width)?;
        }
        writeln!(out)?;
    }
    let summary = format!(
        "all of them save {} of {} and {} of {}",
        grouped(all.events),
        counted(total.events, "event"),
        grouped(all.bytes),
        counted(total.bytes, "byte"),
    );
    Ok(screen::paragraph(out, "", 0, &summary, width)?)
}
