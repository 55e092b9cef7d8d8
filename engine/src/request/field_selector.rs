//! Field selectors: a text in, the value that a field must equal out.
//!
//! `parseSelector` and `RequiresExactMatch` in `staging/src/k8s.io/apimachinery/pkg/fields/selector.go`.

use std::borrow::Cow;

/// The text is not a field selector.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldSelectorFault;

/// The value that a field selector requires of `field`, if it does. Terms are looked at in the order
/// of their bytes, as they are written.
pub(super) fn exact_match(
    selector: &str,
    field: &str,
) -> Result<Option<String>, FieldSelectorFault> {
    let mut terms = terms(selector);
    terms.sort_unstable();
    let mut required = None;
    for term in terms.into_iter().filter(|term| !term.is_empty()) {
        let (left, is_equal, right) = term_parts(term).ok_or(FieldSelectorFault)?;
        let value = unescaped(right).ok_or(FieldSelectorFault)?;
        if is_equal && left == field && required.is_none() {
            required = Some(value.into_owned());
        }
    }
    Ok(required)
}

/// The terms between commas; a backslash makes the next character an ordinary one.
fn terms(selector: &str) -> Vec<&str> {
    let mut terms = Vec::with_capacity(1);
    let (mut start, mut in_slash) = (0, false);
    for (at, byte) in selector.bytes().enumerate() {
        match byte {
            _ if in_slash => in_slash = false,
            b'\\' => in_slash = true,
            b',' => {
                terms.extend(selector.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.extend(selector.get(start..));
    terms
}

/// Field, whether it must be equal, and value, split at the first `!=`, `==` or `=`.
fn term_parts(term: &str) -> Option<(&str, bool, &str)> {
    let at = term.find('=')?;
    let (left, right) = (term.get(..at)?, term.get(at + 1..)?);
    if let Some(left) = left.strip_suffix('!') {
        return Some((left, false, right));
    }
    Some((left, true, right.strip_prefix('=').unwrap_or(right)))
}

/// `UnescapeValue`: `\\`, `\,` and `\=` are escapes, others are faults, and so are `,` and `=` alone.
fn unescaped(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains(['\\', ',', '=']) {
        return Some(Cow::Borrowed(value));
    }
    let mut text = String::with_capacity(value.len());
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.push(
                letters
                    .next()
                    .filter(|next| matches!(next, '\\' | ',' | '='))?,
            ),
            ',' | '=' => return None,
            _ => text.push(letter),
        }
    }
    Some(Cow::Owned(text))
}
