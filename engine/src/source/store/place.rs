//! A URL in, a store and a key in it out, split by hand.
//!
//! Keys are taken literally, as the tools of the stores do: `%20`, `?` and `#` are parts of a key.
//! Only the `https` addresses that browsers and portals show are decoded. What is a secret in a URL
//! (signatures, tokens, passwords) is kept apart and never shown.
//!
//! | input | is |
//! |---|---|
//! | `s3://B/K`, `s3a://B/K`, `https://B.s3.REGION.amazonaws.com/K`, `https://s3.REGION.amazonaws.com/B/K` | S3 |
//! | `gs://B/K`, `gcs://B/K`, `https://storage.googleapis.com/B/K`, `https://storage.cloud.google.com/B/K` | Cloud Storage |
//! | `az://C/K`, `abfss://C@A.dfs.core.windows.net/K`, `az://C@A/K`, `https://A.blob.core.windows.net/C/K[?SAS]` | Azure |
//! | other `http(s)://…`, presigned URLs of S3 and Cloud Storage | a file, or a WebDAV folder when it ends in `/` |
//!
//! Not responsible for: credentials, and whether anything is there.

use percent_encoding::percent_decode_str;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, Result};

/// What a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The input without its secrets.
    pub(super) shown: String,
    /// What is before a key where it is shown, without a `/` at the end.
    pub(super) base: String,
    /// The store, told apart from the same store with other credentials.
    pub(super) root: String,
    pub(super) place: Place,
    /// In Azure, S3 and Cloud Storage as it is stored; of a web server as it is in the URL, still
    /// encoded.
    pub(super) key: String,
}

