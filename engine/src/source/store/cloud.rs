//! One bucket or container: its keys and the bytes of its objects, through `object_store`.
//!
//! Not responsible for: which keys are wanted (`listing.rs`), in which pieces and how often bytes
//! are asked for (`read.rs`).

use std::{borrow::Cow, ops::Range, sync::Arc, time::Duration};

use bytes::BytesMut;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Extensions, GetOptions, GetRange, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    list::{PaginatedListOptions, PaginatedListStore},
    path::Path,
};
use tokio::time::timeout;

use super::{
    connector::{STALL, Traffic},
    failure::{Failure, Kind},
    page::{OddKeys, is_odd},
};

/// What is asked of a store: its objects, and listings of any prefix page by page.
pub(super) trait Store: ObjectStore + PaginatedListStore {}

impl<T: ObjectStore + PaginatedListStore> Store for T {}

/// What the tags of objects are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tags {
    /// Those of a listing and those of an answer are the same: what changed since it was listed is
    /// noticed.
    Listed,
    /// Those of answers are the same from one to the next: what changes while it is read is
    /// noticed.
    Answered,
    /// They change although what was listed does not.
    Unused,
}

/// A bucket or container.
pub(super) struct Cloud {
    store: Arc<dyn Store>,
    tags: Tags,
    /// Can a listing begin at a key?
    lists_from: bool,
}

/// What lies in a folder. The folders in it end in `/`; there are none when the listing goes into
/// them.
#[derive(Debug, Default)]
pub(super) struct Level {
    pub(super) folders: Vec<String>,
    pub(super) objects: Vec<ObjectMeta>,
}

/// Why a key is no path. The second sentence says what to do.
pub(super) const ODD: &str = "the key has an empty, `.` or `..` part or a control character and cannot be addressed; \
     copy the object to another key";

impl Cloud {
    pub(super) fn new(store: impl Store, tags: Tags) -> Self {
        Self {
            store: Arc::new(store),
            tags,
            lists_from: true,
        }
    }

    /// The server gives all of a listing, although it is asked for what comes after a key (Azurite
    /// does, and says nothing).
    pub(super) fn listing_all(self) -> Self {
        Self {
            lists_from: false,
            ..self
        }
    }

    /// The store itself, to write to.
    pub(super) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::new(Patient {
            store: Arc::clone(&self.store) as Arc<dyn ObjectStore>,
            lists_from: self.lists_from,
        })
    }

    /// What is told of the object of this very key.
    pub(super) async fn head(&self, key: &str) -> Result<ObjectMeta, Failure> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        let answer = self
            .store
            .get_opts(&path(key)?, options)
            .await
            .map_err(|error| Failure::of(&error))?;
        Ok(answer.meta)
    }

    /// All that begins with `prefix`, which need not end at a `/`; with `level`, only up to the
    /// next `/`.
    pub(super) async fn list(
        &self,
        prefix: &str,
        level: bool,
        odd_keys: &OddKeys,
    ) -> Result<Level, Failure> {
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let mut found = Level::default();
        let mut token: Option<String> = None;
        loop {
            let mut extensions = Extensions::new();
            extensions.insert(odd_keys.clone());
            let options = PaginatedListOptions {
                delimiter: level.then_some(Cow::Borrowed("/")),
                page_token: token.clone(),
                extensions,
                ..PaginatedListOptions::default()
            };
            let page = self
                .store
                .list_paginated(prefix, options)
                .await
                .map_err(|error| Failure::of(&error))?;
            found.folders.extend(
                page.result
                    .common_prefixes
                    .iter()
                    .map(|folder| format!("{folder}/")),
            );
            found.objects.extend(page.result.objects);
            let next = page.page_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
            if next == token {
                return Err(Failure::refused(
                    "the server gives the same page of the listing again and again",
                ));
            }
            token = next;
        }
    }

    /// The tag that an object has to have for the first request, if that is known from its listing.
    pub(super) fn first_tag(&self, listed: Option<&str>) -> Option<String> {
        (self.tags == Tags::Listed)
            .then_some(listed)
            .flatten()
            .filter(|tag| is_strong(tag))
            .map(str::to_owned)
    }

    /// Asks once for a range of an object. What arrives is appended to `got`, also before an error.
    pub(super) async fn get(
        &self,
        key: &str,
        range: Range<u64>,
        tag: &mut Option<String>,
        got: &mut BytesMut,
        traffic: &Traffic,
    ) -> Result<(), Failure> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: tag.clone(),
            ..GetOptions::default()
        };
        let answer = self
            .store
            .get_opts(&path(key)?, options)
            .await
            .map_err(|error| Failure::of(&error))?;
        if self.tags != Tags::Unused && tag.is_none() {
            *tag = answer.meta.e_tag.clone().filter(|tag| is_strong(tag));
        }
        let mut body = answer.into_stream();
        loop {
            match timeout(STALL, body.next()).await {
                Ok(Some(Ok(bytes))) => {
                    traffic.received(bytes.len());
                    got.extend_from_slice(&bytes);
                }
                Ok(Some(Err(error))) => return Err(Failure::of(&error)),
                Ok(None) => return Ok(()),
                Err(_) => {
                    return Err(Failure::other(format!(
                        "the server sent nothing for {} seconds",
                        STALL.as_secs()
                    )));
                }
            }
        }
    }
}

