//! `rbac unused`: what can go, what dangles, what is wider than its use.

use std::io::{self, Write};

use anyhow::Result;
use auditql_engine::{
    access::{UnusedFinding, unused_findings, unused_rows},
    rbac::RemovalOptions,
};

use super::facts::{LogFacts, ObjectFacts};
use crate::{
    args::RbacUnusedArgs,
    commands::screen::{paragraph, width},
    output,
    run::{Session, say, stdout, write_batch},
    settings::Settings,
    text::counted,
};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

pub(super) async fn unused(args: &RbacUnusedArgs, settings: &Settings) -> Result<u8> {
    let session = Session::open(settings).await?;
    let facts = ObjectFacts::read(&session, settings)?;
    let log = LogFacts::read(&session, &facts).await;
    if log.has_answer(settings) {
        log.tell_agreement(settings);
        let options = RemovalOptions {
            keep_bootstrap: !args.bootstrap,
            redundant: !args.keep_redundant,
            inside: true,
        };
        let findings = unused_findings(&facts.objects, &facts.authorizer, &log.observed, options);
        let warning = too_short(log.window(), args.min_window);
        match &settings.output {
            Some(name) => {
                if let Some(warning) = &warning {
                    say(settings, warning);
                }
                write_batch(&unused_rows(&findings)?, output::find(name)?, settings)?;
            }
            None => {
                let mut out = stdout();
                show(&findings, warning.as_deref(), &mut out, width(settings))?;
                out.flush()?;
            }
        }
    }
    log.conclude(settings)
}

/// What to say of a window that is too short to conclude from.
fn too_short(window: i64, least: i64) -> Option<String> {
    (window < least).then(|| {
        let days = |micros: i64| match micros / DAY {
            0 => "less than a day".to_owned(),
            days => counted(days.unsigned_abs(), "day"),
        };
        format!(
            "the log covers {}, and --min-window is {}: too short to conclude that a permission is \
             not needed",
            days(window),
            days(least)
        )
    })
}

/// Groups of findings in the order in which people act on them.
const GROUPS: [(&str, &str); 8] = [
    ("binding", "bindings"),
    ("subject", "subjects of bindings"),
    ("rule", "rules of roles"),
    ("role", "roles"),
    ("service account", "service accounts"),
    ("token mount", "mounted tokens"),
    ("wildcard", "wildcards that were used for less"),
    (
        "scope",
        "cluster-wide bindings used in some namespaces only",
    ),
];

fn show(
    findings: &[UnusedFinding],
    warning: Option<&str>,
    out: &mut dyn Write,
    width: usize,
) -> io::Result<()> {
    if let Some(warning) = warning {
        paragraph(out, "", 0, &format!("Note: {warning}."), width)?;
        writeln!(out)?;
    }
    let removable = findings.iter().filter(|one| one.is_removable).count();
    if removable > 0 {
        let text = format!(
            "{} marked * can go together: without all of them, no request of this log is denied.",
            counted(removable as u64, "item")
        );
        paragraph(out, "", 0, &text, width)?;
    }
    for (kind, title) in GROUPS {
        let of_kind: Vec<_> = findings.iter().filter(|one| one.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        writeln!(out, "\n{title}: {}", of_kind.len())?;
        for one in of_kind {
            let mark = if one.is_removable { "* " } else { "  " };
            let part = match one.part.as_str() {
                "" => String::new(),
                part => format!(" {part}"),
            };
            let is_list = one.note.contains('\n');
            let note = match one.note.as_str() {
                "" => String::new(),
                _ if is_list => ":".to_owned(),
                note => format!(": {note}"),
            };
            let text = format!("{}{part}: {}{note}", one.object, one.reason);
            paragraph(out, mark, 6, &text, width)?;
            if is_list {
                for line in one.note.lines() {
                    writeln!(out, "      {}", crate::text::sanitize(line, false))?;
                }
            }
        }
    }
    if findings.is_empty() {
        writeln!(out, "nothing is unused")?;
    }
    Ok(())
}
