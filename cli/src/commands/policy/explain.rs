//! `policy explain`: a policy with a log or one request in, the rule that decides out.

use std::{io::Write, sync::Arc};

use anyhow::{Result, bail};
use auditql_engine::{
    Options,
    access::{ALL_REQUESTS, RequestRows},
    arrow::array::{
        ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    },
    policy::{AuditPolicy, PolicyDecision, PolicyExplanation, RequestAttributes, RequestedTarget},
    request::RequestUri,
};

use super::{document, rows::ColumnSet, screen};
use crate::{
    args::{PolicyExplainArgs, RequestFlags},
    output::{self, View},
    run::{AccountOfRun, Ended, Session, conclude, note, say, status, stdout, write_batch},
    settings::Settings,
    text::counted,
};

/// Explains each event of a log, in the log's order.
pub(super) async fn explain_log(args: &PolicyExplainArgs, settings: &Settings) -> Result<u8> {
    if settings.options.inputs.is_empty() {
        bail!(
            "policy explain needs a log, -i INPUT, or a request: --verb with --resource or --path"
        );
    }
    let policy = document::load(&args.file, settings)?;
    let output = output::find(settings.output())?;
    // One thread reads the events in the order of the log.
    let options = Options {
        threads: 1,
        ..settings.options.clone()
    };
    let decisions = DecisionList::of(&policy);
    let mut unclear = 0;
    let view = View {
        width: settings.terminal.width(),
        ranked: &[],
    };
    let session = Session::open_with(options, settings).await?;
    let mut out = stdout();
    let mut rows = output.begin(&mut out, decisions.empty()?.schema_ref(), view)?;
    let mut shown = session
        .read(ALL_REQUESTS, &mut |batch| {
            rows.batch(&decisions.rows(&policy, batch, &mut unclear)?)
        })
        .await;
    let finished = match shown.ended {
        Ok(Ended::Complete) => rows.finish(),
        _ => {
            drop(rows);
            Ok(())
        }
    };
    if let Err(error) = finished {
        shown.ended = Err(error);
    }
    out.flush()?;
    if unclear > 0 {
        let events = counted(unclear, "event");
        say(
            settings,
            &format!("{events} without a request URI and an object: no decision"),
        );
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    Ok(ended.exit_code(code))
}

/// The decisions of a policy by rule, made once.
struct DecisionList {
    /// By rule; that of no rule comes first.
    decisions: Vec<PolicyDecision>,
}

impl DecisionList {
    fn of(policy: &AuditPolicy) -> Self {
        let by_rule = (1..=policy.rules.len()).map(|rule| policy.decision_by(Some(rule)));
        Self {
            decisions: [policy.decision_by(None)]
                .into_iter()
                .chain(by_rule)
                .collect(),
        }
    }

    fn empty(&self) -> Result<RecordBatch> {
        let audit_ids = std::iter::empty::<Option<&str>>();
        let audit_ids = audit_ids.collect::<auditql_engine::arrow::array::StringViewArray>();
        DecidedRows::default().finish(Arc::new(audit_ids))
    }

    /// The decision on each row of a batch of [`ALL_REQUESTS`].
    fn rows(
        &self,
        policy: &AuditPolicy,
        batch: &RecordBatch,
        unclear: &mut u64,
    ) -> Result<RecordBatch> {
        let mut decided = DecidedRows::default();
        RequestRows::new(batch)?.for_each(|_, request| {
            let Some(request) = request else {
                *unclear += 1;
                return decided.add(None);
            };
            let rule = policy.deciding_rule(&request).unwrap_or_default();
            decided.add(self.decisions.get(rule));
        });
        let audit_id = batch.column_by_name("audit_id").cloned();
        decided.finish(audit_id.ok_or_else(|| anyhow::Error::msg("no column audit_id"))?)
    }
}

/// Decisions while they become rows.
#[derive(Default)]
struct DecidedRows {
    rule: Int64Builder,
    level: StringBuilder,
    omit_stages: ListBuilder<StringBuilder>,
    omit_managed_fields: BooleanBuilder,
}

impl DecidedRows {
    fn add(&mut self, decision: Option<&PolicyDecision>) {
        let rule = decision.and_then(|decision| i64::try_from(decision.rule?).ok());
        self.rule.append_option(rule);
        let Some(decision) = decision else {
            self.level.append_null();
            self.omit_stages.append_null();
            self.omit_managed_fields.append_null();
            return;
        };
        self.level.append_value(decision.level.name());
        for stage in &decision.omit_stages {
            self.omit_stages.values().append_value(stage.name());
        }
        self.omit_stages.append(true);
        self.omit_managed_fields
            .append_value(decision.omit_managed_fields);
    }

    fn finish(mut self, audit_id: ArrayRef) -> Result<RecordBatch> {
        ColumnSet::default()
            .with("audit_id", audit_id)
            .with("rule", Arc::new(self.rule.finish()))
            .with("level", Arc::new(self.level.finish()))
            .with("omit_stages", Arc::new(self.omit_stages.finish()))
            .with(
                "omit_managed_fields",
                Arc::new(self.omit_managed_fields.finish()),
            )
            .batch()
    }
}

/// Explains one request.
pub(super) fn explain_request(args: &PolicyExplainArgs, settings: &Settings) -> Result<u8> {
    let policy = document::load(&args.file, settings)?;
    let flags = &args.request;
    let path = flags.path.as_deref().map(RequestUri::new);
    let verb = verb(flags)?;
    let info = path.as_ref().map(|path| path.with_verb(verb));
    let groups: Vec<&str> = flags.group.iter().map(String::as_str).collect();
    let target = match (&info, &flags.resource) {
        (Some(info), _) => RequestedTarget::from(info),
        (None, Some(resource)) => target(resource, flags),
        (None, None) => bail!("what is the request for? --resource or --path"),
    };
    let request = RequestAttributes {
        user: flags.user.as_deref(),
        groups: &groups,
        verb,
        target,
    };
    let explanation = policy.explain(&request);
    match &settings.output {
        Some(name) => {
            let output = output::find(name)?;
            write_batch(&row_of(&explanation)?, output, settings)?;
        }
        None => {
            let mut out = stdout();
            show(&explanation, &mut out, screen::width(settings))?;
            out.flush()?;
        }
    }
    if flags.user.is_none() {
        note(
            settings,
            "without --user: as a request whose authentication failed, which no rule with users \
             or userGroups matches",
        );
    }
    Ok(status::OK)
}

fn verb(flags: &RequestFlags) -> Result<&str> {
    match (&flags.verb, &flags.path) {
        (Some(verb), _) => Ok(verb),
        (None, Some(_)) => Ok("get"),
        (None, None) => bail!("what does the request do? --verb, such as get, list or create"),
    }
}

/// `pods/exec`, `deployments.apps/scale`, or the parts in flags of their own.
fn target<'f>(resource: &'f str, flags: &'f RequestFlags) -> RequestedTarget<'f> {
    let (resource, subresource) = match &flags.subresource {
        Some(subresource) => (resource, subresource.as_str()),
        None => resource.split_once('/').unwrap_or((resource, "")),
    };
    let (resource, api_group) = match &flags.api_group {
        Some(api_group) => (resource, api_group.as_str()),
        None => resource.split_once('.').unwrap_or((resource, "")),
    };
    let name = flags.name.as_deref().unwrap_or_default();
    let namespace = match (&flags.namespace, api_group, resource) {
        (Some(namespace), ..) => namespace,
        // `get namespaces/x` has the namespace x.
        (None, "", "namespaces") => name,
        _ => "",
    };
    RequestedTarget::Resource {
        api_group,
        resource,
        subresource,
        namespace,
        name,
    }
}

fn row_of(explanation: &PolicyExplanation) -> Result<RecordBatch> {
    let decision = &explanation.decision;
    let stages = decision
        .omit_stages
        .iter()
        .map(|stage| stage.name().to_owned());
    let passed = explanation.passed_over.iter();
    let passed = passed.map(|passed| format!("rule {}: {}", passed.rule, passed.reason));
    ColumnSet::default()
        .numbers("rule", [decision.rule.map(|rule| rule as u64)])
        .texts("level", [Some(decision.level.name())])
        .lists("omit_stages", [stages.collect()])
        .flags("omit_managed_fields", [decision.omit_managed_fields])
        .texts("summary", [Some(explanation.summary.as_str())])
        .lists("passed_over", [passed.collect()])
        .batch()
}

fn show(explanation: &PolicyExplanation, out: &mut dyn Write, width: usize) -> std::io::Result<()> {
    screen::paragraph(out, "", 0, &explanation.summary, width)?;
    if !explanation.passed_over.is_empty() {
        writeln!(out, "\npassed over:")?;
    }
    for passed in &explanation.passed_over {
        let (rule, line, level) = (passed.rule, passed.line, passed.level);
        let first = format!("  rule {rule} (line {line}, {level}): ");
        screen::paragraph(out, &first, 4, &passed.reason, width)?;
    }
    Ok(())
}
