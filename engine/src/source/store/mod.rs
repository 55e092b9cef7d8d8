//! Objects in stores: a URL in, objects and their bytes out. S3, Cloud Storage, Azure Blob Storage
//! and web servers, through `object_store`, with what it leaves to its users.
//!
//! - [`place`]: a URL → a store and a key;
//! - [`aws`] with [`profile`], [`gcs`], [`azure`]: settings → an opened bucket, with
//!   [`credentials`] that were seen to be there ([`metadata`], [`command`]);
//! - [`listing`] of a [`cloud`]: a key, folder or glob → objects; [`dates`] leaves out folders of
//!   other days, [`page`] what `object_store` cannot hold;
//! - [`http`]: files of web servers, folders by WebDAV;
//! - [`read`]: ranges of an object → a blocking stream;
//! - [`connector`] below all of them: requests counted, dead servers given up; [`failure`]: errors
//!   in words, without secrets.
//!
//! Not responsible for: what the bytes are, when pieces are read and by whom (`scan/`). The engine
//! reads neither the environment nor the home folder: they come as [`StoreSettings`].

mod aws;
mod azure;
mod cloud;
mod command;
mod connector;
mod credentials;
mod dates;
mod failure;
mod gcs;
mod http;
mod listing;
mod metadata;
mod page;
mod place;
mod profile;
mod read;
mod settings;

use std::{
    collections::HashMap,
    fmt,
    io::{self, Read},
    sync::{Arc, Mutex, PoisonError},
};

use object_store::ObjectStore;
use tokio::runtime::Handle;

pub(crate) use self::connector::Traffic;
pub use self::settings::StoreSettings;
use self::{
    azure::Container,
    cloud::Cloud,
    connector::Network,
    dates::Days,
    failure::{Failure, Kind},
    http::Web,
    page::OddKeys,
    place::{Place, Target},
};
use crate::{Error, Result};

/// The stores of a run, opened once each; reading from them blocks (it is called on threads of its
/// own, `spawn_blocking` or std threads, never in async context).
pub(crate) struct Stores {
    settings: StoreSettings,
    network: Network,
    /// By [`StoreObject::root`].
    opened: Mutex<HashMap<String, Arc<Opened>>>,
}

/// A store that can be asked.
enum Opened {
    Cloud(Cloud),
    Web(Web),
}

/// An object in a store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct StoreObject {
    /// Which store: `s3://bucket`.
    pub(crate) root: String,
    /// As it is stored; of a web server as it is in the URL.
    pub(crate) key: String,
    /// Bytes; `None` when the server does not tell, or knows no ranges: then it is a stream.
    pub(crate) size: Option<u64>,
    /// What it had for a tag when it was listed.
    pub(crate) etag: Option<String>,
}

/// What was found behind a URL.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// What is shown of each (the content of `source_file`), the object, and whether the user named
    /// this very object.
    pub(crate) objects: Vec<(String, StoreObject, bool)>,
    /// What cannot be read: what is shown of it, and why.
    pub(crate) failures: Vec<(String, String)>,
    /// Folders or objects that were not looked at because of their date.
    pub(crate) pruned: u64,
}

