//! Paths into a body: text in, steps out.
//!
//! Members are separated by dots: `spec.type`. Those whose names have dots are quoted:
//! `metadata.annotations."a.b/c"` or `metadata.annotations["a.b/c"]`. Elements of lists are counted from
//! 0: `spec.containers[0].image`.

use std::borrow::Cow;

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BodyStep<'p> {
    Member(Cow<'p, str>),
    Element(usize),
}

/// The steps of a path; `None` if it is not one.
pub(super) fn steps(path: &str) -> Option<Vec<BodyStep<'_>>> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        if let Some(inside) = rest.strip_prefix('[') {
            if inside.starts_with(['"', '\'']) {
                let (name, after) = quoted(inside)?;
                steps.push(BodyStep::Member(name));
                rest = after.strip_prefix(']')?;
            } else {
                let (index, after) = inside.split_once(']')?;
                steps.push(BodyStep::Element(index.trim().parse().ok()?));
                rest = after;
            }
        } else if rest.starts_with('"') {
            let (name, after) = quoted(rest)?;
            steps.push(BodyStep::Member(name));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(BodyStep::Member(rest[..end].into()));
            rest = &rest[end..];
        }
        match rest.chars().next() {
            None => return Some(steps),
            Some('.') => rest = &rest[1..],
            Some('[') => {}
            Some(_) => return None,
        }
    }
}

/// A name in quotes, and what follows it. A quote in it is written twice, or behind `\`.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let quote = text.chars().next()?;
    let mut name = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?.1),
            _ if letter != quote => name.push(letter),
            _ if letters.peek().is_some_and(|(_, next)| *next == quote) => {
                letters.next();
                name.push(quote);
            }
            _ => return Some((name.into(), &text[at + 1..])),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str) -> Option<String> {
        let steps = steps(path)?;
        let step = |step: &BodyStep<'_>| match step {
            BodyStep::Member(name) => format!("<{name}>"),
            BodyStep::Element(index) => index.to_string(),
        };
        Some(steps.iter().map(step).collect())
    }

    #[test]
    fn paths_and_what_is_none() {
        for (path, expected) in [
            ("spec.type", Some("<spec><type>")),
            ("a[0].b[12]", Some("<a>0<b>12")),
            ("[1]", Some("1")),
            ("a.\"b.c/d\".e", Some("<a><b.c/d><e>")),
            ("a[\"b.c\"]['d']", Some("<a><b.c><d>")),
            ("\"say \"\"hi\"\"\"", Some("<say \"hi\">")),
            ("[\"a\\\"b\"]", Some("<a\"b>")),
            ("", Some("<>")),
            ("a..b", Some("<a><><b>")),
            ("a[", None),
            ("a[x]", None),
            ("a[-1]", None),
            ("a[\"b]", None),
            ("\"a\"b", None),
        ] {
            assert_eq!(shown(path).as_deref(), expected, "{path}");
        }
    }
}
