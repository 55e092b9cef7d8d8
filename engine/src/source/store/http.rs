//! A file on a web server, or a folder on one that speaks WebDAV.
//!
//! A file is read as one stream, continued where it breaks off: with `Range` where the server knows
//! it, else from the beginning, and what was read before is passed over. Its size counts only when
//! ranges of it can be asked for; otherwise it is a stream of unknown length. URLs are sent as they
//! were given: a presigned one would not hold otherwise.
//!
//! Not responsible for: pages of links that servers make of folders, and anything else that is made
//! for people.

use std::{collections::HashSet, ops::Range, sync::Arc, time::Duration};

use bytes::Buf;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{
    HeaderValue,
    client::{
        HttpClient, HttpConnector, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
    },
};
use percent_encoding::percent_decode_str;
use tokio::time::{sleep, timeout};
use url::Url;

use super::{
    Listed, StoreObject,
    connector::{Network, STALL, Traffic, client_options},
    dates::{Dated, Days, Verdict},
    failure::{Failure, Kind},
    page::{elements, unescaped},
    place::Target,
    read::{Pieces, too_short},
};

/// Attempts without any progress.
const ATTEMPTS: u32 = 7;

/// Folders that are asked for at a time.
const PARALLEL: usize = 8;

/// A web server, or one URL of it that has a query.
pub(super) struct Web {
    client: HttpClient,
    origin: String,
    query: Option<String>,
    authorization: Option<HeaderValue>,
    traffic: Arc<Traffic>,
}

/// What lies in a folder.
struct Entry {
    /// Still encoded; a folder's ends in `/`.
    key: String,
    is_folder: bool,
    size: Option<u64>,
}

impl Web {
    pub(super) fn open(
        origin: &str,
        query: Option<&str>,
        user: Option<&str>,
        network: &Network,
    ) -> Result<Self, Failure> {
        let options = client_options().with_allow_http(origin.starts_with("http://"));
        let client = network
            .connector_of_streams()
            .connect(&options)
            .map_err(|error| Failure::of(&error))?;
        let mut authorization = None;
        if let Some(user) = user {
            let mut value = HeaderValue::from_str(&format!("Basic {}", base64(user.as_bytes())))
                .map_err(|_| unsendable())?;
            value.set_sensitive(true);
            authorization = Some(value);
        }
        let traffic = Arc::clone(&network.traffic);
        Ok(Self {
            client,
            origin: origin.to_owned(),
            query: query.map(str::to_owned),
            authorization,
            traffic,
        })
    }

    /// The file, or the files of a folder.
    pub(super) async fn list(
        &self,
        target: &Target,
        days: Option<Days>,
    ) -> Result<Listed, Failure> {
        if self.query.is_none() && (target.key.is_empty() || target.key.ends_with('/')) {
            return self.folder(target, days).await;
        }
        let size = self.size(&target.key).await?;
        let object = StoreObject {
            root: target.root.clone(),
            key: target.key.clone(),
            size,
            etag: None,
        };
        Ok(Listed {
            objects: vec![(target.shown.clone(), object, true)],
            failures: Vec::new(),
            pruned: 0,
        })
    }

    /// The size of a file of which ranges can be asked for.
    async fn size(&self, key: &str) -> Result<Option<u64>, Failure> {
        let answer = self.send("HEAD", key, &[]).await?;
        if answer.status().is_success()
            && header(&answer, "accept-ranges") == Some("bytes")
            && let Some(size) = header(&answer, "content-length").and_then(|size| size.parse().ok())
        {
            return Ok(Some(size));
        }
        // A presigned URL answers to nothing but GET; other servers do not say before what they can
        // do.
        let answer = self.send("GET", key, &[("range", "bytes=0-0")]).await?;
        match answer.status().as_u16() {
            206 => Ok(content_range(&answer).and_then(|(_, size)| size)),
            200 => Ok(None),
            // There is not even a first byte.
            416 => Ok(Some(0)),
            _ => Err(refusal(&answer)),
        }
    }

