//! Sentences on a screen: text in, lines that fit a width out.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::sanitize;

/// Writes text behind `first`, and on further lines behind as many spaces as `indent` says. Words
/// longer than a line stay whole.
pub(crate) fn paragraph(
    out: &mut dyn Write,
    first: &str,
    indent: usize,
    text: &str,
    width: usize,
) -> io::Result<()> {
    let mut line = sanitize(first, false).into_owned();
    let mut is_empty = true;
    for word in sanitize(text, false).split_whitespace() {
        let space = usize::from(!is_empty);
        if !is_empty && line.width() + space + word.width() > width {
            writeln!(out, "{}", line.trim_end())?;
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    writeln!(out, "{}", line.trim_end())
}
