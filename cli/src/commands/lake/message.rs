//! The sentences of lake commands: what was done in, a sentence for stderr out.

use auditql_engine::{Expired, FindingStatus, Optimized, Vacuumed, Verified, format_time};

use crate::text::counted;

/// What an export wrote; `bytes` for a file.
pub(super) fn exported(events: u64, bytes: Option<u64>, to: &str) -> String {
    let events = counted(events, "event");
    match bytes {
        Some(bytes) => format!("wrote {events} ({}) to {to}", counted(bytes, "byte")),
        None => format!("wrote {events} to stdout"),
    }
}

/// What a comparison with the evidence found.
pub(super) fn verified(verified: &Verified, lake: &str) -> String {
    let counts: Vec<String> = FindingStatus::ALL
        .into_iter()
        .map(|status| (verified.count(status), status))
        .filter(|(count, status)| *count > 0 || is_always_told(*status))
        .map(|(count, status)| format!("{count} {}", status.name()))
        .collect();
    let version = verified.version;
    format!("verified {lake}, version {version}: {}", counts.join(", "))
}

/// That nothing differs is worth saying.
const fn is_always_told(status: FindingStatus) -> bool {
    matches!(status, FindingStatus::Ok | FindingStatus::Differs)
}

/// What merging small files did.
pub(super) fn optimized(done: &Optimized, lake: &str) -> String {
    summary_of_merge(done.files_before(), done.files_after(), lake)
}

fn summary_of_merge(before: u64, after: u64, lake: &str) -> String {
    match before {
        0 => format!("nothing to optimize in {lake}"),
        _ => {
            let (before, after) = (counted(before, "file"), counted(after, "file"));
            format!("optimized {lake}: merged {before} into {after}")
        }
    }
}

/// What removing old days did.
pub(super) fn expired(done: &Expired, lake: &str) -> String {
    let before = format_time(done.before);
    summary_of_expiry(
        done.files(),
        done.removed_rows(),
        done.dry_run,
        &before,
        lake,
    )
}

fn summary_of_expiry(files: u64, rows: u64, dry_run: bool, before: &str, lake: &str) -> String {
    if files == 0 {
        return format!("{lake} has no days before {before}");
    }
    let removed = if dry_run { "would remove" } else { "removed" };
    let (rows, files) = (counted(rows, "row"), counted(files, "file"));
    format!("{removed} {rows} in {files} from {lake}: days before {before}")
}

/// What deleting files did.
pub(super) fn vacuumed(done: &Vacuumed, lake: &str) -> String {
    summary_of_deletion(done.files(), done.bytes(), done.dry_run, lake)
}

fn summary_of_deletion(files: u64, bytes: u64, dry_run: bool, lake: &str) -> String {
    let deleted = if dry_run { "would delete" } else { "deleted" };
    let (files, bytes) = (counted(files, "file"), counted(bytes, "byte"));
    format!("{deleted} {files} ({bytes}) from {lake}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_in_a_sentence() {
        assert_eq!(
            exported(1_200, Some(9_000_000), "events.jsonl"),
            "wrote 1,200 events (9,000,000 bytes) to events.jsonl"
        );
        assert_eq!(exported(1, None, "-"), "wrote 1 event to stdout");
    }

    #[test]
    fn upkeep_in_sentences() {
        assert_eq!(
            summary_of_merge(6, 1, "lake"),
            "optimized lake: merged 6 files into 1 file"
        );
        assert_eq!(
            summary_of_merge(0, 0, "lake"),
            "nothing to optimize in lake"
        );
        let expiry = |files, dry_run| summary_of_expiry(files, 10, dry_run, "2026-11-01", "lake");
        assert_eq!(
            expiry(2, false),
            "removed 10 rows in 2 files from lake: days before 2026-11-01"
        );
        assert!(expiry(2, true).starts_with("would remove 10 rows"));
        assert_eq!(expiry(0, true), "lake has no days before 2026-11-01");
        assert_eq!(
            summary_of_deletion(1, 2_048, true, "lake"),
            "would delete 1 file (2,048 bytes) from lake"
        );
    }
}
