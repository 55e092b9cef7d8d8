//! A folder on a WebDAV server in; out come all files below it, without folders of other days.
//!
//! Folders are listed one by one with `PROPFIND` (RFC 4918), because many servers refuse to list a
//! whole tree. The host in the answers is ignored: behind a proxy it is another.
//!
//! Not responsible for: which folders belong to other days (`dates.rs`).

use std::{collections::HashSet, mem};

use futures::{StreamExt, TryStreamExt, stream};
use percent_encoding::percent_decode_str;
use quick_xml::{
    NsReader,
    events::Event,
    name::{Namespace, ResolveResult},
};
use tokio::time::{sleep, timeout};
use url::Url;

use super::{ATTEMPTS, WebServer, pause, refusal};
use crate::source::store::{
    StoreListing, StoreObject,
    connector::STALL,
    dates::{DayRange, FolderVerdict, PathDate},
    failure::{Failure, FailureKind},
    object::ObjectState,
    uri::UriTarget,
    xml::text_of,
};

/// How many folders are listed at a time.
const PARALLEL: usize = 8;

/// A file or folder in a folder.
#[derive(Debug, PartialEq, Eq)]
struct WebDavEntry {
    /// Still encoded; that of a folder ends in `/`.
    key: String,
    is_folder: bool,
    size: Option<u64>,
}

impl WebServer {
    /// All files below a folder.
    pub(super) async fn list_folder(
        &self,
        target: &UriTarget,
        days: Option<DayRange>,
    ) -> Result<StoreListing, Failure> {
        let dated = PathDate::of(&decoded(&target.key));
        // A user who names the folder of a day wants that day.
        let days = days.filter(|_| !matches!(dated, PathDate::Day(_)));
        let mut listing = StoreListing::default();
        let mut seen = HashSet::new();
        let mut folders = vec![(target.key.clone(), dated)];
        while !folders.is_empty() {
            // Links may lead in circles.
            folders.retain(|(key, _)| seen.insert(key.clone()));
            let levels: Vec<(PathDate, Vec<WebDavEntry>)> =
                stream::iter(mem::take(&mut folders))
                    .map(|(key, dated)| async move {
                        Ok::<_, Failure>((dated, self.entries(&key).await?))
                    })
                    .buffer_unordered(PARALLEL)
                    .try_collect()
                    .await?;
            for (dated, entries) in levels {
                let (inner, files): (Vec<_>, Vec<_>) =
                    entries.into_iter().partition(|entry| entry.is_folder);
                for file in files {
                    let object = StoreObject {
                        root: target.root.clone(),
                        key: file.key,
                        size: file.size,
                        etag: None,
                        state: ObjectState::default(),
                    };
                    let shown = target.uri(&object.key);
                    listing.objects.push((shown, object, false));
                }
                folders.extend(wanted(inner, dated, days, &mut listing.pruned));
            }
        }
        if listing.objects.is_empty() && listing.pruned == 0 {
            return Err(Failure::new(
                FailureKind::NotFound,
                "there is no file in this folder",
            ));
        }
        listing
            .objects
            .sort_by(|(one, ..), (other, ..)| one.cmp(other));
        Ok(listing)
    }

    /// What lies in one folder.
    async fn entries(&self, folder: &str) -> Result<Vec<WebDavEntry>, Failure> {
        let mut attempt = 0;
        loop {
            let answer = self.send("PROPFIND", folder, &[("depth", "1")]).await?;
            let status = answer.status();
            match status.as_u16() {
                207 => {}
                404 | 410 => {
                    return Err(Failure::new(
                        FailureKind::NotFound,
                        "there is no such folder",
                    ));
                }
                401 => return Err(refusal(&answer)),
                _ => {
                    return Err(Failure::refused(format!(
                        "this server does not list folders (WebDAV: {status}); name the files"
                    )));
                }
            }
            let outcome = match timeout(STALL, answer.into_body().bytes()).await {
                Ok(Ok(page)) => entries_of(folder, &String::from_utf8_lossy(&page)),
                Ok(Err(error)) => Err(Failure::of_transport(&error)),
                Err(_) => Err(Failure::stalled(STALL)),
            };
            if outcome.is_ok() || attempt == ATTEMPTS {
                return outcome;
            }
            attempt += 1;
            sleep(pause(attempt)).await;
        }
    }
}

