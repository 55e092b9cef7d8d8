//! Sentences on a screen: text in, lines that fit the terminal out.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

pub(crate) use crate::text::paragraph;

use crate::settings::Settings;

/// Columns for sentences.
pub(crate) fn width(settings: &Settings) -> usize {
    settings.text_width()
}

/// Writes rows of cells, flush right except for the columns in `left`, behind two spaces.
pub(crate) fn grid(out: &mut dyn Write, rows: &[Vec<String>], left: &[usize]) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or_default()
        })
        .collect();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            line.push_str("  ");
            match left.contains(&column) {
                true => line.push_str(&format!("{cell}{space}")),
                false => line.push_str(&format!("{space}{cell}")),
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_fit() {
        let mut out = Vec::new();
        paragraph(
            &mut out,
            "a.yaml:1: ",
            4,
            "one two three\u{1b} averylongword x",
            20,
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a.yaml:1: one two\n    three\\u{1b}\n    averylongword x\n"
        );
    }

    #[test]
    fn grids_are_aligned() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let mut out = Vec::new();
        grid(
            &mut out,
            &[row(["level", "events"]), row(["None", "7"])],
            &[0],
        )
        .unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "  level  events\n  None        7\n"
        );
    }
}
