//! A URL of any scheme in; out comes the same URL without its secrets, fit for messages.
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
pub(in super::super) fn redacted(input: &str) -> String {
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
pub(super) fn is_sas(query: &str) -> bool {
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
pub(super) fn redacted_query(query: &str) -> String {
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
