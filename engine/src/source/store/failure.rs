//! Errors of `object_store` in, what happened and what to do out: one line, without addresses'
//! queries, keys or signatures.
//!
//! The chain of an error names the whole URL of the request, so only its innermost link is told,
//! and of a server's answer only the code and the message that it gives for people.

use std::{error::Error as StdError, io};

use object_store::client::HttpError;

/// What a failure means for whoever met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// There is no such object.
    NotFound,
    /// The server understood and will not: asking again does not help.
    Refused,
    /// The object is not what it was when it was listed.
    Changed,
    /// The bucket is in another region.
    Region,
    /// Anything that may be gone at the next attempt.
    Other,
}

/// Why something could not be listed or read.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) message: String,
}

/// How `object_store` begins to tell an answer that is no success.
const ANSWERED: &str = "Server returned non-2xx status code: ";

/// How `connector.rs` begins to tell of a server that answers nothing but failures.
pub(super) const FAILING: &str = "only failures: ";

/// Codes of answers to a request that was signed for another region.
const REGION: [&str; 4] = [
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "IllegalLocationConstraintException",
    "TemporaryRedirect",
];

/// Codes of answers to credentials that are wrong or too old.
const CREDENTIALS: [&str; 10] = [
    "AuthenticationFailed",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidAuthenticationInfo",
    "InvalidSecurity",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

impl Failure {
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// One that may be gone at the next attempt.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self::new(Kind::Other, message)
    }

    /// One that stays.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// What an error of `object_store` means.
    pub(super) fn of(error: &object_store::Error) -> Self {
        let (text, transport) = innermost(error);
        if text.starts_with("Received redirect without LOCATION") {
            return Self::new(
                Kind::Region,
                "the bucket is in another region; set AWS_REGION",
            );
        }
        if let Some(answer) = text.strip_prefix(ANSWERED) {
            let (status, body) = answer.split_once(": ").unwrap_or((answer, ""));
            let number = status
                .split(' ')
                .next()
                .and_then(|number| number.parse().ok())
                .unwrap_or_default();
            return Self::answered(number, status, body);
        }
        if transport {
            return Self::unanswered(&text);
        }
        let kind = match error {
            object_store::Error::NotFound { .. } => Kind::NotFound,
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => Kind::Refused,
            object_store::Error::Precondition { .. } => Kind::Changed,
            _ => Kind::Other,
        };
        Self::new(kind, clip(&text))
    }

    /// What an error of the transport means.
    pub(super) fn of_transport(error: &HttpError) -> Self {
        Self::unanswered(&innermost(error).0)
    }

    fn unanswered(text: &str) -> Self {
        match text.strip_prefix(FAILING) {
            Some(status) => Self::other(format!(
                "the server fails: it answers every request with the status {status}"
            )),
            None => Self::other(format!(
                "the server cannot be reached or broke off: {}",
                clip(text)
            )),
        }
    }

    /// What an answer that is no success means. `status` is the number with its name, `body` what
    /// the server says to it.
    pub(super) fn answered(number: u16, status: &str, body: &str) -> Self {
        let (code, detail) = explained(body);
        let code = code.unwrap_or_default();
        let mut said = clip(status);
        for part in [
            Some(code.as_str()).filter(|code| !code.is_empty()),
            detail.as_deref(),
        ]
        .into_iter()
        .flatten()
        {
            said = format!("{said}, {}", clip(part));
        }
        let is = |codes: &[&str]| codes.contains(&code.as_str());
        let (kind, message) = if is(&["NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"])
        {
            (
                Kind::Refused,
                "there is no such bucket or container".to_owned(),
            )
        } else if is(&REGION) {
            (
                Kind::Region,
                format!("the bucket is in another region ({said}); set AWS_REGION"),
            )
        } else if is(&CREDENTIALS) {
            (
                Kind::Refused,
                format!("the credentials are not accepted ({said}); renew them"),
            )
        } else if is(&["RequestTimeTooSkewed"]) {
            (Kind::Refused, "this machine's clock is wrong, so the store does not accept signatures; set the clock".to_owned())
        } else if is(&["InvalidObjectState", "BlobArchived"]) {
            (
                Kind::Refused,
                "the object is archived; restore it, then read it".to_owned(),
            )
        } else {
            match number {
                404 | 410 => (Kind::NotFound, "there is no such object".to_owned()),
                401 | 403 => (
                    Kind::Refused,
                    format!(
                        "access is denied ({said}); the credentials need to be allowed to list and to read here"
                    ),
                ),
                408 | 429 => (
                    Kind::Other,
                    format!("the server asks to come back later ({said})"),
                ),
                412 => (
                    Kind::Changed,
                    "the object changed while it was read; run again".to_owned(),
                ),
                416 => (
                    Kind::Changed,
                    "the object is shorter than when it was listed; run again".to_owned(),
                ),
                301..=308 => (
                    Kind::Refused,
                    format!("the server sends elsewhere ({said})"),
                ),
                400..=499 | 501 => (Kind::Refused, format!("the server refuses: {said}")),
                _ => (Kind::Other, format!("the server fails: {said}")),
            }
        };
        Self::new(kind, message)
    }

    /// Is another attempt in vain?
    pub(super) const fn is_final(&self) -> bool {
        !matches!(self.kind, Kind::Other)
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        Self::other(failure.message)
    }
}