    /// All files below a folder, by WebDAV.
    async fn folder(&self, target: &Target, days: Option<Days>) -> Result<Listed, Failure> {
        let dated = Dated::of(&decoded(&target.key));
        // Whoever names a day wants that day.
        let days = days.filter(|_| !matches!(dated, Dated::Day(_)));
        let mut listed = Listed::default();
        let mut seen = HashSet::new();
        let mut folders = vec![(target.key.clone(), dated)];
        while !folders.is_empty() {
            // Links can lead in circles.
            folders.retain(|(key, _)| seen.insert(key.clone()));
            let levels: Vec<(Dated, Vec<Entry>)> =
                stream::iter(std::mem::take(&mut folders))
                    .map(|(key, dated)| async move {
                        Ok::<_, Failure>((dated, self.entries(&key).await?))
                    })
                    .buffer_unordered(PARALLEL)
                    .try_collect()
                    .await?;
            for (dated, entries) in levels {
                let (inner, files): (Vec<Entry>, Vec<Entry>) =
                    entries.into_iter().partition(|entry| entry.is_folder);
                for file in files {
                    let object = StoreObject {
                        root: target.root.clone(),
                        key: file.key,
                        size: file.size,
                        etag: None,
                    };
                    listed
                        .objects
                        .push((target.uri(&object.key), object, false));
                }
                let names: Vec<String> = inner
                    .iter()
                    .map(|folder| decoded(last_part(&folder.key)))
                    .collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let verdicts = days.map(|days| days.judge(dated, &names));
                for (index, folder) in inner.into_iter().enumerate() {
                    match verdicts.as_ref().and_then(|verdicts| verdicts.get(index)) {
                        Some(Verdict::Outside) => listed.pruned += 1,
                        Some(Verdict::Inside(day)) => folders.push((folder.key, Dated::Day(*day))),
                        Some(Verdict::Open(dated)) => folders.push((folder.key, *dated)),
                        None => folders.push((folder.key, Dated::Not)),
                    }
                }
            }
        }
        if listed.objects.is_empty() && listed.pruned == 0 {
            return Err(Failure::new(
                Kind::NotFound,
                "there is no file in this folder",
            ));
        }
        listed
            .objects
            .sort_by(|(one, ..), (other, ..)| one.cmp(other));
        Ok(listed)
    }

    /// What lies in one folder.
    async fn entries(&self, folder: &str) -> Result<Vec<Entry>, Failure> {
        let mut attempt = 0;
        loop {
            let answer = self.send("PROPFIND", folder, &[("depth", "1")]).await?;
            let status = answer.status();
            match status.as_u16() {
                207 => {}
                404 | 410 => return Err(Failure::new(Kind::NotFound, "there is no such folder")),
                401 => return Err(refusal(&answer)),
                _ => {
                    return Err(Failure::refused(format!(
                        "this server does not list folders (WebDAV: {status}); name the files"
                    )));
                }
            }
            match timeout(STALL, answer.into_body().bytes()).await {
                Ok(Ok(page)) => return Ok(entries_of(folder, &String::from_utf8_lossy(&page))),
                Ok(Err(error)) if attempt == ATTEMPTS => return Err(Failure::of_transport(&error)),
                Err(_) if attempt == ATTEMPTS => return Err(silent()),
                _ => attempt += 1,
            }
            sleep(pause(attempt)).await;
        }
    }

    /// Reads a range of a file as it comes.
    pub(super) async fn stream(
        &self,
        object: &StoreObject,
        range: Range<u64>,
        pieces: &Pieces,
    ) -> Result<(), Failure> {
        let mut at = range.start;
        let mut tag = None;
        let mut idle = 0;
        loop {
            let before = at;
            let Err(failure) = self
                .attempt(object, &mut at, range.end, &mut tag, pieces)
                .await
            else {
                return Ok(());
            };
            idle = if at > before { 0 } else { idle + 1 };
            if failure.is_final() || idle >= ATTEMPTS {
                return Err(failure);
            }
            sleep(pause(idle)).await;
        }
    }

