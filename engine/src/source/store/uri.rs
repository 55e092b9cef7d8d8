//! A URL in; out come the store it names and the key in that store.
//!
//! Keys are taken literally, as the stores' own tools take them: `%20`, `?` and `#` are parts of a
//! key. Only `https` addresses, as browsers and portals show them, are percent-decoded
//! ([`browser`]). Secrets in a URL (passwords, signatures, tokens) are kept apart and never shown
//! ([`crate::error::redact`]).
//!
//! | input | store |
//! |---|---|
//! | `s3://B/K`, `s3a://B/K`, `https://B.s3.REGION.amazonaws.com/K`, `https://s3.REGION.amazonaws.com/B/K` | S3 |
//! | `gs://B/K`, `gcs://B/K`, `https://storage.googleapis.com/B/K`, `https://storage.cloud.google.com/B/K` | Cloud Storage |
//! | `az://C/K`, `abfss://C@A.dfs.core.windows.net/K`, `az://C@A/K`, `https://A.blob.core.windows.net/C/K[?SAS]` | Azure |
//! | any other `http(s)://…`, presigned URLs of S3 and Cloud Storage included | a file, or a WebDAV folder if it ends in `/` |
//!
//! Not responsible for: credentials, and whether anything exists at the URL.

mod browser;
#[cfg(test)]
mod tests;

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::redact::is_sas;
pub(super) use crate::error::redact::redacted;
use crate::error::{Error, Result};

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UriTarget {
    /// The input without its secrets.
    pub(super) shown: String,
    /// What precedes a key where it is shown, without the `/` between them.
    pub(super) base: String,
    /// Identifies the store together with the credentials in the URL.
    pub(super) root: String,
    pub(super) place: StorePlace,
    /// The key as it is stored. On a web server, the path as it is in the URL, still encoded.
    pub(super) key: String,
}

/// A store.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum StorePlace {
    S3 {
        bucket: String,
        region: Option<String>,
        /// Given as a browser address: read anonymously unless credentials are configured.
        public: bool,
    },
    Gcs {
        bucket: String,
        public: bool,
    },
    Azure {
        container: String,
        account: Option<String>,
        /// The suffix of the endpoint: `core.windows.net`, or that of another Azure cloud.
        suffix: Option<String>,
        /// A shared access signature.
        sas: Option<String>,
        public: bool,
    },
    Web {
        /// Scheme, host and port.
        origin: String,
        query: Option<String>,
        /// `user:password`.
        user: Option<String>,
    },
}

impl fmt::Debug for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (store, name) = match self {
            Self::S3 { bucket, .. } => ("S3", bucket),
            Self::Gcs { bucket, .. } => ("Gcs", bucket),
            Self::Azure { container, .. } => ("Azure", container),
            Self::Web { origin, .. } => ("Web", origin),
        };
        f.debug_tuple(store).field(name).finish()
    }
}

/// The schemes of stores.
const SCHEMES: [&str; 11] = [
    "s3", "s3a", "gs", "gcs", "az", "azure", "adl", "abfs", "abfss", "http", "https",
];

/// Is this input the URL of a store?
pub(super) fn is_url(input: &str) -> bool {
    input
        .split_once("://")
        .is_some_and(|(scheme, _)| SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()))
}

impl UriTarget {
    /// Takes a URL apart.
    ///
    /// # Errors
    ///
    /// If it names no bucket, container or host.
    pub(super) fn parse(input: &str) -> Result<Self> {
        let fail = |message: String| Error::input(redacted(input), message);
        let Some((scheme, rest)) = input.split_once("://") else {
            return Err(fail("not a URL".to_owned()));
        };
        let scheme = scheme.to_ascii_lowercase();
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        let base = format!("{scheme}://{authority}");
        let target = match scheme.as_str() {
            "http" | "https" => browser::parse(input),
            "s3" | "s3a" => bucket_name(&scheme, authority).map(|bucket| {
                let place = StorePlace::S3 {
                    bucket,
                    region: None,
                    public: false,
                };
                Self::new(base, None, place, key)
            }),
            "gs" | "gcs" => bucket_name(&scheme, authority).map(|bucket| {
                let place = StorePlace::Gcs {
                    bucket,
                    public: false,
                };
                Self::new(base, None, place, key)
            }),
            "az" | "azure" | "adl" | "abfs" | "abfss" => Self::azure(base, authority, key),
            _ => Err(format!("unknown scheme `{scheme}`")),
        };
        target.map_err(fail)
    }

    fn azure(base: String, authority: &str, key: &str) -> Result<Self, String> {
        let (container, account, suffix) = azure_names(authority)?;
        // A key may contain a question mark, but not a signature.
        let (key, sas) = match key.split_once('?') {
            Some((key, query)) if is_sas(query) => (key, Some(query)),
            _ => (key, None),
        };
        let place = StorePlace::Azure {
            container,
            account,
            suffix,
            sas: sas.map(str::to_owned),
            public: false,
        };
        Ok(Self::new(base, sas, place, key))
    }

    fn new(base: String, secret: Option<&str>, place: StorePlace, key: &str) -> Self {
        // The hash distinguishes stores that differ in a secret only, without revealing it.
        let root = match secret {
            Some(secret) => format!("{base}?{:016x}", xxh3_64(secret.as_bytes())),
            None => base.clone(),
        };
        Self {
            shown: format!("{base}/{key}"),
            base,
            root,
            place,
            key: key.to_owned(),
        }
    }

    /// What is shown for a key; the content of `source_file`.
    pub(super) fn uri(&self, key: &str) -> String {
        format!("{}/{key}", self.base)
    }
}

fn bucket_name(scheme: &str, authority: &str) -> Result<String, String> {
    if authority.is_empty() || authority.contains([':', '@']) {
        Err(format!(
            "the URL names no bucket; write {scheme}://BUCKET/PREFIX/"
        ))
    } else {
        Ok(authority.to_owned())
    }
}

/// Container, account and endpoint suffix.
type AzureNames = (String, Option<String>, Option<String>);

/// Takes `C`, `C@A` or `C@A.dfs.SUFFIX` apart.
fn azure_names(authority: &str) -> Result<AzureNames, String> {
    let malformed = || {
        "the URL names no container; write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX/ or az://CONTAINER/PREFIX/"
            .to_owned()
    };
    let (container, host) = match authority.split_once('@') {
        Some((container, host)) => (container, Some(host)),
        None => (authority, None),
    };
    if container.is_empty() || container.contains(['.', ':']) {
        return Err(malformed());
    }
    let Some(host) = host else {
        return Ok((container.to_owned(), None, None));
    };
    let (account, suffix) = match host.split_once('.') {
        None => (host, None),
        Some((account, service)) => {
            let suffix = service
                .strip_prefix("dfs.")
                .or_else(|| service.strip_prefix("blob."))
                .ok_or_else(malformed)?;
            (account, Some(suffix.to_owned()))
        }
    };
    if account.is_empty() || account.contains([':', '@']) {
        return Err(malformed());
    }
    Ok((container.to_owned(), Some(account.to_owned()), suffix))
}