/// A bucket or container that can be written to.
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
    /// No store is opened yet. `runtime` is where requests run.
    pub(crate) fn new(settings: StoreSettings, runtime: Handle) -> Self {
        let network = Network {
            runtime,
            traffic: Arc::default(),
        };
        Self {
            settings,
            network,
            opened: Mutex::default(),
        }
    }

    /// Is this input a URL of a store?
    pub(crate) fn is_url(input: &str) -> bool {
        place::is_url(input)
    }

    /// What has gone over the network so far.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.network.traffic
    }

    /// The objects behind a URL: an object, a "folder" (everything with that prefix), or a glob;
    /// sorted. Of the window `[since, until)`, in microseconds since the epoch, folders of other
    /// days are left out, and a day on both sides of it is looked at, too.
    ///
    /// # Errors
    ///
    /// When it finds nothing, the store cannot be reached, or it does not let us in.
    pub(crate) async fn list(
        &self,
        input: &str,
        since: Option<i64>,
        until: Option<i64>,
    ) -> Result<Listed> {
        let target = Target::parse(input)?;
        let days = Days::of(since, until);
        let mut outcome = self.list_in(&target, None, days).await;
        if let (Err(failure), Place::S3 { bucket, .. }) = (&outcome, &target.place)
            && failure.kind == Kind::Region
            && aws::has_regions(&self.settings)
            && let Some(region) = aws::region_of(bucket, &self.settings).await
        {
            outcome = self.list_in(&target, Some(&region), days).await;
        }
        outcome.map_err(|failure| Error::input(&target.shown, failure.message))
    }

    /// The bucket or container of a URL, to write to, and the key in it.
    ///
    /// # Errors
    ///
    /// When it is no URL of one, or it does not let us in.
    pub(crate) async fn bucket(&self, input: &str) -> Result<Bucket> {
        let target = Target::parse(input)?;
        let fail = |failure: Failure| Error::input(&target.shown, failure.message);
        let mut opened = self.open(&target, None).await.map_err(fail)?;
        // A store in another region says so when it is asked.
        if let (Opened::Cloud(cloud), Place::S3 { bucket, .. }) = (&*opened, &target.place)
            && let Err(failure) = cloud.list(&target.key, true, &OddKeys::default()).await
            && failure.kind == Kind::Region
            && aws::has_regions(&self.settings)
            && let Some(region) = aws::region_of(bucket, &self.settings).await
        {
            opened = self.open(&target, Some(&region)).await.map_err(fail)?;
        }
        match &*opened {
            Opened::Cloud(cloud) => Ok(Bucket {
                shown: target.shown.clone(),
                store: cloud.objects(),
                key: target.key.clone(),
            }),
            Opened::Web(_) => Err(Error::input(
                &target.shown,
                "a web server cannot hold a lake; there are s3, gs and az",
            )),
        }
    }

    /// Is there a lake behind this URL?
    pub(crate) async fn holds_lake(&self, input: &str) -> bool {
        let _ = input;
        false
    }

    async fn list_in(
        &self,
        target: &Target,
        region: Option<&str>,
        days: Option<Days>,
    ) -> Result<Listed, Failure> {
        match &*self.open(target, region).await? {
            Opened::Cloud(cloud) => listing::list(cloud, target, days).await,
            Opened::Web(web) => web.list(target, days).await,
        }
    }

    /// The store of a target: the one that was opened before, unless it has to be in another
    /// region.
    async fn open(&self, target: &Target, elsewhere: Option<&str>) -> Result<Arc<Opened>, Failure> {
        if let Some(opened) = self.opened(&target.root).filter(|_| elsewhere.is_none()) {
            return Ok(opened);
        }
        let (settings, network) = (&self.settings, &self.network);
        let opened = match &target.place {
            Place::S3 {
                bucket,
                region,
                public,
            } => {
                let region = elsewhere.or(region.as_deref());
                Opened::Cloud(aws::open(bucket, region, *public, settings, network).await?)
            }
            Place::Gcs { bucket, public } => {
                Opened::Cloud(gcs::open(bucket, *public, settings, network).await?)
            }
            Place::Azure {
                container,
                account,
                suffix,
                sas,
                public,
            } => {
                let container = Container {
                    name: container,
                    account: account.as_deref(),
                    suffix: suffix.as_deref(),
                    sas: sas.as_deref(),
                    public: *public,
                };
                Opened::Cloud(azure::open(container, settings, network).await?)
            }
            Place::Web {
                origin,
                query,
                user,
            } => Opened::Web(Web::open(
                origin,
                query.as_deref(),
                user.as_deref(),
                network,
            )?),
        };
        let opened = Arc::new(opened);
        let mut all = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(target.root.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    fn opened(&self, root: &str) -> Option<Arc<Opened>> {
        self.opened
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(root)
            .cloned()
    }

    /// Bytes `[from, end)` of an object, fetched in ranges of 8 MiB, the next one while this one is
    /// read. `end` may be past the end of the object. A failure on the way is an error of the
    /// reader, after what came before it.
    ///
    /// # Errors
    ///
    /// When nothing was listed of this store before.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn futures_can_move_between_threads() {
        fn check(_: impl Send) {}
        fn never(stores: &Stores) {
            check(stores.list("s3://b/", None, None));
        }
        let _ = never;
    }

    #[test]
    fn what_cannot_be_asked() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let stores = Stores::new(StoreSettings::default(), runtime.handle().clone());
        let list = |input: &str| {
            runtime
                .block_on(stores.list(input, None, None))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            list("az://logs/x"),
            format!("az://logs/x: {}", azure_message())
        );
        assert!(list("s3:///x").starts_with("s3:///x: names no bucket"));
        let object = StoreObject {
            root: "s3://b".to_owned(),
            key: "k".to_owned(),
            size: Some(3),
            etag: None,
        };
        assert_eq!(
            stores
                .reader(&object, 0, 3)
                .err()
                .map(|error| error.to_string()),
            Some("the store is not open".to_owned())
        );
        assert!(stores.reader(&object, 3, 9).is_ok(), "nothing is asked for");
        assert_eq!(stores.traffic().requests(), 0);
    }

    fn azure_message() -> String {
        "no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME, or write the input as \
         abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX/"
            .to_owned()
    }
}
