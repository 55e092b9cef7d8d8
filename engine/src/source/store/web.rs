//! A web server: the URL of a file, or of a folder that can be listed by WebDAV, in; objects and
//! their bytes out.
//!
//! - [`webdav`] lists folders;
//! - [`stream`] reads a file as one stream, resumed where it breaks off.
//!
//! URLs are sent exactly as they were given: a presigned URL would not be valid otherwise.
//!
//! Not responsible for: the pages of links that servers make of folders for people.

mod stream;
mod webdav;

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_store::{
    HeaderValue,
    client::{
        HttpClient, HttpConnector, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    },
};
use tokio::time::sleep;

use super::{
    StoreListing, StoreObject,
    connector::{StoreNetwork, Traffic, client_options},
    dates::DayRange,
    failure::Failure,
    object::ObjectState,
    uri::UriTarget,
};

/// Attempts without any progress.
const ATTEMPTS: u32 = 7;

/// A web server, or a single URL of one if it has a query.
pub(super) struct WebServer {
    client: HttpClient,
    origin: String,
    query: Option<String>,
    authorization: Option<HeaderValue>,
    traffic: Arc<Traffic>,
}

impl WebServer {
    /// `user` is `name:password`.
    ///
    /// # Errors
    ///
    /// If the client cannot be built.
    pub(super) fn open(
        origin: &str,
        query: Option<&str>,
        user: Option<&str>,
        network: &StoreNetwork,
    ) -> Result<Self, Failure> {
        let options = client_options().with_allow_http(origin.starts_with("http://"));
        let client = network
            .connector_of_streams()
            .connect(&options)
            .map_err(|error| Failure::of(&error))?;
        Ok(Self {
            client,
            origin: origin.to_owned(),
            query: query.map(str::to_owned),
            authorization: user.map(basic).transpose()?,
            traffic: Arc::clone(&network.traffic),
        })
    }

    /// The file, or the files of a folder.
    ///
    /// # Errors
    ///
    /// If there is none, or the server does not answer or denies access.
    pub(super) async fn list(
        &self,
        target: &UriTarget,
        days: Option<DayRange>,
    ) -> Result<StoreListing, Failure> {
        if self.query.is_none() && (target.key.is_empty() || target.key.ends_with('/')) {
            return self.list_folder(target, days).await;
        }
        let object = StoreObject {
            root: target.root.clone(),
            key: target.key.clone(),
            size: self.size(&target.key).await?,
            etag: None,
            state: ObjectState::default(),
        };
        Ok(StoreListing {
            objects: vec![(target.shown.clone(), object, true)],
            ..StoreListing::default()
        })
    }

    /// The size of a file, if ranges of it can be requested.
    pub(super) async fn size(&self, key: &str) -> Result<Option<u64>, Failure> {
        let answer = self.send("HEAD", key, &[]).await?;
        if answer.status().is_success()
            && header(&answer, "accept-ranges") == Some("bytes")
            && let Some(size) = header(&answer, "content-length").and_then(|size| size.parse().ok())
        {
            return Ok(Some(size));
        }
        // Presigned URLs allow GET only, and some servers do not announce that they know ranges.
        let answer = self.send("GET", key, &[("range", "bytes=0-0")]).await?;
        match answer.status().as_u16() {
            206 => Ok(content_range(&answer).and_then(|(_, size)| size)),
            200 => Ok(None),
            // There is not even a first byte.
            416 => Ok(Some(0)),
            _ => Err(refusal(&answer)),
        }
    }

    /// Sends a request, and retries it while the server fails.
    async fn send(
        &self,
        method: &str,
        key: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<HttpResponse, Failure> {
        let mut attempt = 0;
        loop {
            let request = self.request(method, key, headers)?;
            let failure = match self.client.execute(request).await {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    if !matches!(status, 408 | 429) && (status < 500 || status == 501) {
                        return Ok(answer);
                    }
                    refusal(&answer)
                }
                Err(error)
                    if matches!(error.kind(), HttpErrorKind::Unknown | HttpErrorKind::Decode) =>
                {
                    return Err(Failure::refused(Failure::of_transport(&error).message));
                }
                Err(error) => Failure::of_transport(&error),
            };
            attempt += 1;
            if attempt >= ATTEMPTS {
                // Final, so that the caller does not retry once more.
                return Err(Failure::refused(failure.message));
            }
            sleep(pause(attempt)).await;
        }
    }

    fn request(
        &self,
        method: &str,
        key: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<HttpRequest, Failure> {
        let query = self
            .query
            .as_deref()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.parse().map_err(|_| unsendable())?;
        *request.uri_mut() = format!("{}/{key}{query}", self.origin)
            .parse()
            .map_err(|_| unsendable())?;
        let sent = request.headers_mut();
        // Lengths and ranges have to be those of the file.
        sent.insert("accept-encoding", HeaderValue::from_static("identity"));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|_| unsendable())?;
            sent.insert(*name, value);
        }
        if let Some(authorization) = &self.authorization {
            sent.insert("authorization", authorization.clone());
        }
        Ok(request)
    }
}

/// The header of HTTP basic authentication.
fn basic(user: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(user)))
        .map_err(|_| unsendable())?;
    value.set_sensitive(true);
    Ok(value)
}

fn unsendable() -> Failure {
    Failure::refused("the URL contains characters that cannot be sent; percent-encode them")
}

/// What an answer without success means.
fn refusal(answer: &HttpResponse) -> Failure {
    let status = answer.status();
    let mut failure = Failure::answered(status.as_u16(), &status.to_string(), "");
    match status.as_u16() {
        404 | 410 => failure.message = "there is no such file".to_owned(),
        401 | 403 => {
            failure.message =
                format!("access denied ({status}); if the URL is signed, it may have expired")
        }
        _ => {}
    }
    failure
}

/// How long to wait before an attempt.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(100 << attempt.min(5))
}

fn header<'r>(answer: &'r HttpResponse, name: &str) -> Option<&'r str> {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// Where the range of an answer begins, and the size of the whole file.
fn content_range(answer: &HttpResponse) -> Option<(u64, Option<u64>)> {
    let (range, size) = header(answer, "content-range")?
        .trim()
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (begins, _) = range.split_once('-')?;
    Some((begins.trim().parse().ok()?, size.trim().parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_sent_and_not_shown() {
        let value = basic("user:p@ss").unwrap();
        assert_eq!(value.to_str().unwrap(), "Basic dXNlcjpwQHNz");
        assert!(!format!("{value:?}").contains("dXNl"));
    }
}
