//! `rbac suggest`: least privilege as roles and bindings that `kubectl apply` takes.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Result, bail};
use auditql_engine::{
    access::{subject_name, suggestion_diff_rows, suggestion_rows},
    rbac::{
        MASTERS, ObservedRequest, RbacObjects, SubjectKey, SubjectKind, SuggestOptions, Suggestion,
        service_account_of, suggest as suggested, suggestion_yaml,
    },
};

use super::facts::{LogFacts, ObjectFacts};
use crate::{
    args::RbacSuggestArgs,
    output,
    run::{Session, say, stdout, write_batch},
    settings::Settings,
    text::{counted, sanitize},
};

/// A subject of the command line.
///
/// # Errors
///
/// When its kind is unknown.
pub(super) fn subject_key(words: &(String, String, String)) -> Result<SubjectKey> {
    let (kind, namespace, name) = words;
    let kind = match kind.as_str() {
        "user" => SubjectKind::User,
        "group" => SubjectKind::Group,
        "serviceaccount" => SubjectKind::ServiceAccount,
        other => bail!("unknown kind of subject `{other}`"),
    };
    Ok(SubjectKey {
        kind,
        namespace: namespace.clone(),
        name: name.clone(),
    })
}

pub(super) async fn suggest(args: &RbacSuggestArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = if args.diff {
        ObjectFacts::read(&session, settings)?
    } else {
        ObjectFacts::read_any(&session)?
    };
    let log = LogFacts::read(&session, &facts).await;
    if log.has_answer(settings) {
        let mut subjects = args
            .subject
            .iter()
            .map(subject_key)
            .collect::<Result<Vec<_>>>()?;
        for subject in &subjects {
            let mut users = log.observed.iter().map(|one| &one.identity);
            if !users.any(|identity| identity.is_subject(subject)) {
                bail!("{} made no request in this log", shown(subject));
            }
        }
        if args.all {
            subjects.extend(subjects_of(&log.observed));
        }
        let options = SuggestOptions {
            names_from: args.any_name_from,
            namespaces_from: args.any_namespace_from,
            reads_together: args.reads_together,
            include_denied: args.include_denied,
        };
        let suggestions: Vec<Suggestion> = subjects
            .iter()
            .map(|subject| suggested(subject, &log.observed, options))
            .collect();
        prove(&suggestions, settings)?;
        write(args, settings, &facts, &log, &suggestions)?;
    }
    log.conclude(settings)
}

/// A subject of the command line that bindings name: one that is misspelt would look as if it had no
/// permissions.
///
/// # Errors
///
/// When no binding names it.
pub(super) fn bound_subject(
    words: &(String, String, String),
    objects: &RbacObjects,
) -> Result<SubjectKey> {
    let wanted = subject_key(words)?;
    let is_named = objects.bindings.iter().any(|binding| {
        let namespace = &binding.key.namespace;
        let mut subjects = binding.subjects.iter();
        subjects.any(|one| one.effective(namespace).as_ref() == Some(&wanted))
    });
    match is_named {
        true => Ok(wanted),
        false => bail!("no binding in the input names {}", shown(&wanted)),
    }
}

/// The subject in a message.
fn shown(subject: &SubjectKey) -> String {
    sanitize(&subject_name(subject), false).into_owned()
}

/// Everybody who sent requests, but for the parts of Kubernetes itself and those whom nothing is
/// refused.
fn subjects_of(observed: &[ObservedRequest]) -> BTreeSet<SubjectKey> {
    let users = observed.iter().map(|one| &one.identity);
    let subjects = users.filter_map(|identity| {
        if identity.is_in(MASTERS) || identity.name.is_empty() {
            return None;
        }
        let name = &identity.name;
        let (kind, namespace, name) = match service_account_of(name) {
            Some((namespace, name)) => (SubjectKind::ServiceAccount, namespace, name),
            None if name.starts_with("system:") => return None,
            None => (SubjectKind::User, "", name.as_str()),
        };
        Some(SubjectKey {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    });
    subjects.collect()
}

/// Each suggestion was replayed over the log; one that does not hold is not written.
fn prove(suggestions: &[Suggestion], settings: &Settings) -> Result<()> {
    let mut requests = 0;
    for suggestion in suggestions {
        let (proof, name) = (&suggestion.proof, subject_name(&suggestion.subject));
        requests += proof.requests;
        if !proof.holds() {
            bail!(
                "the suggestion for {name} does not hold: it denies {} that were allowed, and has \
                 {} without a use; please report this",
                counted(proof.newly_denied.len() as u64, "request"),
                counted(proof.without_use, "permission")
            );
        }
        if !proof.unavoidable.is_empty() {
            let refused = counted(proof.unavoidable.len() as u64, "refused request");
            say(
                settings,
                &format!("{name}: {refused} would pass, as every rule for an allowed one lets it"),
            );
        }
    }
    let (subjects, requests) = (
        counted(suggestions.len() as u64, "subject"),
        counted(requests, "different request"),
    );
    say(
        settings,
        &format!("replayed {requests} of {subjects}: 0 newly denied, 0 permissions without a use"),
    );
    Ok(())
}

fn write(
    args: &RbacSuggestArgs,
    settings: &Settings,
    facts: &ObjectFacts,
    log: &LogFacts,
    suggestions: &[Suggestion],
) -> Result<()> {
    if args.diff {
        let rows = suggestion_diff_rows(&facts.authorizer, &log.observed, suggestions)?;
        return write_batch(&rows, output::find(settings.output())?, settings);
    }
    match settings.output.as_deref() {
        None | Some("yaml") => {
            let mut out = stdout();
            for suggestion in suggestions {
                writeln!(out, "# {}", shown(&suggestion.subject))?;
                out.write_all(suggestion_yaml(suggestion).as_bytes())?;
            }
            Ok(out.flush()?)
        }
        Some(name) => write_batch(
            &suggestion_rows(suggestions)?,
            output::find(name)?,
            settings,
        ),
    }
}
