//! A bucket of S3, or of another store with its protocol, in; out comes an open store, set up as
//! the user's environment and profiles say.
//!
//! The region is the first of: the one in the URL, `AWS_REGION`, `AWS_DEFAULT_REGION`, the one of
//! the profile, the one S3 reports for the bucket. [`credentials`] finds the credentials.

mod credentials;

use std::time::Duration;

use object_store::{
    Certificate, ClientOptions,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, resolve_bucket_region},
};

use super::{
    cloud::{CloudStore, TagUse},
    connector::{StoreNetwork, StoreQuirk, client_options, retry},
    failure::Failure,
    profile::AwsProfile,
    settings::StoreSettings,
};

/// Opens a bucket.
///
/// # Errors
///
/// If there are no credentials, or a setting is invalid.
pub(super) async fn open(
    bucket: &str,
    region: Option<&str>,
    public: bool,
    settings: &StoreSettings,
    network: &StoreNetwork,
) -> Result<CloudStore, Failure> {
    let mut builder = AmazonS3Builder::new().with_client_options(options(settings)?);
    for (name, value) in settings.beginning_with("AWS_") {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(bucket)
        .with_http_connector(network.connector(StoreQuirk::None));
    let profile = AwsProfile::load(settings)?;
    let configured = |key: AmazonS3ConfigKey| builder.get_config_value(&key);
    let endpoint = configured(AmazonS3ConfigKey::S3Endpoint)
        .or_else(|| configured(AmazonS3ConfigKey::Endpoint))
        .or_else(|| {
            let ignored = settings.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
            let endpoint = profile.as_ref().and_then(AwsProfile::endpoint);
            endpoint.filter(|_| !ignored).map(str::to_owned)
        });
    let mut region = region
        .map(str::to_owned)
        .or_else(|| configured(AmazonS3ConfigKey::Region))
        .or_else(|| {
            let region = profile.as_ref().and_then(AwsProfile::region);
            region.map(str::to_owned)
        });
    if region.is_none() && endpoint.is_none() {
        region = region_of(bucket, settings).await;
    }
    builder = located(builder, bucket, region.as_deref(), endpoint.as_deref());
    let store = credentials::added(builder, public, profile.as_ref(), settings)
        .await?
        .with_retry(retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    Ok(CloudStore::new(store, TagUse::Listed))
}

/// The builder with the address of the bucket.
fn located(
    mut builder: AmazonS3Builder,
    bucket: &str,
    region: Option<&str>,
    endpoint: Option<&str>,
) -> AmazonS3Builder {
    if let Some(region) = region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = endpoint {
        // HTTP is allowed if the user wrote it: the tools of AWS do not ask for more either.
        if endpoint.starts_with("http://") {
            builder = builder.with_allow_http(true);
        }
        return builder.with_endpoint(endpoint);
    }
    if let Some(region) = region.filter(|region| region.starts_with("cn-")) {
        builder = builder.with_endpoint(format!("https://s3.{region}.amazonaws.com.cn"));
    }
    if bucket.ends_with("--x-s3") {
        builder = builder.with_s3_express(true);
    }
    builder
}

/// The region of a bucket of AWS. S3 reports it without credentials.
pub(super) async fn region_of(bucket: &str, settings: &StoreSettings) -> Option<String> {
    // The certificate of S3 is not valid for names with a dot.
    if bucket.contains('.') {
        return None;
    }
    let options = options(settings)
        .ok()?
        .with_timeout(Duration::from_secs(5))
        .with_connect_timeout(Duration::from_secs(3));
    resolve_bucket_region(bucket, &options).await.ok()
}

/// Is the store that of AWS itself, where regions have a meaning?
pub(super) fn has_regions(settings: &StoreSettings) -> bool {
    ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .all(|name| settings.get(name).is_none())
}

fn options(settings: &StoreSettings) -> Result<ClientOptions, Failure> {
    let mut options = client_options();
    if let Some(path) = settings.get("AWS_CA_BUNDLE") {
        let unusable = |why: String| Failure::refused(format!("AWS_CA_BUNDLE: {path}: {why}"));
        let bundle =
            std::fs::read(settings.path(path)).map_err(|error| unusable(error.to_string()))?;
        for certificate in Certificate::from_pem_bundle(&bundle)
            .map_err(|error| unusable(Failure::of(&error).message))?
        {
            options = options.with_root_certificate(certificate);
        }
    }
    Ok(options)
}
