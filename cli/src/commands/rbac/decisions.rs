//! `rbac replay`, `rbac explain`, `rbac can-i`, `rbac who-can`: decisions, recorded or asked for.

use std::io::Write;

use anyhow::{Result, bail};
use auditql_engine::{
    access::{
        ACCESS_EVENTS, AccessRows, RBAC_WRITES, Replay, ReplayTotals, access_events_by_time,
        access_events_of, cover_rows, rbac_changes, replay_rows, who_can_rows,
    },
    rbac::{AccessRequest, Identity, RbacHistory, service_account_of},
    redacted_text,
};

use super::facts::ObjectFacts;
use crate::{
    args::{RbacCanIArgs, RbacExplainArgs, RbacReplayArgs, RbacWhoCanArgs, RequestWords},
    output,
    run::{AccountOfRun, Ended, Session, conclude, insist, say, status, stdout, write_batch},
    settings::Settings,
    text::{counted, grouped, sanitize},
};

pub(super) async fn replay(args: &RbacReplayArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let history = if args.as_of_events {
        session.keep_streams().await?;
        let mut changes = Vec::new();
        let shown = session
            .read(RBAC_WRITES, &mut |batch| {
                changes.extend(rbac_changes(batch)?);
                Ok(())
            })
            .await;
        if !matches!(shown.ended, Ok(Ended::Complete)) {
            let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
            return Ok(ended.exit_code(code));
        }
        Some(RbacHistory::new(&facts.objects, changes))
    } else {
        None
    };
    let (mut replay, statement) = match &history {
        Some(history) => (Replay::over_time(history), access_events_by_time()),
        None => (Replay::new(&facts.authorizer), ACCESS_EVENTS.to_owned()),
    };
    let mut disagreements = Vec::new();
    let shown = session
        .read(&statement, &mut |batch| {
            AccessRows::new(batch)?.for_each(|event| disagreements.extend(replay.judge(event)));
            Ok(())
        })
        .await;
    let totals = replay.totals;
    if matches!(shown.ended, Ok(Ended::Complete)) {
        // Events come in no order: that of their ids is the same for every run.
        disagreements.sort_by(|a, b| (&a.audit_id, &a.why).cmp(&(&b.audit_id, &b.why)));
        let output = output::find(settings.output())?;
        write_batch(&replay_rows(&disagreements)?, output, settings)?;
        tell(totals, settings);
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    match ended.exit_code(code) {
        status::OK if totals.disagreed > 0 => Ok(status::FINDINGS),
        status::OK if totals.decided() == 0 && !settings.allow_empty => Ok(status::PARTIAL),
        code => Ok(code),
    }
}

fn tell(totals: ReplayTotals, settings: &Settings) {
    let text = format!(
        "{} agreed, {} disagreed, {} decided by others (masters {}, node {}, webhook {}), {} \
         without a decision",
        grouped(totals.agreed),
        grouped(totals.disagreed),
        grouped(totals.by_others()),
        grouped(totals.by_masters),
        grouped(totals.by_node),
        grouped(totals.by_webhook),
        grouped(totals.undecided),
    );
    say(settings, &text);
    if totals.decided() == 0 {
        insist("the log records no decision, so nothing was checked");
    }
}

pub(super) async fn explain(args: &RbacExplainArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let mut found: Vec<(Identity, AccessRequest, Option<String>)> = Vec::new();
    let shown = session
        .read(&access_events_of(&args.audit_id), &mut |batch| {
            AccessRows::new(batch)?.for_each(|event| {
                let recorded = event.decision.map(|decision| {
                    let word = if decision.is_allowed {
                        "allow"
                    } else {
                        "forbid"
                    };
                    format!("{word} {}", decision.reason.unwrap_or_default())
                });
                if let Some(user) = event.actor() {
                    let one = (user.identity(), event.request(), recorded);
                    if !found.contains(&one) {
                        found.push(one);
                    }
                }
            });
            Ok(())
        })
        .await;
    if matches!(shown.ended, Ok(Ended::Complete)) {
        if found.is_empty() {
            let id = redacted_text(&args.audit_id);
            bail!(
                "no event of a known user has the audit ID {}",
                sanitize(&id, false)
            );
        }
        for (identity, request, recorded) in &found {
            let covers = facts.authorizer.covers(identity, request);
            let recorded = recorded.as_deref().unwrap_or("no decision");
            say(
                settings,
                &format!(
                    "{} {} by {}: recorded {}; {} of these objects allow it",
                    request.verb,
                    target_name(request),
                    identity.name,
                    recorded.trim_end(),
                    counted(covers.len() as u64, "grant")
                ),
            );
            let output = output::find(settings.output())?;
            write_batch(&cover_rows(&facts.authorizer, &covers)?, output, settings)?;
        }
    }
    let (code, ended) = conclude(shown.ended, AccountOfRun::of(shown.report), settings)?;
    Ok(ended.exit_code(code))
}

fn target_name(request: &AccessRequest) -> String {
    match &request.path {
        Some(path) => path.clone(),
        None => request.combined_resource(),
    }
}

pub(super) async fn can_i(args: &RbacCanIArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let request = request_of(&args.request);
    let identity = identity_of(&args.user, &args.group);
    let covers = facts.authorizer.covers(&identity, &request);
    match &settings.output {
        Some(name) => {
            let rows = cover_rows(&facts.authorizer, &covers)?;
            write_batch(&rows, output::find(name)?, settings)?;
        }
        None => {
            let mut out = stdout();
            match covers.first() {
                Some(cover) => {
                    writeln!(out, "yes")?;
                    say(settings, &facts.authorizer.reason(*cover));
                }
                None => writeln!(out, "no")?,
            }
            out.flush()?;
        }
    }
    let code = session.conclude_objects(settings)?;
    match covers.is_empty() && code == status::OK {
        true => Ok(status::FINDINGS),
        false => Ok(code),
    }
}

pub(super) async fn who_can(args: &RbacWhoCanArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let rows = who_can_rows(&facts.authorizer, &request_of(&args.request))?;
    write_batch(&rows, output::find(settings.output())?, settings)?;
    session.conclude_objects(settings)
}

/// The groups of a user whose groups nobody gave: those that the apiserver adds
/// (`AuthenticatedGroupAdder`, service account tokens).
fn identity_of(user: &str, groups: &[String]) -> Identity {
    let mut groups = groups.to_vec();
    if groups.is_empty() {
        if let Some((namespace, _)) = service_account_of(user) {
            groups.push("system:serviceaccounts".to_owned());
            groups.push(format!("system:serviceaccounts:{namespace}"));
        }
        groups.push(match user {
            "system:anonymous" => "system:unauthenticated".to_owned(),
            _ => "system:authenticated".to_owned(),
        });
    }
    Identity {
        name: user.to_owned(),
        groups,
    }
}

/// `pods/exec`, `deployments.apps`, `deployments.apps/scale`, `/healthz`.
fn request_of(words: &RequestWords) -> AccessRequest {
    if words.target.starts_with('/') {
        return AccessRequest {
            verb: words.verb.clone(),
            path: Some(words.target.clone()),
            ..AccessRequest::default()
        };
    }
    let (resource, subresource) = words.target.split_once('/').unwrap_or((&words.target, ""));
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    AccessRequest {
        verb: words.verb.clone(),
        namespace: words.namespace.clone().unwrap_or_default(),
        api_group: words.api_group.clone().unwrap_or_else(|| group.to_owned()),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        name: words.name.clone().unwrap_or_default(),
        path: None,
    }
}
