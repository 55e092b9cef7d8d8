//! Objects in stores: a URL in, objects and their bytes out. Covers S3, Cloud Storage, Azure Blob
//! Storage and web servers.
//!
//! - [`uri`]: a URL → a store and a key;
//! - [`aws`] with [`profile`], [`gcs`], [`azure`]: settings → an open bucket, with [`credentials`]
//!   that were tried ([`metadata`] and [`command`] are where they may come from);
//! - [`listing`]: a key, folder or glob → the objects in a [`cloud`] store; [`dates`] skips folders
//!   of other days, [`odd_keys`] sets aside what `object_store` cannot list;
//! - [`web`]: files and WebDAV folders of web servers;
//! - [`read`]: a range of an object → a blocking stream; [`copy`] puts a whole one into a file.
//!
//! [`connector`] lies below all of them: it counts requests and gives up on dead servers.
//! [`failure`] puts errors into words, without secrets.
//!
//! Not responsible for: what the bytes are, and who reads which range when (`scan/`). The engine
//! reads neither the environment nor the home folder: both come in as [`StoreSettings`].

mod aws;
mod azure;
mod cloud;
mod command;
mod connector;
mod copy;
mod credentials;
mod dates;
mod failure;
mod gcs;
mod listing;
mod metadata;
mod object;
mod odd_keys;
mod prefix_listing;
mod profile;
mod read;
#[cfg(test)]
mod recording;
mod settings;
#[cfg(test)]
mod tests;
mod uri;
mod web;
mod xml;

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read},
    sync::Arc,
};

use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::runtime::Handle;

pub(crate) use self::connector::Traffic;
pub(crate) use self::failure::CHANGED;
pub(crate) use self::object::{StoreListing, StoreObject};
pub use self::settings::StoreSettings;
use self::{
    azure::AzureContainer,
    cloud::CloudStore,
    connector::StoreNetwork,
    dates::DayRange,
    failure::{Failure, FailureKind},
    object::ObjectState,
    odd_keys::{has_gaps, is_odd},
    uri::{StorePlace, UriTarget},
    web::WebServer,
};
use crate::error::{Error, Result};

/// What a Delta Lake of events has below its own prefix.
const LAKE_LOG: &str = "events/_delta_log/";

/// The stores of a run, each opened once. Reading from them blocks: read on threads that may block
/// (`spawn_blocking`, or threads of your own), never in async context.
pub(crate) struct Stores {
    settings: StoreSettings,
    network: StoreNetwork,
    /// By [`StoreObject::root`].
    opened: Mutex<HashMap<String, Arc<OpenedStore>>>,
}

/// A store that is ready for requests.
enum OpenedStore {
    Cloud(CloudStore),
    Web(WebServer),
}

