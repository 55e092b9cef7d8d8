//! A sentence about a row: a template of a saved query and the values of a row in, the sentence out.
//!
//! `{name}` stands for the value of a column. What is in brackets is left out where a column in it
//! has no value, and `[ {name}| all of them]` takes the first alternative that has all of its
//! values. Not responsible for: how values are written, making them safe to show.

use serde::Deserialize;

/// Stands for a value that is missing outside of brackets.
const NO_VALUE: &str = "?";

/// A sentence with places for the values of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct MessageTemplate {
    text: String,
    parts: Vec<MessagePart>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum MessagePart {
    Text(String),
    Column(String),
    /// The first alternative whose columns all have a value, or nothing.
    Optional(Vec<Vec<MessagePart>>),
}

impl TryFrom<String> for MessageTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut rest = text.as_str();
        let mut parts = Vec::new();
        while let Some(at) = rest.find(['[', ']', '|']) {
            if !rest[at..].starts_with('[') {
                return Err(format!("`{}` without `[` before it", &rest[at..=at]));
            }
            plain(&rest[..at], &mut parts)?;
            let inside = &rest[at + 1..];
            let end = inside
                .find(['[', ']'])
                .filter(|end| inside[*end..].starts_with(']'))
                .ok_or("`[` is not closed, or has another in it")?;
            let alternatives = inside[..end].split('|').map(|alternative| {
                let mut parts = Vec::new();
                plain(alternative, &mut parts).map(|()| parts)
            });
            parts.push(MessagePart::Optional(
                alternatives.collect::<Result<_, _>>()?,
            ));
            rest = &inside[end + 1..];
        }
        plain(rest, &mut parts)?;
        Ok(Self { text, parts })
    }
}

/// Text and columns, without brackets.
fn plain(text: &str, parts: &mut Vec<MessagePart>) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let name = rest[at..]
            .strip_prefix('{')
            .ok_or("`}` without `{` before it")?;
        let (name, after) = name.split_once('}').ok_or("`{` is not closed")?;
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_name) {
            return Err(format!("`{{{name}}}` is not the name of a column"));
        }
        if at > 0 {
            parts.push(MessagePart::Text(rest[..at].to_owned()));
        }
        parts.push(MessagePart::Column(name.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(MessagePart::Text(rest.to_owned()));
    }
    Ok(())
}

impl MessageTemplate {
    /// The sentence as it is written in the header.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The columns that it shows, as they come.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns = Vec::new();
        collect(&self.parts, &mut columns);
        columns
    }

    /// The sentence for a row. `value` gives the text of a column; NULL and empty text are no value.
    pub fn render(&self, value: impl Fn(&str) -> Option<String>) -> String {
        let value = |name: &str| value(name).filter(|text| !text.is_empty());
        let mut text = String::new();
        for part in &self.parts {
            match part {
                MessagePart::Text(plain) => text.push_str(plain),
                MessagePart::Column(name) => {
                    text.push_str(value(name).as_deref().unwrap_or(NO_VALUE));
                }
                MessagePart::Optional(alternatives) => {
                    let mut complete = alternatives.iter().map(|parts| filled(parts, &value));
                    text.push_str(&complete.find_map(|text| text).unwrap_or_default());
                }
            }
        }
        text
    }
}

/// The text of an alternative; `None` if a column has no value.
fn filled(parts: &[MessagePart], value: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            MessagePart::Text(plain) => text.push_str(plain),
            MessagePart::Column(name) => text.push_str(&value(name)?),
            MessagePart::Optional(_) => {}
        }
    }
    Some(text)
}

fn collect<'t>(parts: &'t [MessagePart], columns: &mut Vec<&'t str>) {
    for part in parts {
        match part {
            MessagePart::Text(_) => {}
            MessagePart::Column(name) => columns.push(name),
            MessagePart::Optional(alternatives) => {
                let alternatives = alternatives.iter();
                alternatives.for_each(|parts| collect(parts, columns));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Result<MessageTemplate, String> {
        MessageTemplate::try_from(text.to_owned())
    }

    #[test]
    fn sentences() {
        let value = |name: &str| match name {
            "actor" => Some("alice".to_owned()),
            "n" => Some("3".to_owned()),
            "namespace" => Some(String::new()),
            _ => None,
        };
        for (text, expected) in [
            ("{actor} read {n}", "alice read 3"),
            ("{actor}[ in {namespace}] {name}", "alice ?"),
            ("[{name}|{actor}|nobody] x", "alice x"),
            ("[{name}|nobody][, {n}]", "nobody, 3"),
            ("plain", "plain"),
        ] {
            assert_eq!(template(text).unwrap().render(value), expected, "{text}");
        }
        let columns = template("{a}[ {b}| {c}]{a}").unwrap();
        assert_eq!(columns.columns(), ["a", "b", "c", "a"]);
    }

    #[test]
    fn mistakes() {
        for wrong in [
            "{a", "a}", "{}", "{a b}", "[a", "a]", "[[a]]", "a|b", "[{a]}",
        ] {
            assert!(template(wrong).is_err(), "{wrong}");
        }
    }
}