    /// One attempt to read from `at` to the end.
    async fn attempt(
        &self,
        object: &StoreObject,
        at: &mut u64,
        end: u64,
        tag: &mut Option<String>,
        pieces: &Pieces,
    ) -> Result<(), Failure> {
        let is_whole = *at == 0 && end >= object.size.unwrap_or(u64::MAX);
        let last = if end == u64::MAX {
            String::new()
        } else {
            end.saturating_sub(1).to_string()
        };
        let range = format!("bytes={at}-{last}");
        let asked = if is_whole {
            Vec::new()
        } else {
            vec![("range", range.as_str())]
        };
        let answer = self.send("GET", &object.key, &asked).await?;
        // Where the server begins although we want to begin at `at`.
        let begins = match answer.status().as_u16() {
            200 => 0,
            206 => content_range(&answer).map_or(*at, |(begins, _)| begins),
            416 if object.size.is_none() => return Ok(()),
            _ => return Err(refusal(&answer)),
        };
        let Some(mut passed_over) = at.checked_sub(begins) else {
            return Err(Failure::refused(
                "the server answers with another range than it was asked for",
            ));
        };
        let now = header(&answer, "etag")
            .or_else(|| header(&answer, "last-modified"))
            .map(str::to_owned);
        if tag.is_some() && *tag != now {
            return Err(Failure::new(
                Kind::Changed,
                "the file changed while it was read; run again",
            ));
        }
        *tag = now;
        let mut body = answer.into_body().bytes_stream();
        while *at < end {
            let mut piece = match timeout(STALL, body.next()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Err(Failure::of_transport(&error)),
                Ok(None) => break,
                Err(_) => return Err(silent()),
            };
            self.traffic.received(piece.len());
            let known = usize::try_from(passed_over)
                .unwrap_or(usize::MAX)
                .min(piece.len());
            piece.advance(known);
            passed_over -= known as u64;
            piece.truncate(usize::try_from(end - *at).unwrap_or(usize::MAX));
            if piece.is_empty() {
                continue;
            }
            *at += piece.len() as u64;
            if pieces.send(Ok(piece)).await.is_err() {
                return Ok(());
            }
        }
        match object.size {
            // The next attempt brings the rest, or shows that there is none.
            Some(size) if *at < end.min(size) => Err(Failure {
                kind: Kind::Other,
                ..too_short(*at, object.size)
            }),
            _ => Ok(()),
        }
    }

