//! A record that is no audit event in; what it looks like, in a few words for a message, out.

use crate::json::members;

/// Members that are named.
const MOST: usize = 5;
/// Characters of a member's name, or of a text, that are shown.
const LONG: usize = 40;

/// Bytes of a record that are looked at.
const LOOKED_AT: usize = 4 << 10;

/// `an object with the members kind and items`, or `text` and the beginning of one.
pub(super) fn description(record: &[u8]) -> (String, Option<String>) {
    let text = String::from_utf8_lossy(&record[..record.len().min(LOOKED_AT)]);
    let text = text.trim();
    if text.starts_with('{') {
        return (object(text), None);
    }
    let example = shortened(text.lines().next().unwrap_or_default());
    ("text".to_owned(), Some(example))
}

fn object(text: &str) -> String {
    let mut all = members(text);
    let mut names: Vec<String> = all
        .by_ref()
        .take(MOST)
        .map(|(name, _)| shortened(&name.decode()))
        .collect();
    let mut more = all.next().is_some();
    // The value of a member that is longer than what is looked at.
    if let Some((name, _)) = all.unfinished() {
        more = true;
        if names.len() < MOST {
            names.push(shortened(&name.decode()));
        }
    }
    match names.as_slice() {
        [] => "an empty object".to_owned(),
        [one] => format!("an object with the member {one}"),
        names if more => {
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
        let said = |text: &str| description(text.as_bytes()).0;
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
        let text = |text: &str| description(text.as_bytes()).1;
        assert_eq!(said("\"text\"\nmore"), "text");
        assert_eq!(text("\"text\"\nmore").as_deref(), Some("\"text\""));
        assert!(text(&"ü".repeat(100)).is_some_and(|text| text.len() < 100));
    }
}
