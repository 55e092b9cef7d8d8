//! An `http` or `https` address in; out comes the object of a cloud it stands for, or else a file
//! or folder of a web server.
//!
//! Not responsible for: URLs with a scheme of a store (`uri.rs`).

use percent_encoding::percent_decode_str;
use url::Url;

use super::{StorePlace, UriTarget};
use crate::error::redact::is_sas;
use crate::error::redact::redacted_query;

/// Takes an address apart.
pub(super) fn parse(input: &str) -> Result<UriTarget, String> {
    let url = Url::parse(input).map_err(|error| format!("not a URL: {error}"))?;
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or("the URL names no host")?;
    let query = url.query().filter(|query| !query.is_empty());
    let path = url.path().strip_prefix('/').unwrap_or_default();
    let user = user_of(&url);
    // Servers with another scheme or port, or with a password, do not belong to a cloud.
    if url.scheme() == "https"
        && url.port().is_none()
        && user.is_none()
        && let Ok(decoded) = percent_decode_str(path).decode_utf8()
        && let Some(target) = cloud_object(host, &decoded, query)
    {
        return target;
    }
    let origin = url.origin().ascii_serialization();
    let secret = (query.is_some() || user.is_some()).then(|| {
        format!(
            "{}\n{}",
            query.unwrap_or_default(),
            user.as_deref().unwrap_or_default()
        )
    });
    let shown_query = query.map(|query| format!("?{}", redacted_query(query)));
    let place = StorePlace::Web {
        origin: origin.clone(),
        query: query.map(str::to_owned),
        user,
    };
    let mut target = UriTarget::new(origin, secret.as_deref(), place, path);
    target.shown.push_str(&shown_query.unwrap_or_default());
    Ok(target)
}

/// `user:password`, decoded.
fn user_of(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some(format!(
        "{}:{}",
        decoded(url.username()),
        decoded(url.password().unwrap_or_default())
    ))
}

/// The object that an `https` address names in the store of a cloud. `None` if it is another
/// address, or can be read only as the very URL that it is.
fn cloud_object(host: &str, path: &str, query: Option<&str>) -> Option<Result<UriTarget, String>> {
    let sas = query.filter(|query| is_sas(query));
    if query.is_some() == sas.is_some()
        && let Some((account, suffix)) = azure_host(host)
    {
        return Some(azure_object(host, account, suffix, sas, path));
    }
    // A presigned URL is valid for this very URL only.
    if query.is_some() {
        return None;
    }
    let (bucket, region, is_s3) = if let Some((bucket, region)) = s3_host(host) {
        (bucket, region, true)
    } else if matches!(host, "storage.googleapis.com" | "storage.cloud.google.com") {
        (None, None, false)
    } else {
        let bucket = host.strip_suffix(".storage.googleapis.com")?;
        (Some(bucket), None, false)
    };
    let (first, after) = path.split_once('/').unwrap_or((path, ""));
    let (base, bucket, key) = match bucket {
        Some(bucket) => (format!("https://{host}"), bucket, path),
        None if first.is_empty() => return Some(Err("the URL names no bucket".to_owned())),
        None => (format!("https://{host}/{first}"), first, after),
    };
    let bucket = bucket.to_owned();
    let place = if is_s3 {
        StorePlace::S3 {
            bucket,
            region: region.map(str::to_owned),
            public: true,
        }
    } else {
        StorePlace::Gcs {
            bucket,
            public: true,
        }
    };
    Some(Ok(UriTarget::new(base, None, place, key)))
}

fn azure_object(
    host: &str,
    account: &str,
    suffix: &str,
    sas: Option<&str>,
    path: &str,
) -> Result<UriTarget, String> {
    let (container, key) = path.split_once('/').unwrap_or((path, ""));
    if container.is_empty() {
        return Err("the URL names no container".to_owned());
    }
    let place = StorePlace::Azure {
        container: container.to_owned(),
        account: Some(account.to_owned()),
        suffix: Some(suffix.to_owned()),
        sas: sas.map(str::to_owned),
        public: true,
    };
    let base = format!("https://{host}/{container}");
    Ok(UriTarget::new(base, sas, place, key))
}

/// Account and endpoint suffix of a host of Azure Blob Storage.
fn azure_host(host: &str) -> Option<(&str, &str)> {
    let (account, service) = host.split_once('.')?;
    let suffix = service
        .strip_prefix("blob.")
        .or_else(|| service.strip_prefix("dfs."))?;
    let is_azure = suffix.starts_with("core.")
        || suffix == "storage.azure.net"
        || suffix == "fabric.microsoft.com";
    is_azure.then_some((account, suffix))
}

/// Bucket and region of a host of S3. If the host names no bucket, the path does.
fn s3_host(host: &str) -> Option<(Option<&str>, Option<&str>)> {
    let rest = host
        .strip_suffix(".amazonaws.com")
        .or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let is_service =
        |name: &str| name == "s3" || name.starts_with("s3.") || name.starts_with("s3-");
    let (bucket, service) = if is_service(rest) {
        (None, rest)
    } else {
        let at = rest.rfind(".s3")?;
        (Some(rest.get(..at)?), rest.get(at + 1..)?)
    };
    if !is_service(service) {
        return None;
    }
    let region = service.strip_prefix("s3")?.trim_start_matches(['.', '-']);
    let region = region.strip_prefix("dualstack.").unwrap_or(region);
    // Websites, access points and the like speak another protocol or need another signature.
    if region.contains('.')
        || ["website", "external", "accesspoint", "fips", "control"]
            .iter()
            .any(|other| region.starts_with(other))
    {
        return None;
    }
    Some((bucket, Some(region).filter(|region| !region.is_empty())))
}