/// The folders to list next, each with the date in its path. Those of other days are only counted.
fn wanted(
    folders: Vec<WebDavEntry>,
    parent: PathDate,
    days: Option<DayRange>,
    pruned: &mut u64,
) -> Vec<(String, PathDate)> {
    let keys = folders.into_iter().map(|folder| folder.key);
    let Some(days) = days else {
        return keys.map(|key| (key, PathDate::Not)).collect();
    };
    let keys: Vec<String> = keys.collect();
    let names: Vec<String> = keys.iter().map(|key| decoded(last_part(key))).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut next = Vec::new();
    for (key, verdict) in keys.into_iter().zip(days.judge(parent, &names)) {
        match verdict {
            FolderVerdict::Outside => *pruned += 1,
            FolderVerdict::Inside(day) => next.push((key, PathDate::Day(day))),
            FolderVerdict::Open(dated) => next.push((key, dated)),
        }
    }
    next
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

/// The members of a `response` element that matter here.
#[derive(Default)]
struct WebDavResponse {
    href: Option<String>,
    is_collection: bool,
    size: Option<u64>,
}

/// The entries in an answer to `PROPFIND`, without the folder itself.
fn entries_of(folder: &str, page: &str) -> Result<Vec<WebDavEntry>, Failure> {
    let malformed = |why: &str| {
        Failure::other(format!(
            "the server's list of this folder is malformed: {why}"
        ))
    };
    let own = decoded(folder);
    let mut reader = NsReader::from_str(page);
    reader.config_mut().expand_empty_elements = true;
    let mut entries = Vec::new();
    let mut response = WebDavResponse::default();
    let mut text = String::new();
    let mut is_complete = false;
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|error| malformed(&error.to_string()))?;
        let is_dav = namespace == ResolveResult::Bound(Namespace(b"DAV:"));
        match &event {
            Event::Start(tag) => {
                text.clear();
                match tag.local_name().as_ref() {
                    b"response" if is_dav => response = WebDavResponse::default(),
                    b"collection" if is_dav => response.is_collection = true,
                    _ => {}
                }
            }
            Event::End(tag) if is_dav => match tag.local_name().as_ref() {
                b"href" if response.href.is_none() => response.href = Some(mem::take(&mut text)),
                b"getcontentlength" => response.size = text.trim().parse().ok(),
                b"response" => entries.extend(entry_of(mem::take(&mut response), &own)),
                b"multistatus" => is_complete = true,
                _ => {}
            },
            Event::Eof if is_complete => return Ok(entries),
            Event::Eof => return Err(malformed("it ends too early")),
            _ => text.push_str(&text_of(&event)),
        }
    }
}

/// The entry that a response describes. `None` if it does not lie in the folder.
fn entry_of(response: WebDavResponse, folder: &str) -> Option<WebDavEntry> {
    let href = response.href?;
    let href = href.trim();
    // A whole URL, or a path.
    let path = match Url::parse(href) {
        Ok(url) => url.path().to_owned(),
        Err(_) => href.to_owned(),
    };
    let mut key = path.strip_prefix('/')?.to_owned();
    let is_folder = key.ends_with('/') || response.is_collection;
    if is_folder {
        key.truncate(key.trim_end_matches('/').len());
        key.push('/');
    }
    let is_inside = decoded(&key)
        .strip_prefix(folder)
        .is_some_and(|rest| !rest.is_empty() && rest != "/");
    is_inside.then_some(WebDavEntry {
        key,
        is_folder,
        size: response.size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "<D:response><D:href>/logs/a%20b/x&amp;y.log</D:href><D:propstat><D:prop><D:resourcetype/>\
                        <D:getcontentlength>12</D:getcontentlength><D:owner><D:href>/users/me</D:href></D:owner>\
                        <o:collection/></D:prop></D:propstat></D:response>";
    const FOLDER: &str = "<d:response xmlns:d=\"DAV:\"><d:href> http://inside:81/logs/a%20b/2026 </d:href>\
                          <d:prop><d:resourcetype><d:collection/></d:resourcetype></d:prop></d:response>";
    const OWN: &str = "<D:response><D:href>/logs/a%20b/</D:href><D:resourcetype><D:collection/></D:resourcetype></D:response>";
    const OTHER: &str = "<D:response><D:href>/logs/</D:href><D:resourcetype><D:collection/></D:resourcetype></D:response>";
    const OPEN: &str =
        "<?xml version=\"1.0\"?>\n<D:multistatus xmlns:D=\"DAV:\" xmlns:o=\"urn:other\">";
    const CLOSE: &str = "</D:multistatus>";

    #[test]
    fn folders_of_web_servers() {
        let page = [OPEN, OWN, FILE, FOLDER, OTHER, CLOSE].concat();
        assert_eq!(
            entries_of("logs/a b/", &page).unwrap(),
            [
                WebDavEntry {
                    key: "logs/a%20b/x&y.log".to_owned(),
                    is_folder: false,
                    size: Some(12)
                },
                WebDavEntry {
                    key: "logs/a%20b/2026/".to_owned(),
                    is_folder: true,
                    size: None
                }
            ]
        );
        assert_eq!(last_part("logs/a%20b/2026/"), "2026");
    }

    #[test]
    fn half_an_answer_is_not_a_list() {
        for page in [
            [OPEN, OWN, FILE].concat(),
            [OPEN, OWN, "<D:response><D:href>/logs/a%20b/x.log</D:href>"].concat(),
            [OPEN, OWN, "</D:response>", CLOSE].concat(),
            String::new(),
            "<html><p>not a list<br></html>".to_owned(),
        ] {
            let failure = entries_of("logs/a b/", &page).unwrap_err();
            assert!(failure.message.contains("malformed"), "{}", failure.message);
            assert!(!failure.is_final(), "the next attempt may bring all of it");
        }
    }
}
