//! Errors of `object_store` and answers of servers in; out comes one line that says what happened
//! and what to do, without secrets.
//!
//! The chain of an error shows the whole URL of the request, so only its innermost link is used. Of
//! a server's answer, only the error code and the message meant for people are.

use std::{error::Error as StdError, io, time::Duration};

use object_store::client::HttpError;

use super::{uri::redacted, xml::first_text};

/// What a failure means for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// There is no such object.
    NotFound,
    /// The server understood and refused: retrying does not help.
    Refused,
    /// The object is not what it was when it was listed, or read before.
    Changed,
    /// The bucket is in another region.
    Region,
    /// Anything that a retry may overcome.
    Other,
}

/// Why something could not be listed or read.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) message: String,
}

/// The kind of the errors of readers whose object changed: a reader that begins anew, after the
/// object was looked up again, may succeed.
pub(crate) const CHANGED: io::ErrorKind = io::ErrorKind::StaleNetworkFileHandle;

/// How `object_store` begins its report of an error status.
const ANSWERED: &str = "Server returned non-2xx status code: ";

/// How `connector.rs` begins its report of a server that answers every request with an error.
pub(super) const FAILING: &str = "only failures: ";

/// Error codes for a missing bucket or container.
const NO_BUCKET: [&str; 3] = ["NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted"];

/// Error codes for a request that was signed for another region.
const REGION: [&str; 4] = [
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "IllegalLocationConstraintException",
    "TemporaryRedirect",
];

/// Error codes for credentials that are wrong or expired.
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
    pub(super) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// A failure that a retry may overcome.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Other, message)
    }

    /// A failure that stays.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, message)
    }

    /// The server fell silent in the middle of an answer.
    pub(super) fn stalled(silence: Duration) -> Self {
        Self::other(format!(
            "the server sent nothing for {} seconds",
            silence.as_secs()
        ))
    }

    /// The object is in another state than its readers met before.
    pub(super) fn changed() -> Self {
        Self::new(
            FailureKind::Changed,
            "the object changed while it was read; run again",
        )
    }

    /// What an error of `object_store` means.
    pub(super) fn of(error: &object_store::Error) -> Self {
        let (text, is_transport) = innermost(error);
        if text.starts_with("Received redirect without LOCATION") {
            return Self::new(
                FailureKind::Region,
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
        if is_transport {
            return Self::unanswered(&text);
        }
        let kind = match error {
            object_store::Error::NotFound { .. } => FailureKind::NotFound,
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => FailureKind::Refused,
            object_store::Error::Precondition { .. } => FailureKind::Changed,
            _ => FailureKind::Other,
        };
        Self::new(kind, clip(&text))
    }

    /// What an error of the HTTP client means.
    pub(super) fn of_transport(error: &HttpError) -> Self {
        Self::unanswered(&innermost(error).0)
    }

    fn unanswered(text: &str) -> Self {
        match text.strip_prefix(FAILING) {
            Some(status) => Self::other(format!(
                "the server answers every request with status {status}"
            )),
            None => Self::other(format!(
                "the server cannot be reached or broke off: {}",
                clip(text)
            )),
        }
    }

    /// What an error status means. `status` is the number with its name, `body` the answer.
    pub(super) fn answered(number: u16, status: &str, body: &str) -> Self {
        let (code, detail) = explanation(body);
        let said = [Some(status), code.as_deref(), detail.as_deref()]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .map(clip)
            .collect::<Vec<_>>()
            .join(", ");
        code.and_then(|code| Self::of_code(&code, &said))
            .unwrap_or_else(|| Self::of_status(number, &said))
    }

    /// What an error code means. `said` is the whole answer, for people.
    fn of_code(code: &str, said: &str) -> Option<Self> {
        if NO_BUCKET.contains(&code) {
            return Some(Self::refused("there is no such bucket or container"));
        }
        if REGION.contains(&code) {
            return Some(Self::new(
                FailureKind::Region,
                format!("the bucket is in another region ({said}); set AWS_REGION"),
            ));
        }
        if CREDENTIALS.contains(&code) {
            return Some(Self::refused(format!(
                "the credentials are not accepted ({said}); renew them"
            )));
        }
        match code {
            "RequestTimeTooSkewed" => Some(Self::refused(
                "the clock of this machine is wrong, so the store rejects its signatures; set the clock",
            )),
            "InvalidObjectState" | "BlobArchived" => Some(Self::refused(
                "the object is archived; restore it before reading it",
            )),
            _ => None,
        }
    }

    /// What a status means on its own.
    fn of_status(number: u16, said: &str) -> Self {
        let (kind, message) = match number {
            404 | 410 => (FailureKind::NotFound, "there is no such object".to_owned()),
            401 | 403 => (
                FailureKind::Refused,
                format!(
                    "access denied ({said}); the credentials need permission to list and read here"
                ),
            ),
            408 | 429 => (FailureKind::Other, format!("the server is busy ({said})")),
            412 => return Self::changed(),
            416 => (
                FailureKind::Changed,
                "the object is shorter than when it was listed; run again".to_owned(),
            ),
            301..=308 => (
                FailureKind::Refused,
                format!("the server redirects to another address ({said})"),
            ),
            400..=499 | 501 => (
                FailureKind::Refused,
                format!("the server refuses the request: {said}"),
            ),
            _ => (FailureKind::Other, format!("the server failed: {said}")),
        };
        Self::new(kind, message)
    }

    /// Is a retry pointless?
    pub(super) const fn is_final(&self) -> bool {
        !matches!(self.kind, FailureKind::Other)
    }
}

/// An object that changed gives an error of a kind of its own ([`CHANGED`]).
impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            FailureKind::Changed => Self::new(CHANGED, failure.message),
            _ => Self::other(failure.message),
        }
    }
}

