//! For tests: a store in memory that records which prefixes were listed.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures::{TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
    list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore},
    memory::InMemory,
    path::Path,
};
use parking_lot::Mutex;

/// A store in memory that records the prefixes of its listings.
#[derive(Debug, Clone, Default)]
pub(super) struct RecordingStore {
    pub(super) store: Arc<InMemory>,
    pub(super) asked: Arc<Mutex<Vec<String>>>,
}

impl fmt::Display for RecordingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordingStore")
    }
}

#[async_trait]
impl ObjectStore for RecordingStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        self.store.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.store.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.store.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}

#[async_trait]
impl PaginatedListStore for RecordingStore {
    async fn list_paginated(
        &self,
        prefix: Option<&str>,
        options: PaginatedListOptions,
    ) -> Result<PaginatedListResult> {
        let prefix = prefix.unwrap_or_default();
        self.asked.lock().push(prefix.to_owned());
        let all: Vec<ObjectMeta> = self.store.list(None).try_collect().await?;
        let mut result = ListResult {
            common_prefixes: Vec::new(),
            objects: Vec::new(),
        };
        for object in all {
            let Some(rest) = object.location.as_ref().strip_prefix(prefix) else {
                continue;
            };
            match rest.split_once('/').filter(|_| options.delimiter.is_some()) {
                Some((folder, _)) => {
                    let folder = Path::parse(format!("{prefix}{folder}")).unwrap();
                    if !result.common_prefixes.contains(&folder) {
                        result.common_prefixes.push(folder);
                    }
                }
                None => result.objects.push(object),
            }
        }
        Ok(PaginatedListResult {
            result,
            page_token: None,
        })
    }
}