    /// Sends a request, again when the server fails for the moment.
    async fn send(
        &self,
        method: &str,
        key: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<HttpResponse, Failure> {
        let mut attempt = 0;
        loop {
            let failure = match self
                .client
                .execute(self.request(method, key, headers)?)
                .await
            {
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
                // Not to be taken up again by whoever asked: this was all there is to try.
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
        // Lengths and ranges are those of the file.
        request
            .headers_mut()
            .insert("accept-encoding", HeaderValue::from_static("identity"));
        for (name, value) in headers {
            request.headers_mut().insert(
                *name,
                HeaderValue::from_str(value).map_err(|_| unsendable())?,
            );
        }
        if let Some(authorization) = &self.authorization {
            request
                .headers_mut()
                .insert("authorization", authorization.clone());
        }
        Ok(request)
    }
}

fn unsendable() -> Failure {
    Failure::refused("the URL holds characters that cannot be sent; write them percent-encoded")
}

fn silent() -> Failure {
    Failure::other(format!(
        "the server sent nothing for {} seconds",
        STALL.as_secs()
    ))
}

/// What an answer means that is no success.
fn refusal(answer: &HttpResponse) -> Failure {
    let status = answer.status();
    let mut failure = Failure::answered(status.as_u16(), &status.to_string(), "");
    match status.as_u16() {
        404 | 410 => failure.message = "there is no such file".to_owned(),
        401 | 403 => {
            failure.message = format!(
                "access is denied ({status}); if the URL is a signed one, it may be too old"
            )
        }
        _ => {}
    }
    failure
}

fn pause(attempt: u32) -> Duration {
    Duration::from_millis(100 << attempt.min(5))
}

fn header<'r>(answer: &'r HttpResponse, name: &str) -> Option<&'r str> {
    answer
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// Where the range of an answer begins, and the size of the whole.
fn content_range(answer: &HttpResponse) -> Option<(u64, Option<u64>)> {
    let (range, size) = header(answer, "content-range")?
        .trim()
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (begins, _) = range.split_once('-')?;
    Some((begins.trim().parse().ok()?, size.trim().parse().ok()))
}

fn decoded(key: &str) -> String {
    percent_decode_str(key).decode_utf8_lossy().into_owned()
}

fn last_part(key: &str) -> &str {
    key.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

/// The entries of a WebDAV answer, without the folder itself.
fn entries_of(folder: &str, page: &str) -> Vec<Entry> {
    let own = decoded(folder);
    let entry = |response: &str| {
        let href = unescaped(elements(response, "href").first()?.trim());
        // A whole URL or a path; behind a proxy the host is another, so that only the path counts.
        let path = match Url::parse(&href) {
            Ok(url) => url.path().to_owned(),
            Err(_) => href,
        };
        let key = path.strip_prefix('/')?;
        let is_folder = key.ends_with('/') || !elements(response, "collection").is_empty();
        let key = if is_folder {
            format!("{}/", key.trim_end_matches('/'))
        } else {
            key.to_owned()
        };
        let is_inside = decoded(&key)
            .strip_prefix(&own)
            .is_some_and(|rest| !rest.is_empty() && rest != "/");
        let size = elements(response, "getcontentlength")
            .first()
            .and_then(|size| size.trim().parse().ok());
        is_inside.then_some(Entry {
            key,
            is_folder,
            size,
        })
    };
    elements(page, "response")
        .into_iter()
        .filter_map(entry)
        .collect()
}

/// The Base64 of RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0_usize, |bits, byte| (bits << 8) | usize::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS
                .get((bits >> (18 - 6 * place)) & 63)
                .copied()
                .unwrap_or(b'=');
            out.push(if place <= three.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_web_servers() {
        let file = "<D:response><D:href>/logs/a%20b/x.log</D:href><D:propstat><D:prop><D:resourcetype/>\
                    <D:getcontentlength>12</D:getcontentlength></D:prop></D:propstat></D:response>";
        let folder = "<d:response><d:href>http://inside:81/logs/a%20b/2026</d:href>\
                      <d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop></d:response>";
        let own = "<D:response><D:href>/logs/a%20b/</D:href><D:resourcetype><D:collection/></D:resourcetype></D:response>";
        let other = "<D:response><D:href>/logs/</D:href><D:resourcetype><D:collection/></D:resourcetype></D:response>";
        let entries = entries_of(
            "logs/a b/",
            &format!("<D:multistatus>{own}{file}{folder}{other}</D:multistatus>"),
        );
        let told: Vec<_> = entries
            .iter()
            .map(|entry| (entry.key.as_str(), entry.is_folder, entry.size))
            .collect();
        assert_eq!(
            told,
            [
                ("logs/a%20b/x.log", false, Some(12)),
                ("logs/a%20b/2026/", true, None)
            ]
        );
        assert_eq!(last_part("logs/a%20b/2026/"), "2026");
    }

    #[test]
    fn letters() {
        for (text, want) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("user:p@ss", "dXNlcjpwQHNz"),
        ] {
            assert_eq!(base64(text.as_bytes()), want);
        }
    }
}