/// A store.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    S3 {
        bucket: String,
        region: Option<String>,
        /// Given as a browser has it: where no credentials are configured it is read without.
        public: bool,
    },
    Gcs {
        bucket: String,
        public: bool,
    },
    Azure {
        container: String,
        account: Option<String>,
        /// Of the endpoint: `core.windows.net` and those of other clouds.
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

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
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

/// Is this input a URL of a store?
pub(super) fn is_url(input: &str) -> bool {
    input
        .split_once("://")
        .is_some_and(|(scheme, _)| SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()))
}

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    ///
    /// When it names no bucket, container or host.
    pub(super) fn parse(input: &str) -> Result<Self> {
        let fail = |message: &str| Error::input(shown(input), message);
        let Some((scheme, rest)) = input.split_once("://") else {
            return Err(fail("is no URL"));
        };
        let scheme = scheme.to_ascii_lowercase();
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        match scheme.as_str() {
            "http" | "https" => Self::web(input).map_err(|message| fail(&message)),
            "s3" | "s3a" | "gs" | "gcs" => {
                if authority.is_empty() || authority.contains([':', '@']) {
                    return Err(fail("names no bucket; write it as SCHEME://BUCKET/PREFIX/"));
                }
                let bucket = authority.to_owned();
                let place = match scheme.as_str() {
                    "s3" | "s3a" => Place::S3 {
                        bucket,
                        region: None,
                        public: false,
                    },
                    _ => Place::Gcs {
                        bucket,
                        public: false,
                    },
                };
                Ok(Self::new(
                    format!("{scheme}://{authority}"),
                    None,
                    place,
                    key,
                ))
            }
            "az" | "azure" | "adl" | "abfs" | "abfss" => {
                let (container, account, suffix) = azure_authority(authority).map_err(fail)?;
                // A question mark can be a part of a name, a signature can not.
                let (key, sas) = match key.split_once('?') {
                    Some((key, query)) if is_sas(query) => (key, Some(query.to_owned())),
                    _ => (key, None),
                };
                let place = Place::Azure {
                    container,
                    account,
                    suffix,
                    sas: sas.clone(),
                    public: false,
                };
                Ok(Self::new(
                    format!("{scheme}://{authority}"),
                    sas.as_deref(),
                    place,
                    key,
                ))
            }
            _ => Err(fail("is of a scheme that cannot be read")),
        }
    }

    fn new(base: String, secret: Option<&str>, place: Place, key: &str) -> Self {
        // The hash tells stores apart that differ in a secret only, without telling the secret.
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

    /// What is shown for a key, the content of `source_file`.
    pub(super) fn uri(&self, key: &str) -> String {
        format!("{}/{key}", self.base)
    }

    fn web(input: &str) -> Result<Self, String> {
        let url = Url::parse(input).map_err(|error| format!("is no URL: {error}"))?;
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or("names no host")?
            .to_owned();
        let query = url
            .query()
            .filter(|query| !query.is_empty())
            .map(str::to_owned);
        let path = url.path().strip_prefix('/').unwrap_or_default();
        let user = (!url.username().is_empty()).then(|| {
            let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            format!(
                "{}:{}",
                decoded(url.username()),
                decoded(url.password().unwrap_or_default())
            )
        });
        // Servers of another scheme or port, or that want a password, are no clouds.
        if url.scheme() == "https"
            && url.port().is_none()
            && user.is_none()
            && let Ok(decoded) = percent_decode_str(path).decode_utf8()
            && let Some(target) = Self::cloud(&host, &decoded, query.as_deref())
        {
            return target;
        }
        let origin = url.origin().ascii_serialization();
        let secret = (query.is_some() || user.is_some()).then(|| {
            format!(
                "{}\n{}",
                query.as_deref().unwrap_or_default(),
                user.as_deref().unwrap_or_default()
            )
        });
        let asked = query
            .as_deref()
            .map(|query| format!("?{}", shown_query(query)))
            .unwrap_or_default();
        let place = Place::Web {
            origin: origin.clone(),
            query,
            user,
        };
        let mut target = Self::new(origin, secret.as_deref(), place, path);
        target.shown.push_str(&asked);
        Ok(target)
    }

    /// The `https` address of an object in a cloud's store; `None` when it is none of these, or can
    /// only be read as a web page.
    fn cloud(host: &str, path: &str, query: Option<&str>) -> Option<Result<Self, String>> {
        let (first, after) = path.split_once('/').unwrap_or((path, ""));
        let sas = query.filter(|query| is_sas(query));
        if query.is_some() == sas.is_some()
            && let Some((account, service)) = host.split_once('.')
            && let Some(suffix) = service
                .strip_prefix("blob.")
                .or_else(|| service.strip_prefix("dfs."))
            && is_azure(suffix)
        {
            if first.is_empty() {
                return Some(Err("names no container".to_owned()));
            }
            let place = Place::Azure {
                container: first.to_owned(),
                account: Some(account.to_owned()),
                suffix: Some(suffix.to_owned()),
                sas: sas.map(str::to_owned),
                public: true,
            };
            return Some(Ok(Self::new(
                format!("https://{host}/{first}"),
                sas,
                place,
                after,
            )));
        }
        // Presigned: only this very URL may be asked for.
        if query.is_some() {
            return None;
        }
        let (bucket, region, is_s3) = if let Some((bucket, region)) = s3_host(host) {
            (bucket, region, true)
        } else if matches!(host, "storage.googleapis.com" | "storage.cloud.google.com") {
            (None, None, false)
        } else {
            (
                Some(host.strip_suffix(".storage.googleapis.com")?.to_owned()),
                None,
                false,
            )
        };
        let (base, bucket, key) = match bucket {
            Some(bucket) => (format!("https://{host}"), bucket, path),
            None if first.is_empty() => return Some(Err("names no bucket".to_owned())),
            None => (format!("https://{host}/{first}"), first.to_owned(), after),
        };
        let place = if is_s3 {
            Place::S3 {
                bucket,
                region,
                public: true,
            }
        } else {
            Place::Gcs {
                bucket,
                public: true,
            }
        };
        Some(Ok(Self::new(base, None, place, key)))
    }
}

/// Container, account and suffix.
type AzureNames = (String, Option<String>, Option<String>);

/// Takes `C`, `C@A` or `C@A.dfs.SUFFIX` apart.
fn azure_authority(authority: &str) -> Result<AzureNames, &'static str> {
    const EXAMPLE: &str = "names no container; write abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX/ or az://CONTAINER/PREFIX/";
    let (container, host) = authority
        .split_once('@')
        .map_or((authority, None), |(container, host)| {
            (container, Some(host))
        });
    if container.is_empty() || container.contains(['.', ':']) {
        return Err(EXAMPLE);
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
                .ok_or(EXAMPLE)?;
            (account, Some(suffix.to_owned()))
        }
    };
    if account.is_empty() || account.contains(':') {
        return Err(EXAMPLE);
    }
    Ok((container.to_owned(), Some(account.to_owned()), suffix))
}

