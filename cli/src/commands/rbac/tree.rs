//! `rbac usage` for people: subjects, below them roles, below them what they used.
//!
//! ```text
//! ServiceAccount web/deployer                          3 of 41 permissions used
//!   Role dev/deployer by rolebinding/dev/deployer      3 of 6
//!     get, list, patch deployments.apps                 1,204×, last 2026-11-22
//!     unused: delete deployments.apps; create, get secrets
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write};

use auditql_engine::{
    access::{Observable, binding_name, subject_name},
    format_time,
    rbac::{BindingKey, Permission, PermissionTarget, RbacUsage, SubjectKey, UsageStatus},
};

use crate::{
    commands::screen::{paragraph, width},
    settings::Settings,
    text::grouped,
};

/// Targets that a line of unused permissions lists.
const MOST_LISTED: usize = 12;

/// Permissions of one role, by what they are for.
#[derive(Default)]
struct RoleBranch {
    role: String,
    used: u64,
    all: u64,
    /// By target: verbs, uses, last use.
    targets: BTreeMap<String, TargetUse>,
    unused: BTreeMap<String, Vec<String>>,
    not_observable: BTreeMap<String, Vec<String>>,
}

#[derive(Default)]
struct TargetUse {
    verbs: Vec<String>,
    uses: u64,
    last: i64,
}

/// Writes the tree.
pub(super) fn write(
    out: &mut dyn Write,
    usage: &RbacUsage<'_>,
    observable: &mut Observable<'_>,
    settings: &Settings,
) -> io::Result<()> {
    let mut subjects: BTreeMap<SubjectKey, BTreeMap<BindingKey, RoleBranch>> = BTreeMap::new();
    usage.each_row(observable, |row| {
        let binding = &row.grant.bound.binding;
        let branches = subjects.entry(row.grant.subject.clone()).or_default();
        let branch = branches.entry(binding.key.clone()).or_default();
        if branch.role.is_empty() {
            branch.role = format!("{} {}", binding.role_kind, binding.role_name);
        }
        branch.all += 1;
        let (verb, target) = words(&row.permission);
        match &row.status {
            UsageStatus::Used => {
                branch.used += 1;
                let record = row.record.cloned().unwrap_or_default();
                let of = branch.targets.entry(target).or_default();
                of.verbs.push(verb);
                of.uses += record.uses;
                of.last = of.last.max(record.last);
            }
            UsageStatus::Unused => branch.unused.entry(target).or_default().push(verb),
            UsageStatus::NotObservable(_) => {
                branch.not_observable.entry(target).or_default().push(verb);
            }
        }
    });
    let width = width(settings);
    for (at, (subject, branches)) in subjects.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let used: u64 = branches.values().map(|branch| branch.used).sum();
        let all: u64 = branches.values().map(|branch| branch.all).sum();
        let share = format!("{} of {} permissions used", grouped(used), grouped(all));
        paragraph(
            out,
            "",
            4,
            &format!("{}: {share}", subject_name(subject)),
            width,
        )?;
        for (key, branch) in branches {
            let text = format!(
                "{} by {}: {} of {}",
                branch.role,
                binding_name(key),
                grouped(branch.used),
                grouped(branch.all)
            );
            paragraph(out, "  ", 6, &text, width)?;
            write_branch(out, branch, width)?;
        }
    }
    Ok(())
}

fn write_branch(out: &mut dyn Write, branch: &RoleBranch, width: usize) -> io::Result<()> {
    for (target, of) in &branch.targets {
        let day = format_time(of.last);
        let text = format!(
            "{} {target}: {}×, last {}",
            of.verbs.join(", "),
            grouped(of.uses),
            day.get(..10).unwrap_or(&day)
        );
        paragraph(out, "    ", 8, &text, width)?;
    }
    for (title, targets) in [
        ("unused", &branch.unused),
        ("not observable", &branch.not_observable),
    ] {
        if targets.is_empty() {
            continue;
        }
        let first = targets.iter().take(MOST_LISTED);
        let mut list: Vec<String> = first
            .map(|(target, verbs)| format!("{} {target}", verbs.join(", ")))
            .collect();
        if targets.len() > MOST_LISTED {
            list.push(format!(
                "{} more",
                grouped((targets.len() - MOST_LISTED) as u64)
            ));
        }
        paragraph(out, &format!("    {title}: "), 8, &list.join("; "), width)?;
    }
    Ok(())
}

/// The verb, and what it is for: `deployments.apps`, `secrets "db"`, `/healthz`.
fn words(permission: &Permission<'_>) -> (String, String) {
    let target = match permission.target {
        PermissionTarget::Url(url) => url.to_owned(),
        PermissionTarget::Resource {
            api_group,
            resource,
            name,
        } => {
            let group = match api_group {
                "" => String::new(),
                group => format!(".{group}"),
            };
            let name = name.map_or_else(String::new, |name| format!(" \"{name}\""));
            format!("{resource}{group}{name}")
        }
    };
    (permission.verb.to_owned(), target)
}
