//! One bucket or container: its keys and the bytes of its objects, through `object_store`.
//!
//! Not responsible for: which keys are wanted (`listing.rs`), in which pieces and how often bytes are asked for (`read.rs`).

use std::{borrow::Cow, ops::Range, sync::Arc};

use bytes::BytesMut;
use futures::StreamExt;
use object_store::{
    Extensions, GetOptions, GetRange, ObjectMeta, ObjectStore,
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
    /// Those of a listing and those of an answer are the same: what changed since it was listed is noticed.
    Listed,
    /// Those of answers are the same from one to the next: what changes while it is read is noticed.
    Answered,
    /// They change although what was listed does not.
    Unused,
}

/// A bucket or container.
pub(super) struct Cloud {
    store: Arc<dyn Store>,
    tags: Tags,
}

/// What lies in a folder. The folders in it end in `/`; there are none when the listing goes into them.
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
        Self { store: Arc::new(store), tags }
    }

    /// The store itself, to write to.
    pub(super) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store) as Arc<dyn ObjectStore>
    }

    /// What is told of the object of this very key.
    pub(super) async fn head(&self, key: &str) -> Result<ObjectMeta, Failure> {
        let options = GetOptions { head: true, ..GetOptions::default() };
        let answer = self.store.get_opts(&path(key)?, options).await.map_err(|error| Failure::of(&error))?;
        Ok(answer.meta)
    }

    /// All that begins with `prefix`, which need not end at a `/`; with `level`, only up to the next `/`.
    pub(super) async fn list(&self, prefix: &str, level: bool, odd_keys: &OddKeys) -> Result<Level, Failure> {
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
            let page = self.store.list_paginated(prefix, options).await.map_err(|error| Failure::of(&error))?;
            found.folders.extend(page.result.common_prefixes.iter().map(|folder| format!("{folder}/")));
            found.objects.extend(page.result.objects);
            let next = page.page_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
            if next == token {
                return Err(Failure::refused("the server gives the same page of the listing again and again"));
            }
            token = next;
        }
    }

    /// The tag that an object has to have for the first request, if that is known from its listing.
    pub(super) fn first_tag(&self, listed: Option<&str>) -> Option<String> {
        (self.tags == Tags::Listed).then_some(listed).flatten().filter(|tag| is_strong(tag)).map(str::to_owned)
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
        let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match: tag.clone(), ..GetOptions::default() };
        let answer = self.store.get_opts(&path(key)?, options).await.map_err(|error| Failure::of(&error))?;
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
                Err(_) => return Err(Failure::other(format!("the server sent nothing for {} seconds", STALL.as_secs()))),
            }
        }
    }
}

/// Does the tag stand for the bytes? Then it is quoted.
fn is_strong(tag: &str) -> bool {
    tag.starts_with('"')
}

/// The key as a path; never by `Path::from`, which encodes.
fn path(key: &str) -> Result<Path, Failure> {
    let odd = || Failure::new(Kind::NotFound, ODD);
    if is_odd(key) { Err(odd()) } else { Path::parse(key).map_err(|_| odd()) }
}