fn is_azure(suffix: &str) -> bool {
    suffix.starts_with("core.") || suffix == "storage.azure.net" || suffix == "fabric.microsoft.com"
}

/// Is this query a shared access signature?
fn is_sas(query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("sig="))
}

/// Bucket and region of a host of S3; the bucket is in the path when the host names none.
fn s3_host(host: &str) -> Option<(Option<String>, Option<String>)> {
    let rest = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let is_service =
        |name: &str| name == "s3" || name.starts_with("s3.") || name.starts_with("s3-");
    let (bucket, service) = if is_service(rest) {
        (None, rest)
    } else {
        let at = rest.rfind(".s3")?;
        (Some(rest.get(..at)?.to_owned()), rest.get(at + 1..)?)
    };
    if !is_service(service) {
        return None;
    }
    let region = service.strip_prefix("s3")?.trim_start_matches(['.', '-']);
    let region = region.strip_prefix("dualstack.").unwrap_or(region);
    // Websites, access points and the like speak something else, or want something else signed.
    if region.contains('.')
        || ["website", "external", "accesspoint", "fips", "control"]
            .iter()
            .any(|other| region.starts_with(other))
    {
        return None;
    }
    Some((bucket, (!region.is_empty()).then(|| region.to_owned())))
}

/// The URL without user, password, and the values of its query that may be secrets.
fn shown(input: &str) -> String {
    let Some((scheme, rest)) = input.split_once("://") else {
        return input.to_owned();
    };
    if scheme.to_ascii_lowercase().starts_with("http") {
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        let path = path.split('#').next().unwrap_or_default();
        return match path.split_once('?') {
            Some((path, query)) => format!("{scheme}://{host}{path}?{}", shown_query(query)),
            None => format!("{scheme}://{host}{path}"),
        };
    }
    match rest.split_once('?') {
        Some((before, query)) if is_sas(query) => format!("{scheme}://{before}"),
        _ => input.to_owned(),
    }
}

