//! Text in quotes as Go's `%q` writes it, as the reasons of the apiserver have it.
//!
//! `strconv.Quote`: `\a \b \f \n \r \t \v \" \\`, other control characters as `\x01`, what is not
//! printable as `\u200b` or `\U000e0001`; printable text stays. Not responsible for: taking reasons
//! apart.

/// Appends `text` in quotes.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            ch if is_printable(ch) => out.push(ch),
            ch if u32::from(ch) < 0x20 || ch == '\u{7f}' => {
                out.push_str(&format!("\\x{:02x}", u32::from(ch)));
            }
            ch if u32::from(ch) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(ch))),
            ch => out.push_str(&format!("\\U{:08x}", u32::from(ch))),
        }
    }
    out.push('"');
}

/// `text` in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_quoted(&mut out, text);
    out
}

/// Go's `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols, and of the spaces only
/// U+0020. The standard library has no categories; `escape_debug` escapes what is not printable or
/// not assigned, and marks that extend the letter before them, which are told apart by a letter
/// before them.
pub(crate) fn is_printable(ch: char) -> bool {
    if ch.is_ascii() {
        return (' '..='~').contains(&ch);
    }
    if ch.is_whitespace() {
        return false;
    }
    let mut text = String::from("a");
    text.push(ch);
    text.escape_debug().nth(1) == Some(ch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_quotes() {
        for (text, expected) in [
            ("alice", "\"alice\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("é zoë", "\"é zoë\""),
            ("\u{200b}", "\"\\u200b\""),
            ("\u{a0}\u{ad}\u{85}", "\"\\u00a0\\u00ad\\u0085\""),
            ("\t\n\u{1}\u{7f}", "\"\\t\\n\\x01\\x7f\""),
            ("\u{e0001}", "\"\\U000e0001\""),
            ("e\u{301}", "\"e\u{301}\""),
            ("\u{301}", "\"\u{301}\""),
            ("日本 🚀", "\"日本 🚀\""),
            ("\u{202e}x", "\"\\u202ex\""),
            ("\u{3000}\u{2028}", "\"\\u3000\\u2028\""),
            ("\u{feff}\u{e000}", "\"\\ufeff\\ue000\""),
            ("\u{fffd}", "\"\u{fffd}\""),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
