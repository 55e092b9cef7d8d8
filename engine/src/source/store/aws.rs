//! A bucket of S3, or of a store that speaks as S3 does, opened as the user's environment and
//! profiles say.
//!
//! Credentials, in this order: `AWS_SKIP_SIGNATURE`; keys in the environment; the profile, when it
//! is named or nothing else is there; the tokens that EKS and ECS hand to containers; the metadata
//! service of an EC2 machine, if one answers. The region, in this order: what the URL says,
//! `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile, what S3 says about the bucket.

use std::{sync::Arc, time::Duration};

use object_store::{
    Certificate, ClientOptions, StaticCredentialProvider,
    aws::{
        AmazonS3Builder, AmazonS3ConfigKey as Key, AwsCredential, AwsCredentialProvider,
        resolve_bucket_region,
    },
};

use super::{
    cloud::{Cloud, Tags},
    connector::{Network, client_options, retry, short_retry},
    credentials::{self, Printed, Program},
    failure::{Failure, Kind},
    metadata,
    profile::{Origin, Profile},
    settings::StoreSettings,
};
use crate::event::parse_micros;

const NO_CREDENTIALS: &str = "there are no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, \
     or AWS_SKIP_SIGNATURE=true for a public bucket";

/// Opens a bucket.
///
/// # Errors
///
/// When there are no credentials, or a setting makes no sense.
pub(super) async fn open(
    bucket: &str,
    region: Option<&str>,
    public: bool,
    settings: &StoreSettings,
    network: &Network,
) -> Result<Cloud, Failure> {
    let mut builder = AmazonS3Builder::new().with_client_options(options(settings)?);
    for (name, value) in settings.beginning_with("AWS_") {
        if let Ok(key) = name.to_ascii_lowercase().parse::<Key>() {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder
        .with_bucket_name(bucket)
        .with_http_connector(network.connector());
    let profile = Profile::load(settings)?;

    let configured = |key: Key| builder.get_config_value(&key);
    let ignored = settings.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    let of_profile = profile
        .as_ref()
        .and_then(Profile::endpoint)
        .filter(|_| !ignored)
        .map(str::to_owned);
    let endpoint = configured(Key::S3Endpoint)
        .or_else(|| configured(Key::Endpoint))
        .or(of_profile);
    let mut region = region
        .map(str::to_owned)
        .or_else(|| configured(Key::Region))
        .or_else(|| {
            profile
                .as_ref()
                .and_then(Profile::region)
                .map(str::to_owned)
        });
    let keys = configured(Key::AccessKeyId).is_some() || configured(Key::SecretAccessKey).is_some();
    let identity =
        configured(Key::WebIdentityTokenFile).is_some() && configured(Key::RoleArn).is_some();
    let has_uri = configured(Key::ContainerCredentialsFullUri).is_some();
    let container = configured(Key::ContainerCredentialsRelativeUri).is_some()
        || (has_uri && configured(Key::ContainerAuthorizationTokenFile).is_some());

    if region.is_none() && endpoint.is_none() {
        region = region_of(bucket, settings).await;
    }
    if let Some(region) = &region {
        builder = builder.with_region(region);
    }
    match &endpoint {
        Some(endpoint) => {
            // Written by the user himself: the tools of AWS do not ask again either.
            builder = builder.with_endpoint(endpoint);
            if endpoint.starts_with("http://") {
                builder = builder.with_allow_http(true);
            }
        }
        None => {
            if let Some(region) = region.filter(|region| region.starts_with("cn-")) {
                builder = builder.with_endpoint(format!("https://s3.{region}.amazonaws.com.cn"));
            }
            if bucket.ends_with("--x-s3") {
                builder = builder.with_s3_express(true);
            }
        }
    }

    let is_named = settings
        .get("AWS_PROFILE")
        .or_else(|| settings.get("AWS_DEFAULT_PROFILE"))
        .is_some();
    let origin = match &profile {
        Some(profile) if !keys && (is_named || !(identity || container)) => {
            profile.origin().map(|origin| (origin, &profile.name))
        }
        _ => None,
    };
    let provider: Option<AwsCredentialProvider> = if settings.is_true("AWS_SKIP_SIGNATURE") {
        None
    } else {
        match origin {
            Some((
                Origin::Keys {
                    key_id,
                    secret_key,
                    token,
                },
                _,
            )) => {
                let provider: AwsCredentialProvider =
                    Arc::new(StaticCredentialProvider::new(AwsCredential {
                        key_id,
                        secret_key,
                        token,
                    }));
                Some(provider)
            }
            Some((Origin::Program { words, by }, name)) => {
                let provider: AwsCredentialProvider = Arc::new(Program::new(words, printed));
                credentials::ready(&*provider).await.map_err(|failure| {
                    Failure::refused(format!(
                        "the AWS profile `{name}` gives no credentials through {by}: {}",
                        failure.message
                    ))
                })?;
                Some(provider)
            }
            Some((
                Origin::WebIdentity {
                    file,
                    role,
                    session,
                },
                _,
            )) => {
                builder = builder
                    .with_config(Key::WebIdentityTokenFile, file)
                    .with_config(Key::RoleArn, role);
                if let Some(session) = session {
                    builder = builder.with_config(Key::RoleSessionName, session);
                }
                Some(own(&builder).await?)
            }
            None if keys || identity || container => Some(own(&builder).await?),
            None if has_uri => {
                return Err(Failure::refused(
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI is read only together with AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                ));
            }
            None if public => {
                builder = builder.with_skip_signature(true);
                None
            }
            None => {
                let service = settings
                    .get("AWS_METADATA_ENDPOINT")
                    .or_else(|| settings.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"));
                let disabled = settings.is_true("AWS_EC2_METADATA_DISABLED");
                if disabled || !metadata::answers(service.unwrap_or(metadata::ADDRESS)).await {
                    return Err(Failure::refused(NO_CREDENTIALS));
                }
                if let Some(service) = service {
                    builder = builder.with_metadata_endpoint(service.trim_end_matches('/'));
                }
                Some(
                    own(&builder)
                        .await
                        .map_err(|_| Failure::refused(NO_CREDENTIALS))?,
                )
            }
        }
    };
    if let Some(provider) = provider {
        builder = builder.with_credentials(provider);
    }
    let store = builder
        .with_retry(retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    Ok(Cloud::new(store, Tags::Listed))
}

/// The credentials that the builder finds by itself.
async fn own(builder: &AmazonS3Builder) -> Result<AwsCredentialProvider, Failure> {
    let store = builder
        .clone()
        .with_retry(short_retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    let provider = Arc::clone(store.credentials());
    let told = |failure: Failure| {
        Failure::new(
            Kind::Refused,
            format!("AWS gives no credentials: {}", failure.message),
        )
    };
    credentials::ready(&*provider).await.map_err(told)?;
    Ok(provider)
}

/// The region of a bucket of AWS; S3 tells it to everybody.
pub(super) async fn region_of(bucket: &str, settings: &StoreSettings) -> Option<String> {
    // The certificate of S3 does not hold for names with a dot.
    if bucket.contains('.') {
        return None;
    }
    let options = options(settings)
        .ok()?
        .with_timeout(Duration::from_secs(5))
        .with_connect_timeout(Duration::from_secs(3));
    resolve_bucket_region(bucket, &options).await.ok()
}

/// Is the bucket in a store of AWS itself, where regions mean something?
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

/// What `credential_process` and `aws configure export-credentials` print.
fn printed(output: &[u8]) -> Result<Printed<AwsCredential>, String> {
    let json: serde_json::Value =
        serde_json::from_slice(output).map_err(|_| "it printed no JSON".to_owned())?;
    let text = |name: &str| {
        json.get(name)
            .and_then(serde_json::Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let (Some(key_id), Some(secret_key)) = (text("AccessKeyId"), text("SecretAccessKey")) else {
        return Err("it printed no AccessKeyId and SecretAccessKey".to_owned());
    };
    let holds = text("Expiration")
        .and_then(|time| parse_micros(&time))
        .map(credentials::until);
    Ok((
        AwsCredential {
            key_id,
            secret_key,
            token: text("SessionToken"),
        },
        holds,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_print() {
        let json = br#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2099-01-01T00:00:00+00:00"}"#;
        let (credential, holds) = printed(json).unwrap();
        assert!(
            credential
                == AwsCredential {
                    key_id: "A".to_owned(),
                    secret_key: "S".to_owned(),
                    token: Some("T".to_owned())
                }
        );
        assert!(holds.unwrap() > Duration::from_secs(86_400));
        assert!(printed(b"{}").is_err() && printed(b"no").is_err());
    }
}
