//! `rbac usage`: every permission that is granted, and its use.

use std::io::Write;

use anyhow::Result;
use auditql_engine::{
    access::{LogSilence, UsageFold, folded_usage, usage_rows, usage_schema},
    policy::{AuditPolicy, PolicyLevel, RequestClass, RequestSender, RequestedTarget},
    rbac::{
        Permission, PermissionTarget, RbacAuthorizer, RbacBinding, RbacGrant, RbacObjects,
        RbacUsage, SubjectKey,
    },
};

use super::{
    facts::{LogFacts, ObjectFacts},
    suggest::bound_subject,
    tree,
};
use crate::{
    args::{RbacUsageArgs, UsageBy},
    commands::policy,
    output::{self, View},
    run::{Session, stdout},
    settings::Settings,
};

pub(super) async fn usage(args: &RbacUsageArgs, settings: &Settings) -> Result<u8> {
    let policy = args.policy.as_ref();
    let policy = policy
        .map(|file| policy::load(file, settings))
        .transpose()?;
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let wanted = args.subject.as_ref();
    let wanted = wanted
        .map(|words| bound_subject(words, &facts.objects))
        .transpose()?;
    let log = LogFacts::read(&session, &facts).await;
    if log.has_answer(settings) {
        log.tell_agreement(settings);
        let authorizer = match &wanted {
            Some(subject) => RbacAuthorizer::new(&of_subject(&facts.objects, subject)),
            None => facts.authorizer.clone(),
        };
        let usage = RbacUsage::new(&authorizer, &log.observed);
        let silence = LogSilence::of(&log.observed, log.window());
        let recorded = match &policy {
            Some(policy) => Recorded::ByPolicy(policy),
            None => Recorded::AsLogged(&silence),
        };
        write(args, settings, &usage, recorded)?;
    }
    log.conclude(settings)
}

/// The objects without other subjects in bindings.
fn of_subject(objects: &RbacObjects, wanted: &SubjectKey) -> RbacObjects {
    let mut objects = objects.clone();
    for binding in &mut objects.bindings {
        let namespace = &binding.key.namespace;
        let subjects = binding.subjects.iter();
        let subjects = subjects.filter(|one| one.effective(namespace).as_ref() == Some(wanted));
        *binding = std::sync::Arc::new(RbacBinding {
            subjects: subjects.cloned().collect(),
            ..RbacBinding::clone(binding)
        });
    }
    objects
}

/// What says which requests the log records.
#[derive(Clone, Copy)]
enum Recorded<'r> {
    /// The audit policy.
    ByPolicy(&'r AuditPolicy),
    /// The log itself.
    AsLogged(&'r LogSilence),
}

fn write(
    args: &RbacUsageArgs,
    settings: &Settings,
    usage: &RbacUsage<'_>,
    recorded: Recorded<'_>,
) -> Result<()> {
    let mut observable = |grant: &RbacGrant<'_>, permission: &Permission<'_>| match recorded {
        Recorded::ByPolicy(policy) => not_recorded(policy, grant, permission),
        Recorded::AsLogged(silence) => silence.reason(permission),
    };
    let mut out = stdout();
    let fold = match args.by {
        UsageBy::Permission => None,
        UsageBy::Subject => Some(UsageFold::Subject),
        UsageBy::Binding => Some(UsageFold::Binding),
        UsageBy::Role => Some(UsageFold::Role),
        UsageBy::Rule => Some(UsageFold::Rule),
    };
    let view = View {
        width: settings.terminal.width(),
        ranked: &[],
    };
    match (fold, &settings.output) {
        (None, None) => tree::write(&mut out, usage, &mut observable, settings)?,
        (None, Some(name)) => {
            let mut rows = output::find(name)?.begin(&mut out, &usage_schema(), view)?;
            usage_rows(usage, &mut observable, |batch| rows.batch(&batch))?;
            rows.finish()?;
        }
        (Some(fold), _) => {
            let batch = folded_usage(usage, fold, &mut observable)?;
            let output = output::find(settings.output())?;
            let mut rows = output.begin(&mut out, batch.schema_ref(), view)?;
            rows.batch(&batch)?;
            rows.finish()?;
        }
    }
    Ok(out.flush()?)
}

/// Why a policy does not record the use of a permission; `None` if it does.
fn not_recorded(
    policy: &AuditPolicy,
    grant: &RbacGrant<'_>,
    permission: &Permission<'_>,
) -> Option<String> {
    let is_pattern = |text: &str| text.contains('*');
    if is_pattern(permission.verb) {
        return None;
    }
    let target = match permission.target {
        PermissionTarget::Resource {
            api_group,
            resource,
            name,
        } => {
            if is_pattern(api_group) || is_pattern(resource) {
                return None;
            }
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            RequestedTarget::Resource {
                api_group,
                resource,
                subresource,
                namespace: &grant.bound.binding.key.namespace,
                name: name.unwrap_or_default(),
            }
        }
        PermissionTarget::Url(url) if is_pattern(url) => return None,
        PermissionTarget::Url(url) => RequestedTarget::Path(url),
    };
    let class = RequestClass {
        verb: permission.verb,
        target,
        sender: RequestSender::Anyone,
    };
    let decisions = policy.class_decisions(&class);
    let is_hidden = decisions.iter().all(|one| one.level == PolicyLevel::None);
    is_hidden.then(|| match decisions.iter().find_map(|one| one.rule) {
        Some(rule) => format!("rule {rule} of the audit policy does not record it"),
        None => "no rule of the audit policy records it".to_owned(),
    })
}
