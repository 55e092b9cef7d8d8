//! The sentences of lake commands: what was done in, a sentence for stderr out.

use auditql_engine::LakeAnswer;

use crate::text::counted;

/// What a command that answers with rows did, if there is something to say.
pub(super) fn done(answer: &LakeAnswer) -> Option<String> {
    answer.message.clone()
}

/// What an export wrote; `bytes` for a file.
pub(super) fn exported(events: u64, bytes: Option<u64>, to: &str) -> String {
    let events = counted(events, "event");
    match bytes {
        Some(bytes) => format!("wrote {events} ({}) to {to}", counted(bytes, "byte")),
        None => format!("wrote {events} to stdout"),
    }
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
}
