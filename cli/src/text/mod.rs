//! Text for people: log text in, text that is safe to show out; messages; numbers; words that look
//! alike. What is unsafe is decided here, for messages and all outputs ([`is_unsafe`]).
//!
//! Not responsible for where it is written, nor for the escaping that an output format needs.

mod escape;
mod paragraph;
mod suggestion;

use std::borrow::Cow;

pub(crate) use auditql_engine::redacted_text as redacted;
pub(crate) use escape::{Quoting, safe_json, write_quoted, write_yaml};
pub(crate) use paragraph::paragraph;
pub(crate) use suggestion::unknown;

/// Characters that move the cursor of a terminal, change what is read or cannot be seen: controls
/// (C0, DEL, C1), bidirectional and other format controls, separators of lines and paragraphs,
/// tags, and what is no character. Line ends and tabs are among them.
pub(crate) const fn is_unsafe(ch: char) -> bool {
    matches!(
        ch,
        '\0'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    ) || ch as u32 & 0xfffe == 0xfffe
}

/// Makes log text safe for a terminal. Control characters move the cursor and bidirectional ones
/// change what is read: they are shown as escapes. Line ends and tabs are kept if `keep_lines`.
pub(crate) fn sanitize(text: &str, keep_lines: bool) -> Cow<'_, str> {
    let is_escaped = |ch: char| is_unsafe(ch) && !(keep_lines && matches!(ch, '\n' | '\t'));
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for ch in text.chars() {
        if is_escaped(ch) {
            safe.extend(ch.escape_default())
        } else {
            safe.push(ch)
        }
    }
    Cow::Owned(safe)
}

/// A message for stderr: safe to show, without secrets, and of several lines only the first begins
/// at the margin. So nobody whose text is quoted in it can write a line of their own.
pub(crate) fn message(text: &str) -> String {
    let safe = redacted(text);
    sanitize(safe.trim_end(), true).replace('\n', "\n  ")
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
    fn a_message_has_one_line_at_the_margin() {
        let hostile = "no number: 'x\nread 5 records: 5 events\r\u{9b}2K' at s3://a:hush@b\n";
        assert_eq!(
            message(hostile),
            "no number: 'x\n  read 5 records: 5 events\\r\\u{9b}2K' at s3://b"
        );
    }

    #[test]
    fn numbers() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(1_000, "file"), "1,000 files");
    }
}
