//! A URL of any scheme, or a text with URLs in it, in; out comes the same without secrets, fit for
//! messages. Every message of the engine passes here.
//!
//! Secrets are user names and passwords, shared access signatures, and the values of query
//! parameters that are not known to be harmless. The URL need not be valid: the message that says
//! so must not show its password either.

use std::borrow::Cow;

/// Schemes whose URLs have no query: a `?` belongs to the key.
const LITERAL_KEYS: [&str; 9] = [
    "s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss",
];

/// Schemes that write the container where other URLs have the user: `abfss://CONTAINER@ACCOUNT…`.
const CONTAINERS: [&str; 5] = ["az", "azure", "adl", "abfs", "abfss"];

/// The URL without its secrets. Text that is not a URL stays as it is.
pub(crate) fn redacted(input: &str) -> String {
    let Some((scheme, rest)) = input.split_once("://") else {
        return input.to_owned();
    };
    let lower = scheme.to_ascii_lowercase();
    let is_one_of = |schemes: &[&str]| schemes.contains(&lower.as_str());
    let (user, rest) = split_user(rest);
    let container = user
        .filter(|_| is_one_of(&CONTAINERS))
        .map(|user| format!("{}@", user.split(':').next().unwrap_or_default()))
        .unwrap_or_default();
    let (host, path) = rest.split_at(authority_end(rest));
    // What follows a colon is shown only if it is a port: a password without its host ends up here.
    let host = match host.rsplit_once(':') {
        Some((host, port)) if !is_port(port) && !host.starts_with('[') => {
            Cow::Owned(format!("{host}:…"))
        }
        _ => Cow::Borrowed(host),
    };
    let path = if is_one_of(&LITERAL_KEYS) {
        match path.split_once('?') {
            Some((key, query)) if is_signed(query) => Cow::Borrowed(key),
            _ => Cow::Borrowed(path),
        }
    } else {
        let path = path.split('#').next().unwrap_or_default();
        match path.split_once('?') {
            Some((path, query)) => Cow::Owned(format!("{path}?{}", redacted_query(query))),
            None => Cow::Borrowed(path),
        }
    };
    format!("{scheme}://{container}{host}{path}")
}

/// A text with the secrets of the URLs in it taken out. A URL ends at white space: a password can
/// hold any quote or bracket.
pub fn redacted_text(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let Some(at) = word.find("://") else {
            return word.to_owned();
        };
        let is_scheme = |ch: char| ch.is_ascii_alphanumeric() || "+-.".contains(ch);
        let before = word.get(..at).unwrap_or_default();
        let start = before.trim_end_matches(is_scheme).len();
        let url = word.get(start..).unwrap_or_default();
        // What closes a quote or ends a sentence is not a part of the URL.
        let url =
            url.trim_end_matches(|ch: char| ch.is_whitespace() || ":;,.'\"`)]}>".contains(ch));
        let end = word.get(start + url.len()..).unwrap_or_default();
        format!("{}{}{end}", &before[..start], redacted(url))
    });
    Cow::Owned(words.collect())
}

/// The user part of a URL, and what follows its `@`. A password with a `/`, `?` or `#` in it (the
/// secret keys of AWS have slashes) makes the URL invalid, but is found as well.
fn split_user(rest: &str) -> (Option<&str>, &str) {
    let end = authority_end(rest);
    let authority = rest.get(..end).unwrap_or_default();
    let at = authority.rfind('@').or_else(|| {
        let (host, port) = authority.rsplit_once(':')?;
        let is_password = !is_port(port) && !host.starts_with('[');
        is_password.then(|| rest.rfind('@')).flatten()
    });
    match at.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))) {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    }
}

fn authority_end(rest: &str) -> usize {
    rest.find(['/', '?', '#']).unwrap_or(rest.len())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Is this query a shared access signature?
pub(crate) fn is_sas(query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("sig="))
}

