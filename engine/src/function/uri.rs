//! A request URI in, decoded values of its query parameters out.
//!
//! The rules are those of Go's `net/url.ParseQuery`, which the apiserver uses: `&` separates pairs,
//! `+` is a space, and a pair with a malformed escape or a semicolon is dropped. A request URI has
//! no fragment, so `#` is an ordinary character.

use std::{borrow::Cow, sync::Arc};

use datafusion::{
    arrow::{
        array::{ArrayRef, ListBuilder, StringBuilder, StringViewArray},
        datatypes::{DataType, Field},
    },
    error::Result,
};

use super::{map_text, pairs};

/// The decoded values of the parameter `name`, in order.
pub(crate) fn params<'u>(uri: &'u str, name: &'u str) -> impl Iterator<Item = Cow<'u, str>> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(move |pair| {
        if pair.is_empty() || pair.contains(';') {
            return None;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key)? == name).then(|| decode(value)).flatten()
    })
}

/// The values of the parameter `name`, joined. `None` if there are none.
pub(crate) fn joined_param(uri: &str, name: &str, separator: &str) -> Option<String> {
    // Most URIs have no query.
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

/// Percent-decodes a text. `None` if an escape is malformed. Bytes that are not UTF-8 become
/// U+FFFD.
fn decode(text: &str) -> Option<Cow<'_, str>> {
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

pub(super) fn query_param(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let values = pairs(args).map(|pair| {
        let (uri, name) = pair?;
        params(uri, name).next()
    });
    Ok(Arc::new(values.collect::<StringViewArray>()))
}

pub(super) fn list_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}

pub(super) fn query_params(args: &[&StringViewArray]) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for pair in pairs(args) {
        if let Some((uri, name)) = pair {
            for value in params(uri, name) {
                lists.values().append_value(value);
            }
        }
        lists.append(pair.is_some());
    }
    Ok(Arc::new(lists.finish()))
}

pub(super) fn exec_command(args: &[&StringViewArray]) -> Result<ArrayRef> {
    Ok(map_text(args[0], |uri| joined_param(uri, "command", " ")))
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