/// The text of the last link in an error's chain, and whether the chain goes through the transport.
fn innermost(error: &(dyn StdError + 'static)) -> (String, bool) {
    let mut cause = error;
    let mut is_transport = cause.is::<HttpError>();
    while let Some(next) = cause.source() {
        cause = next;
        is_transport |= cause.is::<HttpError>();
    }
    (cause.to_string(), is_transport)
}

/// The error code and message in the body of an answer: XML from stores, JSON from token services.
fn explanation(body: &str) -> (Option<String>, Option<String>) {
    if let Some(code) = first_text(body, "Code") {
        return (Some(code), first_text(body, "Message"));
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

/// The first line of a text that comes from elsewhere: at most 200 characters, without control
/// characters, and of URLs neither query nor password.
pub(super) fn clip(text: &str) -> String {
    const MOST: usize = 200;
    let line = text.trim().lines().next().unwrap_or_default();
    let words = line.split(' ').map(|word| {
        let shown = redacted(word);
        match shown.split_once('?') {
            Some((url, _)) if url.contains("://") => url.to_owned(),
            _ => shown,
        }
    });
    let line = words.collect::<Vec<_>>().join(" ");
    let mut clipped: String = line
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(MOST)
        .collect();
    if line.chars().nth(MOST).is_some() {
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
        assert_eq!(kind(404, ""), FailureKind::NotFound);
        assert_eq!(kind(404, &xml("NoSuchKey")), FailureKind::NotFound);
        assert_eq!(kind(404, &xml("NoSuchBucket")), FailureKind::Refused);
        assert_eq!(
            kind(400, &xml("AuthorizationHeaderMalformed")),
            FailureKind::Region
        );
        assert_eq!(kind(503, &xml("SlowDown")), FailureKind::Other);
        assert_eq!(kind(416, ""), FailureKind::Changed);
        assert_eq!(
            Failure::answered(400, "400 Bad Request", &xml("Odd")).message,
            "the server refuses the request: 400 Bad Request, Odd, Why"
        );
        let json = r#"{"error":"invalid_grant","error_description":"Bad Request"}"#;
        assert!(
            Failure::answered(400, "400", json)
                .message
                .ends_with("400, invalid_grant, Bad Request")
        );
    }

    #[test]
    fn only_the_innermost_error_is_shown() {
        let error = object_store::Error::Generic {
            store: "S3",
            source: "no luck with https://host/key?X-Amz-Signature=abc".into(),
        };
        assert_eq!(Failure::of(&error).message, "no luck with https://host/key");
        assert_eq!(clip("a\u{1b}[2Jb\nc"), "a [2Jb");
        assert_eq!(clip(&"é".repeat(201)), format!("{}…", "é".repeat(200)));
        assert_eq!(
            clip("error for url (http://user:hush@proxy:3128/): refused"),
            "error for url (http://proxy:3128/): refused"
        );
    }
}