/// A bucket or container to write to.
pub(crate) struct Bucket {
    /// The URL without its secrets.
    pub(crate) shown: String,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) key: String,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Stores {
    /// Opens nothing yet. Requests run on `runtime`.
    pub(crate) fn new(settings: StoreSettings, runtime: Handle) -> Self {
        let network = StoreNetwork {
            runtime,
            traffic: Arc::default(),
        };
        Self {
            settings,
            network,
            opened: Mutex::default(),
        }
    }

    /// Is this input the URL of a store?
    pub(crate) fn is_url(input: &str) -> bool {
        uri::is_url(input)
    }

    /// A URL of any scheme without its secrets, for messages.
    pub(crate) fn redacted(input: &str) -> String {
        uri::redacted(input)
    }

    /// What has gone over the network so far.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.network.traffic
    }

    /// The objects behind a URL, sorted. The URL is that of an object, a folder (everything with
    /// that prefix) or a glob. Folders of days outside the window `[since, until)`, in microseconds
    /// since the epoch, are skipped, except for one day on either side of it.
    ///
    /// # Errors
    ///
    /// If there is nothing at the URL, or the store cannot be reached or denies access.
    pub(crate) async fn list(
        &self,
        input: &str,
        since: Option<i64>,
        until: Option<i64>,
    ) -> Result<StoreListing> {
        let target = UriTarget::parse(input)?;
        let days = DayRange::of(since, until);
        let mut outcome = self.list_in(&target, None, days).await;
        if let Err(failure) = &outcome
            && let Some(region) = self.other_region(&target, failure).await
        {
            outcome = self.list_in(&target, Some(&region), days).await;
        }
        outcome.map_err(|failure| Error::store(&target.shown, failure.message))
    }

    async fn list_in(
        &self,
        target: &UriTarget,
        region: Option<&str>,
        days: Option<DayRange>,
    ) -> Result<StoreListing, Failure> {
        match &*self.open(target, region).await? {
            OpenedStore::Cloud(cloud) => listing::list(cloud, target, days).await,
            OpenedStore::Web(web) => web.list(target, days).await,
        }
    }

    /// The bucket or container of a URL, to write to, and the key in it.
    ///
    /// # Errors
    ///
    /// If the URL names no bucket or container, or the store denies access.
    pub(crate) async fn bucket(&self, input: &str) -> Result<Bucket> {
        let target = UriTarget::parse(input)?;
        let fail = |failure: Failure| Error::store(&target.shown, failure.message);
        let mut opened = self.open(&target, None).await.map_err(fail)?;
        // Only a request shows that a bucket is in another region.
        if let (OpenedStore::Cloud(cloud), StorePlace::S3 { .. }) = (&*opened, &target.place)
            && aws::has_regions(&self.settings)
            && let Err(failure) = cloud.has_any(&target.key).await
            && let Some(region) = self.other_region(&target, &failure).await
        {
            opened = self.open(&target, Some(&region)).await.map_err(fail)?;
        }
        match &*opened {
            OpenedStore::Cloud(cloud) => Ok(Bucket {
                store: cloud.objects(),
                shown: target.shown,
                key: target.key,
            }),
            OpenedStore::Web(_) => Err(Error::input(
                &target.shown,
                "a web server cannot hold a lake; use s3://, gs:// or az://",
            )),
        }
    }

    /// Is there a lake at this URL? `false` as well if the store refuses to list it: an object that
    /// may be read but not listed is none.
    ///
    /// # Errors
    ///
    /// If the store fails. A lake must not be taken for loose files because it could not be asked.
    pub(crate) async fn holds_lake(&self, input: &str) -> Result<bool> {
        // Asking costs a request. Globs and web pages are not lakes, nor are names with an
        // extension unless a `/` marks them as folders.
        if input.starts_with("http") || input.contains(['*', '?', '[']) {
            return Ok(false);
        }
        let Ok(target) = UriTarget::parse(input) else {
            return Ok(false);
        };
        let name = target.key.rsplit('/').next().unwrap_or_default();
        let prefix = match target.key.trim_matches('/') {
            "" => LAKE_LOG.to_owned(),
            key if is_odd(key) || has_gaps(key) || name.contains('.') => return Ok(false),
            key => format!("{key}/{LAKE_LOG}"),
        };
        let mut outcome = self.has_any(&target, None, &prefix).await;
        if let Err(failure) = &outcome
            && let Some(region) = self.other_region(&target, failure).await
        {
            outcome = self.has_any(&target, Some(&region), &prefix).await;
        }
        match outcome {
            Ok(found) => Ok(found),
            Err(failure) if failure.kind == FailureKind::Other => {
                Err(Error::store(&target.shown, failure.message))
            }
            Err(_) => Ok(false),
        }
    }

    async fn has_any(
        &self,
        target: &UriTarget,
        region: Option<&str>,
        prefix: &str,
    ) -> Result<bool, Failure> {
        match &*self.open(target, region).await? {
            OpenedStore::Cloud(cloud) => cloud.has_any(prefix).await,
            OpenedStore::Web(_) => Ok(false),
        }
    }

    /// The region a bucket of AWS is in, if a request failed because it is in another one.
    async fn other_region(&self, target: &UriTarget, failure: &Failure) -> Option<String> {
        match &target.place {
            StorePlace::S3 { bucket, .. }
                if failure.kind == FailureKind::Region && aws::has_regions(&self.settings) =>
            {
                aws::region_of(bucket, &self.settings).await
            }
            _ => None,
        }
    }

    /// The store of a target. It is opened once, and again if it turns out to be in another region.
    async fn open(
        &self,
        target: &UriTarget,
        other_region: Option<&str>,
    ) -> Result<Arc<OpenedStore>, Failure> {
        if let Some(opened) = self.opened(&target.root).filter(|_| other_region.is_none()) {
            return Ok(opened);
        }
        let (settings, network) = (&self.settings, &self.network);
        let opened = match &target.place {
            StorePlace::S3 {
                bucket,
                region,
                public,
            } => {
                let region = other_region.or(region.as_deref());
                OpenedStore::Cloud(aws::open(bucket, region, *public, settings, network).await?)
            }
            StorePlace::Gcs { bucket, public } => {
                OpenedStore::Cloud(gcs::open(bucket, *public, settings, network).await?)
            }
            StorePlace::Azure {
                container,
                account,
                suffix,
                sas,
                public,
            } => {
                let container = AzureContainer {
                    name: container,
                    account: account.as_deref(),
                    suffix: suffix.as_deref(),
                    sas: sas.as_deref(),
                    public: *public,
                };
                OpenedStore::Cloud(azure::open(container, settings, network).await?)
            }
            StorePlace::Web {
                origin,
                query,
                user,
            } => {
                let (query, user) = (query.as_deref(), user.as_deref());
                OpenedStore::Web(WebServer::open(origin, query, user, network)?)
            }
        };
        let opened = Arc::new(opened);
        self.opened
            .lock()
            .insert(target.root.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    fn opened(&self, root: &str) -> Option<Arc<OpenedStore>> {
        self.opened.lock().get(root).cloned()
    }

    /// The object as it is now, to be read anew after it changed. It blocks.
    ///
    /// # Errors
    ///
    /// If it is gone, or nothing of this store was listed before.
    pub(crate) fn renewed(&self, object: &StoreObject) -> io::Result<StoreObject> {
        let opened = self
            .opened(&object.root)
            .ok_or_else(|| io::Error::other("the store is not open"))?;
        let looked = self.network.runtime.block_on(async {
            match &*opened {
                OpenedStore::Cloud(cloud) => {
                    let meta = cloud.head(&object.key).await?;
                    Ok::<_, Failure>((Some(meta.size), meta.e_tag))
                }
                OpenedStore::Web(web) => Ok((web.size(&object.key).await?, None)),
            }
        });
        let (size, etag) = looked.map_err(io::Error::from)?;
        Ok(StoreObject {
            root: object.root.clone(),
            key: object.key.clone(),
            size,
            etag,
            state: ObjectState::default(),
        })
    }

    /// Bytes `[from, end)` of an object, fetched in ranges of 8 MiB, the next one while this one is
    /// read. `end` may be past the end of the object. If fetching fails, the reader first yields
    /// what had arrived, then the error.
    ///
    /// # Errors
    ///
    /// If nothing of this store was listed before.
    pub(crate) fn reader(
        &self,
        object: &StoreObject,
        from: u64,
        end: u64,
    ) -> io::Result<Box<dyn Read + Send>> {
        let end = end.min(object.size.unwrap_or(u64::MAX));
        if from >= end {
            return Ok(Box::new(io::empty()));
        }
        let opened = self
            .opened(&object.root)
            .ok_or_else(|| io::Error::other("the store is not open"))?;
        Ok(Box::new(read::open(
            opened,
            object,
            from..end,
            &self.network,
        )))
    }
}
