//! The file of a policy: its name in, its bytes or the policy out.

use std::{io::Read, path::Path};

use anyhow::{Context, Result, bail};
use auditql_engine::{
    is_same_file,
    policy::{AuditPolicy, load_policy},
};

use crate::{run::say, settings::Settings, text::counted};

/// The file's name in messages.
pub(super) fn title(file: &str) -> &str {
    match file {
        "-" => "stdin",
        file => file,
    }
}

/// The bytes of a policy.
///
/// # Errors
///
/// When the file cannot be read, or is something else in the same run.
pub(super) fn read(file: &str, settings: &Settings) -> Result<Vec<u8>> {
    if file == "-" {
        if settings.options.inputs.iter().any(|input| input == "-") {
            bail!("stdin is both the policy and an input");
        }
        let mut bytes = Vec::new();
        let mut stdin = std::io::stdin();
        stdin.read_to_end(&mut bytes).context("cannot read stdin")?;
        return Ok(bytes);
    }
    let path = Path::new(file);
    if let Some(summary) = &settings.summary
        && is_same_file(path, summary)
    {
        bail!("{file}: is the policy, and is written by --summary");
    }
    std::fs::read(path).with_context(|| format!("cannot read {file}"))
}

/// A policy that the apiserver takes; says what it ignores in it.
///
/// # Errors
///
/// When it cannot be read, or the apiserver refuses it.
pub(crate) fn load(file: &str, settings: &Settings) -> Result<AuditPolicy> {
    let loaded = load_policy(&read(file, settings)?);
    let title = title(file);
    match loaded.outcome {
        Ok(policy) => {
            for warning in &loaded.warnings {
                let line = warning.line;
                say(settings, &format!("{title}:{line}: {}", warning.message));
            }
            Ok(policy)
        }
        Err(refusals) => {
            let mut message = format!("{title}: the apiserver refuses this policy");
            for refusal in refusals.iter().take(3) {
                message.push_str(&format!("\nline {}: {}", refusal.line, refusal.reason));
            }
            if let Some(more @ 1..) = refusals.len().checked_sub(3) {
                let more = counted(more as u64, "more reason");
                message.push_str(&format!("\n{more}: `auditql policy lint {file}`"));
            }
            bail!(message)
        }
    }
}