/// The text of the last link of an error's chain, and whether the chain goes through the transport.
fn innermost(error: &(dyn StdError + 'static)) -> (String, bool) {
    let mut cause = error;
    let mut transport = cause.is::<HttpError>();
    while let Some(next) = cause.source() {
        cause = next;
        transport |= cause.is::<HttpError>();
    }
    (cause.to_string(), transport)
}

/// The code and the message of an answer's body: XML as stores write it, or JSON as token services
/// do.
fn explained(body: &str) -> (Option<String>, Option<String>) {
    let element = |name: &str| {
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>"))
            .map(|(text, _)| text.to_owned())
    };
    if let Some(code) = element("Code") {
        return (Some(code), element("Message"));
    }
    let Ok(json) = serde_json::from_str::<serde_json::Value>(body) else {
        return (None, None);
    };
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let error = json.get("error");
    let code = error.and_then(|error| text(error).or_else(|| error.get("status").and_then(text)));
    let detail = json
        .get("error_description")
        .or_else(|| error.and_then(|error| error.get("message")))
        .and_then(text);
    (code, detail)
}

/// The first line, without control characters and queries of URLs, and not too much of it: servers
/// are free in what they say.
pub(super) fn clip(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let words = line.split(' ').map(|word| match word.split_once('?') {
        Some((url, _)) if url.contains("://") => url,
        _ => word,
    });
    let line = words.collect::<Vec<_>>().join(" ");
    let mut clipped: String = line
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(200)
        .collect();
    if line.chars().nth(200).is_some() {
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_in_words() {
        let xml = |code: &str| {
            format!(
                "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Why\nmore</Message><Key>k</Key></Error>"
            )
        };
        let kind = |number, body: &str| Failure::answered(number, "4xx Name", body).kind;
        assert_eq!(kind(404, ""), Kind::NotFound);
        assert_eq!(kind(404, &xml("NoSuchKey")), Kind::NotFound);
        assert_eq!(kind(404, &xml("NoSuchBucket")), Kind::Refused);
        assert_eq!(
            kind(400, &xml("AuthorizationHeaderMalformed")),
            Kind::Region
        );
        assert_eq!(kind(503, &xml("SlowDown")), Kind::Other);
        assert_eq!(kind(416, ""), Kind::Changed);
        assert_eq!(
            Failure::answered(400, "400 Bad Request", &xml("Odd")).message,
            "the server refuses: 400 Bad Request, Odd, Why"
        );
        let json = r#"{"error":"invalid_grant","error_description":"Bad Request"}"#;
        assert!(
            Failure::answered(400, "400", json)
                .message
                .ends_with("400, invalid_grant, Bad Request")
        );
    }

    #[test]
    fn no_more_than_the_innermost_is_told() {
        let error = object_store::Error::Generic {
            store: "S3",
            source: "no luck with https://host/key?X-Amz-Signature=abc".into(),
        };
        assert_eq!(Failure::of(&error).message, "no luck with https://host/key");
        assert_eq!(clip("a\u{1b}[2Jb\nc"), "a [2Jb");
        assert_eq!(clip(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
    }
}
