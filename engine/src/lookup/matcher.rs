//! Whether a value is in a list: a row of a lookup table in, a matcher of values out.

use std::net::IpAddr;

use ipnet::IpNet;

use super::value::{LookupType, network};

/// The cells of a row, made ready to compare with values.
#[derive(Debug)]
pub(super) struct RowMatcher {
    cells: Vec<CellMatcher>,
}

#[derive(Debug)]
enum CellMatcher {
    /// An empty cell matches everything, NULL too.
    Any,
    Equal(String),
    Glob(String),
    Network(IpNet),
}

impl RowMatcher {
    pub(super) fn new(row: &[Option<String>], types: &[LookupType]) -> Self {
        let cells = row.iter().zip(types);
        let cell = |(cell, kind): (&Option<String>, &LookupType)| match (cell, kind) {
            (None, _) => CellMatcher::Any,
            (Some(text), LookupType::Glob) => CellMatcher::Glob(text.clone()),
            (Some(text), LookupType::Cidr) => {
                network(text).map_or_else(|| CellMatcher::Equal(text.clone()), CellMatcher::Network)
            }
            (Some(text), _) => CellMatcher::Equal(text.clone()),
        };
        Self {
            cells: cells.map(cell).collect(),
        }
    }

    /// Whether the first cells match these values. A value without a cell is not compared.
    pub(super) fn matches(&self, values: &[Option<&str>]) -> bool {
        let mut pairs = self.cells.iter().zip(values);
        pairs.all(|(cell, value)| match (cell, value) {
            (CellMatcher::Any, _) => true,
            (_, None) => false,
            (CellMatcher::Equal(text), Some(value)) => text == value,
            (CellMatcher::Glob(pattern), Some(value)) => is_like(pattern, value),
            (CellMatcher::Network(network), Some(value)) => {
                address(value).is_some_and(|address| network.contains(&address))
            }
        })
    }
}

/// An address. An IPv4 address mapped into IPv6 is the IPv4 address.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Whether `text` is like a pattern of `*` and `?`. In the time of their lengths multiplied at most:
/// after a `*`, only the last one is tried again.
fn is_like(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let before_text = text.clone();
        match (pattern.next(), text.next()) {
            (Some('*'), _) => {
                star = Some((pattern.clone(), before_text.clone()));
                text = before_text;
                continue;
            }
            (Some('?'), Some(_)) => continue,
            (Some(left), Some(right)) if left == right => continue,
            (None, None) => return true,
            _ => {}
        }
        let Some((after_star, from)) = star.as_mut() else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        text = from.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("é?", "éa", true),
            (
                "system:serviceaccount:*:argocd-*",
                "system:serviceaccount:cd:argocd-server",
                true,
            ),
            ("[a]", "[a]", true),
            ("a", "A", false),
        ] {
            assert_eq!(is_like(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_are_no_trap() {
        let pattern = "a*".repeat(200) + "b";
        assert!(!is_like(&pattern, &"a".repeat(20_000)));
    }

    #[test]
    fn rows() {
        let row = |cells: &[&str], types: &[LookupType]| {
            let cells = cells
                .iter()
                .map(|cell| (!cell.is_empty()).then(|| (*cell).to_owned()));
            RowMatcher::new(&cells.collect::<Vec<_>>(), types)
        };
        let networks = row(&["10.0.0.0/8"], &[LookupType::Cidr]);
        assert!(
            networks.matches(&[Some("10.1.2.3")]) && networks.matches(&[Some("::ffff:10.1.2.3")])
        );
        assert!(!networks.matches(&[Some("11.0.0.1")]) && !networks.matches(&[None]));
        let two = row(
            &["a*", "x", ""],
            &[LookupType::Glob, LookupType::Text, LookupType::Glob],
        );
        assert!(two.matches(&[Some("ab"), Some("x"), None]));
        assert!(two.matches(&[Some("ab")]));
        assert!(!two.matches(&[Some("ab"), Some("y")]));
    }
}
