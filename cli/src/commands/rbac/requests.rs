//! `rbac what-if`, `rbac denied`, `rbac risk`: requests of a log under other objects, those that were
//! refused, and what risky permissions are for.

use anyhow::{Context, Result, bail};
use auditql_engine::{
    access::{NamedObject, denied_rows, named_object, risk_rows, what_if_rows},
    arrow::array::RecordBatch,
    rbac::{
        ManifestReader, RbacAuthorizer, RbacObjects, applied, changed_decisions,
        denied as denied_access, risks,
    },
};

use super::{
    facts::{LogFacts, ObjectFacts},
    suggest::bound_subject,
};
use crate::{
    args::{RbacDeniedArgs, RbacRiskArgs, RbacWhatIfArgs},
    output,
    run::{Session, say, write_batch},
    settings::Settings,
    text::{counted, grouped},
};

pub(super) async fn what_if(args: &RbacWhatIfArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let after = changed(args, &facts.objects)?;
    let log = LogFacts::read(&session, &facts).await;
    if log.has_answer(settings) {
        log.tell_agreement(settings);
        let after = RbacAuthorizer::new(&after);
        let changed = changed_decisions(&facts.authorizer, &after, &log.observed);
        let requests = |is_allowed: bool| -> u64 {
            let of = changed.iter().filter(|one| one.is_allowed == is_allowed);
            of.map(|one| one.observed.count).sum()
        };
        say(
            settings,
            &format!(
                "{} would be denied; {} that were refused would be allowed",
                counted(requests(false), "request"),
                grouped(requests(true))
            ),
        );
        write_rows(&what_if_rows(&changed)?, settings)?;
    }
    log.conclude(settings)
}

/// The objects after the change.
fn changed(args: &RbacWhatIfArgs, objects: &RbacObjects) -> Result<RbacObjects> {
    let mut after = objects.clone();
    for name in &args.remove {
        let Some(object) = named_object(objects, name) else {
            bail!(
                "{name}: the input has no such object; expected clusterrolebinding/NAME, \
                 rolebinding/NAMESPACE/NAME, clusterrole/NAME or role/NAMESPACE/NAME"
            );
        };
        match object {
            NamedObject::Binding(key) => after.bindings.retain(|binding| binding.key != key),
            NamedObject::Role(key) => after.roles.retain(|role| role.key != key),
        }
    }
    for file in &args.apply {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
        let mut reader = ManifestReader::new();
        reader.read_text(&name, &text);
        let read = reader.finish();
        if let Some(reject) = read.rejects.first() {
            bail!("{name}:{}: {}", reject.line, reject.message);
        }
        if read.objects.roles.is_empty() && read.objects.bindings.is_empty() {
            bail!("{name}: no roles or bindings");
        }
        after = applied(&after, &read.objects);
    }
    Ok(after)
}

pub(super) async fn denied(args: &RbacDeniedArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read_any(&session)?;
    let log = LogFacts::read(&session, &facts).await;
    if log.has_answer(settings) {
        let found = denied_access(&log.observed, args.broad_from);
        write_rows(&denied_rows(&found)?, settings)?;
    }
    log.conclude(settings)
}

pub(super) async fn risk(args: &RbacRiskArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let wanted = args.subject.as_ref();
    let wanted = wanted
        .map(|words| bound_subject(words, &facts.objects))
        .transpose()?;
    let log = LogFacts::read(&session, &facts).await;
    if log.is_complete() {
        let report = risks(&facts.objects, &facts.authorizer, &log.observed);
        let rows = risk_rows(&report, &facts.authorizer, wanted.as_ref())?;
        write_rows(&rows, settings)?;
    }
    log.conclude(settings)
}

fn write_rows(rows: &RecordBatch, settings: &Settings) -> Result<()> {
    write_batch(rows, output::find(settings.output())?, settings)
}