/// A query with the values that name a file or a version of it, and none of the others: any of them
/// may be what lets one in.
fn shown_query(query: &str) -> String {
    const PLAIN: [&str; 8] = [
        "file",
        "filename",
        "path",
        "name",
        "version",
        "versionid",
        "generation",
        "ref",
    ];
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if !PLAIN.contains(&name.to_ascii_lowercase().as_str()) => {
            format!("{name}=…")
        }
        Some(_) => pair.to_owned(),
        None => "…".to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(input: &str) -> Target {
        Target::parse(input).unwrap()
    }

    #[test]
    fn keys_are_literal() {
        let target = parse("s3://bucket/a%20b//c?d#e");
        assert_eq!(
            (target.key.as_str(), target.root.as_str()),
            ("a%20b//c?d#e", "s3://bucket")
        );
        assert_eq!(
            target.place,
            Place::S3 {
                bucket: "bucket".to_owned(),
                region: None,
                public: false
            }
        );
        assert_eq!(target.uri("x/y"), "s3://bucket/x/y");
        assert_eq!(parse("GS://b").key, "");
        assert_eq!(
            parse("gcs://b/").place,
            Place::Gcs {
                bucket: "b".to_owned(),
                public: false
            }
        );
    }

    #[test]
    fn spellings_of_azure() {
        let azure = |input: &str| match parse(input) {
            Target {
                place:
                    Place::Azure {
                        container,
                        account,
                        suffix,
                        sas,
                        ..
                    },
                key,
                ..
            } => [
                container,
                account.unwrap_or_default(),
                suffix.unwrap_or_default(),
                sas.unwrap_or_default(),
                key,
            ]
            .join(" "),
            other => format!("{other:?}"),
        };
        assert_eq!(azure("az://logs/a/b"), "logs    a/b");
        assert_eq!(
            azure("abfss://logs@acc.dfs.core.windows.net/a/b"),
            "logs acc core.windows.net  a/b"
        );
        assert_eq!(azure("az://logs@acc/a"), "logs acc   a");
        assert_eq!(
            azure("az://logs@acc.blob.core.chinacloudapi.cn/a"),
            "logs acc core.chinacloudapi.cn  a"
        );
        assert_eq!(
            azure("https://acc.blob.core.windows.net/logs/y%3D2026/x"),
            "logs acc core.windows.net  y=2026/x"
        );
        assert_eq!(
            azure("https://acc.blob.core.windows.net/logs/x?sv=1&sig=s%2B"),
            "logs acc core.windows.net sv=1&sig=s%2B x"
        );
        assert_eq!(azure("az://logs/a?sv=1&sig=s"), "logs   sv=1&sig=s a");
        for wrong in [
            "az:///x",
            "az://acc.dfs.core.windows.net/x",
            "abfss://c@a.example.org/x",
            "https://a.blob.core.windows.net/",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_of_browsers() {
        let s3 = |bucket: &str, region: Option<&str>| Place::S3 {
            bucket: bucket.to_owned(),
            region: region.map(str::to_owned),
            public: true,
        };
        for (input, place, key) in [
            (
                "https://b.s3.eu-west-1.amazonaws.com/a%20b",
                s3("b", Some("eu-west-1")),
                "a b",
            ),
            ("https://my.b.s3.amazonaws.com/k", s3("my.b", None), "k"),
            (
                "https://s3.us-east-2.amazonaws.com/b/k/l",
                s3("b", Some("us-east-2")),
                "k/l",
            ),
            (
                "https://s3-eu-west-1.amazonaws.com/b/k",
                s3("b", Some("eu-west-1")),
                "k",
            ),
            (
                "https://b.s3.dualstack.eu-west-1.amazonaws.com/k",
                s3("b", Some("eu-west-1")),
                "k",
            ),
            (
                "https://storage.googleapis.com/b/k",
                Place::Gcs {
                    bucket: "b".to_owned(),
                    public: true,
                },
                "k",
            ),
            (
                "https://b.storage.googleapis.com/k/",
                Place::Gcs {
                    bucket: "b".to_owned(),
                    public: true,
                },
                "k/",
            ),
        ] {
            let target = parse(input);
            assert_eq!(
                (&target.place, target.key.as_str()),
                (&place, key),
                "{input}"
            );
        }
        for page in [
            "https://b.s3-website-eu-west-1.amazonaws.com/k",
            "https://b.s3.eu-west-1.amazonaws.com/k?X-Amz-Signature=s",
        ] {
            assert!(matches!(parse(page).place, Place::Web { .. }), "{page}");
        }
    }

    #[test]
    fn secrets_are_kept_apart() {
        let target = parse("https://user:p%40ss@host:8443/a%2Fb/c.gz?file=x&token=hush#f");
        assert_eq!(target.shown, "https://host:8443/a%2Fb/c.gz?file=x&token=…");
        assert_eq!(
            (target.base.as_str(), target.key.as_str()),
            ("https://host:8443", "a%2Fb/c.gz")
        );
        assert!(
            target.root.starts_with("https://host:8443?"),
            "{}",
            target.root
        );
        let Place::Web { query, user, .. } = &target.place else {
            panic!("{target:?}")
        };
        assert_eq!(
            (query.as_deref(), user.as_deref()),
            (Some("file=x&token=hush"), Some("user:p@ss"))
        );
        assert!(!format!("{target:?}").contains("hush"));
        let sas = parse("https://acc.blob.core.windows.net/logs/x?sv=1&sig=hush");
        assert!(!format!("{sas:?}").contains("hush"));
        assert_ne!(
            sas.root,
            parse("https://acc.blob.core.windows.net/logs/x?sv=1&sig=other").root
        );
        let error = Target::parse("az:///x?sig=hush").unwrap_err().to_string();
        assert!(!error.contains("hush"), "{error}");
    }

    #[test]
    fn what_is_a_url() {
        assert!(
            is_url("s3://b") && is_url("ABFSS://c@a.dfs.core.windows.net/") && is_url("http://h")
        );
        assert!(!is_url("file:///x") && !is_url("/a/b") && !is_url("C:\\x") && !is_url("-"));
    }
}
