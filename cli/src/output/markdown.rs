//! A table in GitHub-flavoured Markdown; what the log says cannot become markup,
//! nor a link or mention.

use std::io::Write;

use anyhow::Result;
use auditql_engine::arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{Output, Rows, View, cell};
use crate::text::sanitize;

pub(super) struct MarkdownOutput;

impl Output for MarkdownOutput {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn doc(&self) -> &'static str {
        "Markdown table"
    }

    fn begin<'w>(
        &self,
        out: &'w mut (dyn Write + Send),
        schema: &SchemaRef,
        _: View<'_>,
    ) -> Result<Box<dyn Rows + 'w>> {
        let names: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| cell_of(field.name()))
            .collect();
        let rules = schema.fields().iter().map(|field| {
            if cell::is_number(field.data_type()) {
                "---:"
            } else {
                "---"
            }
        });
        let rules: Vec<&str> = rules.collect();
        writeln!(out, "| {} |\n| {} |", names.join(" | "), rules.join(" | "))?;
        Ok(Box::new(MarkdownRows { out }))
    }
}

struct MarkdownRows<'w> {
    out: &'w mut (dyn Write + Send),
}

impl Rows for MarkdownRows<'_> {
    fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            let cells = batch
                .columns()
                .iter()
                .map(|array| Ok(cell_of(&cell::text(array, row)?.unwrap_or_default())));
            writeln!(
                self.out,
                "| {} |",
                cells.collect::<Result<Vec<_>>>()?.join(" | ")
            )?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}

/// A value in a cell. What renderers would make a link or a mention of is code, where they look for
/// nothing; what code cannot hold is taken apart.
pub(crate) fn cell_of(text: &str) -> String {
    let safe = sanitize(text, false);
    if !is_linked(&safe) {
        return escape(&safe, false);
    }
    if safe.contains(['`', '|', '\\']) || safe.trim() != safe {
        return escape(&safe, true);
    }
    format!("`{safe}`")
}

/// Would a renderer link something in this text: addresses with and without a scheme, domains, and
/// what GitHub and GitLab take for a mention or reference?
fn is_linked(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_domain = bytes.windows(3).any(|part| {
        part[1] == b'.'
            && !part[0].is_ascii_punctuation()
            && !part[0].is_ascii_whitespace()
            && (part[2].is_ascii_alphabetic() || !part[2].is_ascii())
    });
    let is_issue = bytes
        .windows(4)
        .any(|part| part[..3].eq_ignore_ascii_case(b"GH-") && part[3].is_ascii_digit());
    is_domain
        || is_issue
        || text.contains("://")
        || text.contains(['@', '#', '!', '~', '%', '&', '$'])
}

/// CommonMark §2.4: any ASCII punctuation can be escaped by a backslash; `<` and `&` as entities,
/// for readers of HTML. To break links, all punctuation is, and a word joiner (U+2060) follows
/// what begins a mention: renderers look for those in what is left after the escapes.
fn escape(text: &str, breaks_links: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | '$' => {
                safe.extend(['\\', ch]);
            }
            ch if breaks_links && ch.is_ascii_punctuation() => safe.extend(['\\', ch]),
            ch => safe.push(ch),
        }
        if breaks_links && matches!(ch, '@' | '#' | '!' | '~' | '%' | '&' | '$' | '-') {
            safe.push_str("&#8288;");
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_linked() {
        for (text, expected) in [
            ("kubectl/v1.30 (linux)", "kubectl/v1.30 (linux)"),
            ("a_b*c<d>", "a\\_b\\*c&lt;d&gt;"),
            ("https://evil.example/x", "`https://evil.example/x`"),
            ("www.evil.example", "`www.evil.example`"),
            ("alice@example.com", "`alice@example.com`"),
            ("cc @octocat fixes #1", "`cc @octocat fixes #1`"),
            ("GH-12", "`GH-12`"),
            ("<a href=x>&copy;", "`<a href=x>&copy;`"),
            ("10.0.0.1 16.946255Z", "10.0.0.1 16.946255Z"),
            (
                "`x` https://e.com|@o",
                "\\`x\\` https\\:\\/\\/e\\.com\\|\\@&#8288;o",
            ),
        ] {
            assert_eq!(cell_of(text), expected, "{text}");
        }
    }
}
