//! An object store in; out comes the same store, asked again when a response breaks off.
//!
//! `object_store` retries requests and resumes the bodies of objects, but not listings that break
//! off. For servers that ignore the key at which a listing should begin, listings are cut here.
//!
//! Not responsible for: how requests are retried before they get a response (`connector.rs`).

use std::{fmt, sync::Arc, time::Duration};

use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, path::Path,
};
use tokio::time::sleep;

/// How often a request is made, and the pause before the second time. Later pauses are longer.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

/// A store that is asked again.
#[derive(Debug, Clone)]
pub(super) struct RetryingStore {
    pub(super) store: Arc<dyn ObjectStore>,
    /// Can a listing begin at a key?
    pub(super) lists_from: bool,
}

impl fmt::Display for RetryingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

impl RetryingStore {
    /// A whole listing, without the keys up to `offset`.
    fn listing(
        &self,
        prefix: Option<Path>,
        offset: Option<Path>,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        let Self { store, lists_from } = self.clone();
        let all = async move {
            let mut tries = 0;
            loop {
                tries += 1;
                let listed = match &offset {
                    Some(offset) if lists_from => store.list_with_offset(prefix.as_ref(), offset),
                    _ => store.list(prefix.as_ref()),
                };
                match listed.try_collect::<Vec<_>>().await {
                    Ok(mut all) => {
                        all.retain(|object| {
                            offset
                                .as_ref()
                                .is_none_or(|offset| object.location > *offset)
                        });
                        return Ok::<_, Error>(stream::iter(all.into_iter().map(Ok)));
                    }
                    Err(Error::Generic { .. }) if tries < TRIES => sleep(PAUSE * tries).await,
                    Err(error) => return Err(error),
                }
            }
        };
        stream::once(all).try_flatten().boxed()
    }
}

#[async_trait::async_trait]
impl ObjectStore for RetryingStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.store.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.store.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.get_opts(location, options.clone()).await {
                Err(Error::Generic { .. }) if tries < TRIES => sleep(PAUSE * tries).await,
                outcome => return outcome,
            }
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.store.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix.cloned(), None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(prefix.cloned(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.store.list_with_delimiter(prefix).await {
                Err(Error::Generic { .. }) if tries < TRIES => sleep(PAUSE * tries).await,
                outcome => return outcome,
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.store.copy_opts(from, to, options).await
    }
}
