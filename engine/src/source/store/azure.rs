//! A container of Azure Blob Storage in; out comes an open store, set up as the user's environment,
//! connection string and command line say.
//!
//! Credentials are taken from the first of these that has any:
//!
//! 1. the signature in the URL;
//! 2. none at all, with `AZURE_SKIP_SIGNATURE`;
//! 3. key, signature, token or principal in the environment: under the names of `object_store`,
//!    under those of the `az` command line, or in a connection string ([`configuration`]);
//! 4. the identity that AKS and App Service give to containers;
//! 5. the metadata service of a machine at Azure, if one answers;
//! 6. the user who is logged in with `az login`.

mod configuration;

use std::sync::Arc;

use object_store::azure::{AzureConfigKey, AzureCredentialProvider, MicrosoftAzureBuilder};

pub(super) use self::configuration::AzureContainer;
use self::configuration::configuration;
use super::{
    cloud::{CloudStore, TagUse},
    connector::{StoreNetwork, StoreQuirk, client_options, retry, short_retry},
    credentials::ready,
    failure::Failure,
    metadata,
    settings::{StoreSettings, is_true},
};

const NO_CREDENTIALS: &str = "no Azure credentials found; run `az login`, or set AZURE_STORAGE_ACCOUNT_KEY, \
     AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, or AZURE_SKIP_SIGNATURE=true for a public container";

/// Opens a container. A public one is read without credentials if none are configured.
///
/// # Errors
///
/// If there is no account, there are no credentials, or a setting is invalid.
pub(super) async fn open(
    container: AzureContainer<'_>,
    settings: &StoreSettings,
    network: &StoreNetwork,
) -> Result<CloudStore, Failure> {
    let keys = configuration(container, settings)?;
    let has = |key: AzureConfigKey| keys.contains_key(&key);
    let says_yes = |key: AzureConfigKey| keys.get(&key).is_some_and(|value| is_true(value));
    let is_principal = has(AzureConfigKey::ClientId)
        && has(AzureConfigKey::AuthorityId)
        && (has(AzureConfigKey::ClientSecret) || has(AzureConfigKey::FederatedTokenFile));
    let is_configured = is_principal
        || says_yes(AzureConfigKey::UseAzureCli)
        || [
            AzureConfigKey::AccessKey,
            AzureConfigKey::SasKey,
            AzureConfigKey::Token,
            AzureConfigKey::FabricSessionToken,
            AzureConfigKey::MsiEndpoint,
        ]
        .into_iter()
        .any(has);

    let mut builder = MicrosoftAzureBuilder::new().with_client_options(client_options());
    for (key, value) in &keys {
        builder = builder.with_config(*key, value);
    }
    if keys
        .get(&AzureConfigKey::Endpoint)
        .is_some_and(|endpoint| endpoint.starts_with("http://"))
    {
        builder = builder.with_allow_http(true);
    }
    builder = builder
        .with_container_name(container.name)
        .with_http_connector(network.connector(StoreQuirk::AppendBlobs));
    let is_anonymous = says_yes(AzureConfigKey::SkipSignature);
    if is_anonymous || (!is_configured && container.public) {
        builder = builder.with_skip_signature(true);
    } else {
        let provider = if is_configured {
            found(builder.clone()).await?
        } else {
            of_surroundings(&builder).await?
        };
        builder = builder.with_credentials(provider);
    }
    let store = builder
        .with_retry(retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    // The append blobs of AKS grow for an hour. What was listed of them does not change.
    let cloud = CloudStore::new(store, TagUse::Growing);
    // Azure itself needs no endpoint in the settings, emulators do.
    Ok(if has(AzureConfigKey::Endpoint) {
        cloud.listing_all()
    } else {
        cloud
    })
}

/// Credentials without any setting: those of the machine, or of the user who is logged in.
async fn of_surroundings(
    builder: &MicrosoftAzureBuilder,
) -> Result<AzureCredentialProvider, Failure> {
    if metadata::answers(metadata::ADDRESS).await
        && let Ok(provider) = found(builder.clone()).await
    {
        return Ok(provider);
    }
    found(builder.clone().with_use_azure_cli(true))
        .await
        .map_err(|_| Failure::refused(NO_CREDENTIALS))
}

/// The credentials that the builder finds by itself.
async fn found(builder: MicrosoftAzureBuilder) -> Result<AzureCredentialProvider, Failure> {
    let fail = |failure: Failure| {
        Failure::refused(format!("no credentials from Azure: {}", failure.message))
    };
    let store = builder
        .with_retry(short_retry())
        .build()
        .map_err(|error| fail(Failure::of(&error)))?;
    let provider = Arc::clone(store.credentials());
    ready(&*provider).await.map_err(fail)?;
    Ok(provider)
}
