//! A folder as the object store of a Delta log: as `LocalFileSystem`, but listings are in order, as
//! those of stores are, and what was written is on disk before it is said to be.

use std::{fmt, fs::File, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
    local::LocalFileSystem, path::Path,
};

/// A folder.
#[derive(Debug, Clone)]
pub(super) struct DeltaFolder {
    files: Arc<LocalFileSystem>,
    path: PathBuf,
}

impl DeltaFolder {
    /// # Errors
    ///
    /// When there is no such folder.
    pub(super) fn new(path: PathBuf) -> Result<Self> {
        Ok(Self {
            files: Arc::new(LocalFileSystem::new_with_prefix(&path)?),
            path,
        })
    }
}

impl fmt::Display for DeltaFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())
    }
}

/// In the order of their paths.
fn sorted(
    listed: BoxStream<'static, Result<ObjectMeta>>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let all = async move {
        let mut all: Vec<ObjectMeta> = listed.try_collect().await?;
        all.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok::<_, object_store::Error>(futures::stream::iter(all.into_iter().map(Ok)))
    };
    futures::stream::once(all).try_flatten().boxed()
}

#[async_trait]
impl ObjectStore for DeltaFolder {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let done = self.files.put_opts(location, payload, options).await?;
        // A commit has to survive a power cut. What cannot be synced is no reason to call it
        // undone: it is there.
        if let Ok(path) = self.files.path_to_filesystem(location) {
            for path in [Some(path.as_path()), path.parent()].into_iter().flatten() {
                if let Ok(file) = File::open(path) {
                    let _ = file.sync_all();
                }
            }
        }
        Ok(done)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.files.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        sorted(self.files.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await
    }
}
