//! One bucket or container: its keys and the bytes of its objects, through `object_store`.
//!
//! Not responsible for: which keys are wanted (`listing.rs`), and in what ranges and how often
//! bytes are requested (`read.rs`).

mod retrying;

use std::{borrow::Cow, ops::Range, sync::Arc};

use bytes::BytesMut;
use futures::StreamExt;
use object_store::{
    Extensions, GetOptions, GetRange, ObjectMeta, ObjectStore,
    list::{PaginatedListOptions, PaginatedListStore},
    path::Path,
};
use tokio::time::timeout;

use self::retrying::RetryingStore;
use super::prefix_listing::PrefixListing;
use super::{
    connector::{STALL, Traffic},
    failure::{Failure, FailureKind},
    object::StoreObject,
    odd_keys::{OddKeys, SiftedPage, spelled},
};

/// What a store has to offer: its objects, and listings of any prefix page by page.
pub(super) trait ListableStore: ObjectStore + PaginatedListStore {}

impl<T: ObjectStore + PaginatedListStore> ListableStore for T {}

/// What the ETags of a store are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagUse {
    /// Listings and responses give the same tag: a change since the listing is noticed.
    Listed,
    /// Only responses give the same tag: a change between two requests is noticed. Objects are
    /// never appended to: another size than the listed one is a change.
    Answered,
    /// The same, but objects may grow since the listing.
    Growing,
}

/// A bucket or container.
pub(super) struct CloudStore {
    store: Arc<dyn ListableStore>,
    tags: TagUse,
    /// Can a listing begin at a key?
    lists_from: bool,
}

/// One page of a listing. Its token, if it has one, leads to another page.
struct ListedPage {
    listing: PrefixListing,
    token: Option<String>,
}

/// Why a key cannot be used, and what to do about it.
pub(super) const ODD: &str = "the key begins or ends with `/`, or has a `.` or `..` part or a control character, and \
     cannot be addressed; copy the object to another key";

/// Keys per page where a few are enough. More than one, because folder markers do not count.
const FEW: usize = 10;

impl CloudStore {
    pub(super) fn new(store: impl ListableStore, tags: TagUse) -> Self {
        Self {
            store: Arc::new(store),
            tags,
            lists_from: true,
        }
    }

    /// For servers that ignore the key at which a listing should begin (Azurite).
    pub(super) fn listing_all(self) -> Self {
        Self {
            lists_from: false,
            ..self
        }
    }

    /// The store itself, to write to.
    pub(super) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::new(RetryingStore {
            store: Arc::clone(&self.store) as Arc<dyn ObjectStore>,
            lists_from: self.lists_from,
        })
    }

    /// Size, time and ETag of the object with this very key.
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

    /// Everything whose key begins with `prefix`, which need not end in `/`. With `one_level`,
    /// keys end at the next `/`: those that go on are folders.
    pub(super) async fn list(
        &self,
        prefix: &str,
        one_level: bool,
        odd_keys: &OddKeys,
    ) -> Result<PrefixListing, Failure> {
        let mut found = PrefixListing::default();
        let mut token: Option<String> = None;
        loop {
            let options = PaginatedListOptions {
                delimiter: one_level.then_some(Cow::Borrowed("/")),
                page_token: token.clone(),
                ..PaginatedListOptions::default()
            };
            let page = self.page(prefix, options, odd_keys).await?;
            found.folders.extend(page.listing.folders);
            found.objects.extend(page.listing.objects);
            if page.token.is_none() {
                return Ok(found);
            }
            token = page.token;
        }
    }

    /// Is there any object whose key begins with `prefix`? Reads no more of the listing than that
    /// takes.
    pub(super) async fn has_any(&self, prefix: &str) -> Result<bool, Failure> {
        let mut token: Option<String> = None;
        loop {
            let options = PaginatedListOptions {
                max_keys: Some(FEW),
                page_token: token.clone(),
                ..PaginatedListOptions::default()
            };
            let page = self.page(prefix, options, &OddKeys::default()).await?;
            if !page.listing.objects.is_empty() {
                return Ok(true);
            }
            if page.token.is_none() {
                return Ok(false);
            }
            token = page.token;
        }
    }

    /// One page of a listing.
    async fn page(
        &self,
        prefix: &str,
        mut options: PaginatedListOptions,
        odd_keys: &OddKeys,
    ) -> Result<ListedPage, Failure> {
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let token = options.page_token.clone();
        let sifted = SiftedPage::default();
        options.extensions = Extensions::new();
        options.extensions.insert(sifted.clone());
        let page = self
            .store
            .list_paginated(prefix, options)
            .await
            .map_err(|error| Failure::of(&error))?;
        let next = page.page_token.filter(|token| !token.is_empty());
        if next.is_some() && next == token {
            return Err(Failure::refused(
                "the server repeats the same page of the listing",
            ));
        }
        // Those with empty parts, which `object_store` would not have held.
        let mut listing = sifted.take(odd_keys);
        let folders = page.result.common_prefixes.iter();
        listing
            .folders
            .extend(folders.map(|folder| format!("{folder}/")));
        listing.objects.extend(page.result.objects);
        Ok(ListedPage {
            listing,
            token: next,
        })
    }

    /// Requests a range of an object once. What arrives is appended to `got`, even if an error
    /// follows.
    pub(super) async fn get(
        &self,
        object: &StoreObject,
        range: Range<u64>,
        got: &mut BytesMut,
        traffic: &Traffic,
    ) -> Result<(), Failure> {
        let listed = object.etag.clone().filter(|tag| is_strong(tag));
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            if_match: listed.filter(|_| self.tags == TagUse::Listed),
            ..GetOptions::default()
        };
        let answer = self
            .store
            .get_opts(&path(&object.key)?, options)
            .await
            .map_err(|error| Failure::of(&error))?;
        let meta = &answer.meta;
        let is_listed =
            self.tags == TagUse::Growing || object.size.is_none_or(|size| size == meta.size);
        let tag = meta.e_tag.as_deref().filter(|tag| is_strong(tag));
        if !is_listed || tag.is_some_and(|tag| !object.state.meet(tag)) {
            return Err(Failure::changed());
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
                Err(_) => return Err(Failure::stalled(STALL)),
            }
        }
    }
}

/// Does the tag identify the bytes? Strong ETags are quoted.
fn is_strong(tag: &str) -> bool {
    tag.starts_with('"')
}

fn path(key: &str) -> Result<Path, Failure> {
    spelled(key).ok_or_else(|| Failure::new(FailureKind::NotFound, ODD))
}
