//! Text for people: log text in, text that is safe to show out; numbers; words that look alike.
//!
//! Not responsible for where it is written, nor for the escaping that an output format needs.

mod suggestion;

use std::borrow::Cow;

pub(crate) use suggestion::unknown;

/// Makes log text safe for a terminal. Control characters move the cursor and bidirectional ones
/// change what is read: they are shown as escapes. Line ends and tabs are kept if `keep_lines`.
pub(crate) fn sanitize(text: &str, keep_lines: bool) -> Cow<'_, str> {
    let is_unsafe = |ch: char| match ch {
        '\n' | '\t' => !keep_lines,
        '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => true,
        ch => ch.is_control() || ('\u{e0000}'..='\u{e007f}').contains(&ch),
    };
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for ch in text.chars() {
        if is_unsafe(ch) {
            safe.extend(ch.escape_default())
        } else {
            safe.push(ch)
        }
    }
    Cow::Owned(safe)
}

/// A number with its digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 file`, `2,000 files`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A text that was wrapped over several lines, on one line.
pub(crate) fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_escaped() {
        assert_eq!(
            sanitize("a\u{1b}[2J\u{202e}b\n", false),
            "a\\u{1b}[2J\\u{202e}b\\n"
        );
        assert_eq!(sanitize("a\nb\tc", true), "a\nb\tc");
        assert!(matches!(sanitize("Zoë O'Brien", false), Cow::Borrowed(_)));
    }

    #[test]
    fn numbers() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(1_000, "file"), "1,000 files");
    }
}
