//! Settings and a profile in, a builder with AWS credentials that work out.
//!
//! Credentials are taken from the first of these that has any:
//!
//! 1. none at all, with `AWS_SKIP_SIGNATURE`;
//! 2. keys in the environment;
//! 3. the profile, if it is named or nothing else is set;
//! 4. the tokens that EKS and ECS give to containers;
//! 5. the metadata service of an EC2 instance, if one answers.

use std::sync::Arc;

use object_store::{
    StaticCredentialProvider,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, AwsCredential, AwsCredentialProvider},
};

use crate::{
    source::store::{
        connector::short_retry,
        credentials::{CredentialProgram, PrintedCredential, ready, until},
        failure::Failure,
        metadata,
        profile::{AwsProfile, CredentialSource},
        settings::StoreSettings,
    },
    time::parse_micros,
};

const NO_CREDENTIALS: &str = "no AWS credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, \
     or AWS_SKIP_SIGNATURE=true for a public bucket";

/// The builder with credentials. A `public` bucket is read without if none are configured.
pub(super) async fn added(
    builder: AmazonS3Builder,
    public: bool,
    profile: Option<&AwsProfile>,
    settings: &StoreSettings,
) -> Result<AmazonS3Builder, Failure> {
    if settings.is_true("AWS_SKIP_SIGNATURE") {
        return Ok(builder);
    }
    let has = |key: AmazonS3ConfigKey| builder.get_config_value(&key).is_some();
    let has_keys = has(AmazonS3ConfigKey::AccessKeyId) || has(AmazonS3ConfigKey::SecretAccessKey);
    let has_uri = has(AmazonS3ConfigKey::ContainerCredentialsFullUri);
    let has_tokens = (has(AmazonS3ConfigKey::WebIdentityTokenFile)
        && has(AmazonS3ConfigKey::RoleArn))
        || has(AmazonS3ConfigKey::ContainerCredentialsRelativeUri)
        || (has_uri && has(AmazonS3ConfigKey::ContainerAuthorizationTokenFile));
    let names_profile = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]
        .iter()
        .any(|name| settings.get(name).is_some());
    if let Some(profile) = profile.filter(|_| !has_keys && (names_profile || !has_tokens))
        && let Some(source) = profile.credential_source()
    {
        return of_profile(builder, source, &profile.name).await;
    }
    if has_keys || has_tokens {
        let provider = found(&builder).await?;
        return Ok(builder.with_credentials(provider));
    }
    if has_uri {
        return Err(Failure::refused(
            "AWS_CONTAINER_CREDENTIALS_FULL_URI needs AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE as well",
        ));
    }
    if public {
        return Ok(builder.with_skip_signature(true));
    }
    of_machine(builder, settings).await
}

/// The builder with the credentials of a profile.
async fn of_profile(
    builder: AmazonS3Builder,
    source: CredentialSource,
    name: &str,
) -> Result<AmazonS3Builder, Failure> {
    let provider: AwsCredentialProvider = match source {
        CredentialSource::Keys {
            key_id,
            secret_key,
            token,
        } => Arc::new(StaticCredentialProvider::new(AwsCredential {
            key_id,
            secret_key,
            token,
        })),
        CredentialSource::Program { words, by } => {
            let provider = CredentialProgram::new(words, parsed);
            ready(&provider).await.map_err(|failure| {
                Failure::refused(format!(
                    "no credentials for the AWS profile `{name}` from {by}: {}",
                    failure.message
                ))
            })?;
            Arc::new(provider)
        }
        CredentialSource::WebIdentity {
            file,
            role,
            session,
        } => {
            let mut with_role = builder
                .clone()
                .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, file)
                .with_config(AmazonS3ConfigKey::RoleArn, role);
            if let Some(session) = session {
                with_role = with_role.with_config(AmazonS3ConfigKey::RoleSessionName, session);
            }
            found(&with_role).await?
        }
    };
    Ok(builder.with_credentials(provider))
}

/// The builder with the credentials of the machine, from its metadata service.
async fn of_machine(
    mut builder: AmazonS3Builder,
    settings: &StoreSettings,
) -> Result<AmazonS3Builder, Failure> {
    let none = || Failure::refused(NO_CREDENTIALS);
    let service = settings
        .get("AWS_METADATA_ENDPOINT")
        .or_else(|| settings.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"));
    if settings.is_true("AWS_EC2_METADATA_DISABLED")
        || !metadata::answers(service.unwrap_or(metadata::ADDRESS)).await
    {
        return Err(none());
    }
    if let Some(service) = service {
        builder = builder.with_metadata_endpoint(service.trim_end_matches('/'));
    }
    let provider = found(&builder).await.map_err(|_| none())?;
    Ok(builder.with_credentials(provider))
}

/// The credentials that the builder finds by itself.
async fn found(builder: &AmazonS3Builder) -> Result<AwsCredentialProvider, Failure> {
    let store = builder
        .clone()
        .with_retry(short_retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    let provider = Arc::clone(store.credentials());
    ready(&*provider).await.map_err(|failure| {
        Failure::refused(format!("no credentials from AWS: {}", failure.message))
    })?;
    Ok(provider)
}

/// The credentials that `credential_process` and `aws configure export-credentials` print.
fn parsed(output: &[u8]) -> Result<PrintedCredential<AwsCredential>, String> {
    let json: serde_json::Value =
        serde_json::from_slice(output).map_err(|_| "its output is not JSON".to_owned())?;
    let text = |name: &str| {
        json.get(name)
            .and_then(serde_json::Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let (Some(key_id), Some(secret_key)) = (text("AccessKeyId"), text("SecretAccessKey")) else {
        return Err("its output has no AccessKeyId and SecretAccessKey".to_owned());
    };
    let lifetime = text("Expiration")
        .and_then(|time| parse_micros(&time))
        .map(until);
    let credential = AwsCredential {
        key_id,
        secret_key,
        token: text("SessionToken"),
    };
    Ok((credential, lifetime))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn output_of_programs() {
        let json = br#"{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S","SessionToken":"T","Expiration":"2099-01-01T00:00:00+00:00"}"#;
        let (credential, lifetime) = parsed(json).unwrap();
        assert!(
            credential
                == AwsCredential {
                    key_id: "A".to_owned(),
                    secret_key: "S".to_owned(),
                    token: Some("T".to_owned())
                }
        );
        assert!(lifetime.unwrap() > Duration::from_secs(86_400));
        assert!(parsed(b"{}").is_err() && parsed(b"no").is_err());
    }
}
