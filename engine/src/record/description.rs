//! A record that is no audit event in; what it looks like, in a few words for a message, out.

use crate::json::members;

/// Members that are named.
const MOST: usize = 5;
/// Characters of a member's name, or of a text, that are shown.
const LONG: usize = 40;

/// `an object with the members kind, items`, or the beginning of what is no object.
pub(super) fn looks_like(record: &[u8]) -> String {
    let text = String::from_utf8_lossy(&record[..record.len().min(64 << 10)]);
    let text = text.trim();
    if !text.starts_with('{') {
        return format!("`{}`", shortened(text.lines().next().unwrap_or_default()));
    }
    let mut all = members(text);
    let names: Vec<String> = all
        .by_ref()
        .take(MOST)
        .map(|(name, _)| shortened(&name.decode()))
        .collect();
    match names.as_slice() {
        [] => "an empty object".to_owned(),
        [one] => format!("an object with the member {one}"),
        names if all.next().is_some() => {
            format!("an object with the members {} and more", names.join(", "))
        }
        [names @ .., last] => {
            format!("an object with the members {} and {last}", names.join(", "))
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONG) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_described_in_a_few_words() {
        let said = |text: &str| looks_like(text.as_bytes());
        assert_eq!(said("{}"), "an empty object");
        assert_eq!(said(r#"{"a":1}"#), "an object with the member a");
        assert_eq!(
            said(r#"{"a":1,"b":{}}"#),
            "an object with the members a and b"
        );
        assert_eq!(
            said(r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#),
            "an object with the members a, b, c, d, e and more"
        );
        assert_eq!(said("\"text\"\nmore"), "`\"text\"`");
        assert!(said(&"ü".repeat(100)).len() < 100);
    }
}
