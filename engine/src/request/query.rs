//! Query parameters of a request URI: the URI in, decoded values out.
//!
//! The rules are those of Go's `net/url.ParseQuery`, which the apiserver uses: pairs are separated
//! by `&`, `+` is a space, a pair with a bad escape or a semicolon is dropped. A request URI has no
//! fragment: `#` is an ordinary character.

use std::borrow::Cow;

/// The pairs of a query, in order, not yet decoded. A pair counts only if [`decode`] takes both.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&');
    pairs
        .filter(|pair| !pair.is_empty() && !pair.contains(';'))
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The decoded values of the parameter `name`, in order.
pub(crate) fn params<'u>(uri: &'u str, name: &'u str) -> impl Iterator<Item = Cow<'u, str>> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    pairs(query).filter_map(move |(key, value)| {
        let is_named = decode(key)? == name;
        is_named.then(|| decode(value)).flatten()
    })
}

/// The values of the parameter `name` in one text; `None` when there is none.
pub(crate) fn joined_param(uri: &str, name: &str, separator: &str) -> Option<String> {
    // Most URIs have no query at all.
    if !uri.contains('?') {
        return None;
    }
    let mut values = params(uri, name);
    let mut joined = values.next()?.into_owned();
    for value in values {
        joined.push_str(separator);
        joined.push_str(&value);
    }
    Some(joined)
}

/// Percent-decoding; `None` when an escape is malformed. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let malformed = |at: usize| {
        !bytes
            .get(at + 1..at + 3)
            .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    };
    if (0..bytes.len()).any(|at| bytes[at] == b'%' && malformed(at)) {
        return None;
    }
    let spaced = text.replace('+', " ");
    Some(Cow::Owned(
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_as_go_reads_them() {
        let all = |uri, name| params(uri, name).map(Cow::into_owned).collect::<Vec<_>>();
        assert_eq!(
            all(
                "/x?command=sh&command=-c&command=ls+-l%20%2F&tty=true",
                "command"
            ),
            ["sh", "-c", "ls -l /"]
        );
        assert_eq!(all("/x?a=1;b=2&b=3&b=%zz&b", "b"), ["3", ""]);
        assert_eq!(all("/x?b=%f0%9f", "b"), ["\u{fffd}"]);
        assert_eq!(
            joined_param("/x?command=ls#&command=rm&dryRun=All", "command", " "),
            Some("ls# rm".to_owned())
        );
        assert_eq!(joined_param("/x", "command", " "), None);
        assert_eq!(
            joined_param("/x?dryRun=All&dryRun=All", "dryRun", ","),
            Some("All,All".to_owned())
        );
    }
}