/// A store that is asked again when an answer ends half way, which `object_store` does for bodies
/// of objects only; and whose listings are cut here where the server does not cut them.
#[derive(Debug, Clone)]
struct Patient {
    store: Arc<dyn ObjectStore>,
    lists_from: bool,
}

impl std::fmt::Display for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.store.fmt(f)
    }
}

/// How often it is asked, with what is waited in between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

impl Patient {
    fn listing(
        &self,
        prefix: Option<Path>,
        offset: Option<Path>,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let this = self.clone();
        let all = async move {
            let mut tries = 0;
            loop {
                let listed = match &offset {
                    Some(offset) if this.lists_from => {
                        this.store.list_with_offset(prefix.as_ref(), offset)
                    }
                    _ => this.store.list(prefix.as_ref()),
                };
                tries += 1;
                match listed.try_collect::<Vec<_>>().await {
                    Ok(mut all) => {
                        all.retain(|object| {
                            offset
                                .as_ref()
                                .is_none_or(|offset| object.location > *offset)
                        });
                        return Ok::<_, object_store::Error>(futures::stream::iter(
                            all.into_iter().map(Ok),
                        ));
                    }
                    Err(error)
                        if tries >= TRIES
                            || !matches!(error, object_store::Error::Generic { .. }) =>
                    {
                        return Err(error);
                    }
                    Err(_) => tokio::time::sleep(PAUSE * tries).await,
                }
            }
        };
        futures::stream::once(all).try_flatten().boxed()
    }
}

#[async_trait::async_trait]
impl ObjectStore for Patient {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.get_opts(location, options.clone()).await {
                Err(object_store::Error::Generic { .. }) if tries < TRIES => {
                    tokio::time::sleep(PAUSE * tries).await
                }
                got => return got,
            }
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.listing(prefix.cloned(), None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.listing(prefix.cloned(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.list_with_delimiter(prefix).await {
                Err(object_store::Error::Generic { .. }) if tries < TRIES => {
                    tokio::time::sleep(PAUSE * tries).await
                }
                listed => return listed,
            }
        }
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

/// Does the tag stand for the bytes? Then it is quoted.
fn is_strong(tag: &str) -> bool {
    tag.starts_with('"')
}

/// The key as a path; never by `Path::from`, which encodes.
fn path(key: &str) -> Result<Path, Failure> {
    let odd = || Failure::new(Kind::NotFound, ODD);
    if is_odd(key) {
        Err(odd())
    } else {
        Path::parse(key).map_err(|_| odd())
    }
}