/// Does this query hold a signature of any cloud?
fn is_signed(query: &str) -> bool {
    const SIGNATURES: [&str; 4] = [
        "sig=",
        "signature=",
        "x-amz-signature=",
        "x-goog-signature=",
    ];
    query.split('&').any(|pair| {
        let pair = pair.to_ascii_lowercase();
        SIGNATURES.iter().any(|name| pair.starts_with(name))
    })
}

/// A query with only those values that name a file or its version: any other may grant access.
pub(crate) fn redacted_query(query: &str) -> String {
    const HARMLESS: [&str; 8] = [
        "file",
        "filename",
        "path",
        "name",
        "version",
        "versionid",
        "generation",
        "ref",
    ];
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if !HARMLESS.contains(&name.to_ascii_lowercase().as_str()) => {
            format!("{name}=…")
        }
        Some(_) => pair.to_owned(),
        None => "…".to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_any_scheme_are_not_shown() {
        for scheme in [
            "s3",
            "s3a",
            "gs",
            "gcs",
            "az",
            "abfss",
            "AZ",
            "http",
            "https",
            "HTTPS",
            "ftp",
            "sftp",
            "hdfs",
            "postgres",
            "x-unknown",
        ] {
            for password in [
                "hush",
                "hu@sh",
                "hush/",
                "a/hush",
                "a?hush",
                "a#hush",
                "%68ush/hush",
            ] {
                for rest in ["host", "host/", "host:81/x", "host/x?y=z#f", "a.b.c/x@y"] {
                    let url = format!("{scheme}://user:{password}@{rest}");
                    let shown = redacted(&url);
                    assert!(!shown.contains("hu"), "{url}: {shown}");
                    assert!(!shown.contains("sh"), "{url}: {shown}");
                }
            }
            let shown = redacted(&format!("{scheme}://user:hush/x"));
            assert!(!shown.contains("hush"), "{shown}");
        }
    }

    #[test]
    fn urls_in_a_text() {
        for (text, shown) in [
            ("no URL: a@b", "no URL: a@b"),
            (
                "cannot read 's3://AKIA:hush@b/k': no\nhttps://h/x?sig=hush, or (ftp://u:hu'sh@h)",
                "cannot read 's3://b/k': no\nhttps://h/x?sig=…, or (ftp://h)",
            ),
            ("https://h/x?token=…: gone", "https://h/x?token=…: gone"),
            ("oidc:https://h/a: no", "oidc:https://h/a: no"),
            (
                "az://logs@account/a?sig=hush: no",
                "az://logs@account/a: no",
            ),
        ] {
            assert_eq!(redacted_text(text), shown);
            assert_eq!(redacted_text(&redacted_text(text)), shown);
        }
    }

    #[test]
    fn the_rest_is_shown() {
        for (url, shown) in [
            ("https://user:hush@host:8443/a/b", "https://host:8443/a/b"),
            ("https://token@host/a@b", "https://host/a@b"),
            ("ftp://user:hush@host/a@b", "ftp://host/a@b"),
            ("https://[::1]:80/a@b", "https://[::1]:80/a@b"),
            (
                "https://host/x?file=a&token=b&c#d",
                "https://host/x?file=a&token=…&…",
            ),
            ("s3://AKIA:wJ/al@bucket/a@b", "s3://b"),
            ("s3://bucket/a?b=c#d@e", "s3://bucket/a?b=c#d@e"),
            ("s3://bucket/a?X-Amz-Signature=hush", "s3://bucket/a"),
            ("az://logs@account/a?sv=1&sig=hush", "az://logs@account/a"),
            ("abfss://logs:hush@account.x/a", "abfss://logs@account.x/a"),
            ("s3://bucket:hush/a", "s3://bucket:…/a"),
            ("/a/b:c@d", "/a/b:c@d"),
        ] {
            assert_eq!(redacted(url), shown, "{url}");
        }
    }
}
