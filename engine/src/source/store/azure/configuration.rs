//! A container and the user's settings in; out comes the configuration for `object_store`, in which
//! the URL takes precedence.
//!
//! Not responsible for: whether the credentials work (`azure.rs`).

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use object_store::azure::AzureConfigKey;

use crate::source::store::{
    failure::Failure,
    settings::{StoreSettings, is_true},
};

/// What a URL says about a container.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct AzureContainer<'t> {
    pub(in super::super) name: &'t str,
    pub(in super::super) account: Option<&'t str>,
    pub(in super::super) suffix: Option<&'t str>,
    pub(in super::super) sas: Option<&'t str>,
    pub(in super::super) public: bool,
}

const NO_ACCOUNT: &str = "no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME, or write the input as \
     abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX/";

/// The account and address that all emulators share.
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_URL: &str = "http://127.0.0.1:10000";

/// The suffix of the public cloud, which `object_store` knows by itself.
const PUBLIC_CLOUD: &str = "core.windows.net";
const FABRIC: &str = "fabric.microsoft.com";

type AzureConfiguration = HashMap<AzureConfigKey, String>;

/// All settings for a container.
///
/// # Errors
///
/// If neither the URL nor the settings name an account.
pub(super) fn configuration(
    container: AzureContainer<'_>,
    settings: &StoreSettings,
) -> Result<AzureConfiguration, Failure> {
    let mut keys = of_environment(settings);
    if keys
        .remove(&AzureConfigKey::UseEmulator)
        .is_some_and(|value| is_true(&value))
    {
        use_emulator(&mut keys, settings);
    }
    if let Some(account) = container.account {
        // Keys, signatures and endpoints of another account are of no use here.
        if keys
            .get(&AzureConfigKey::AccountName)
            .is_some_and(|other| other != account)
        {
            for key in [
                AzureConfigKey::AccessKey,
                AzureConfigKey::SasKey,
                AzureConfigKey::Endpoint,
            ] {
                keys.remove(&key);
            }
        }
        keys.insert(AzureConfigKey::AccountName, account.to_owned());
    }
    let Some(account) = keys.get(&AzureConfigKey::AccountName).cloned() else {
        return Err(Failure::refused(NO_ACCOUNT));
    };
    match container.suffix {
        None | Some(PUBLIC_CLOUD) => {}
        Some(FABRIC) => {
            keys.insert(AzureConfigKey::UseFabricEndpoint, "true".to_owned());
        }
        Some(suffix) => {
            keys.entry(AzureConfigKey::Endpoint)
                .or_insert_with(|| format!("https://{account}.blob.{suffix}"));
        }
    }
    if let Some(endpoint) = keys.get_mut(&AzureConfigKey::Endpoint) {
        endpoint.truncate(endpoint.trim_end_matches('/').len());
    }
    if let Some(sas) = container.sas {
        use_signature(&mut keys, sas);
    }
    Ok(keys)
}

/// What the environment says: under the names of `object_store`, then under those of the `az`
/// command line, then in a connection string.
fn of_environment(settings: &StoreSettings) -> AzureConfiguration {
    let mut keys = HashMap::new();
    for (name, value) in settings
        .beginning_with("AZURE_")
        .chain(settings.beginning_with("IDENTITY_ENDPOINT"))
    {
        if let Ok(key) = name.to_ascii_lowercase().parse::<AzureConfigKey>() {
            keys.insert(key, value.to_owned());
        }
    }
    keys.remove(&AzureConfigKey::ContainerName);
    for (name, key) in [
        ("AZURE_STORAGE_ACCOUNT", AzureConfigKey::AccountName),
        ("AZURE_STORAGE_KEY", AzureConfigKey::AccessKey),
    ] {
        if let Some(value) = settings.get(name) {
            keys.entry(key).or_insert_with(|| value.to_owned());
        }
    }
    if let Some(text) = settings.get("AZURE_STORAGE_CONNECTION_STRING") {
        for (key, value) in of_connection_string(text) {
            keys.entry(key).or_insert(value);
        }
    }
    keys
}

/// What a connection string says.
fn of_connection_string(text: &str) -> AzureConfiguration {
    let parts: HashMap<String, &str> = text
        .split(';')
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let get = |name: &str| parts.get(name).copied().filter(|value| !value.is_empty());
    let mut keys = HashMap::new();
    if get("usedevelopmentstorage").is_some_and(is_true) {
        keys.insert(AzureConfigKey::UseEmulator, "true".to_owned());
    }
    for (name, key) in [
        ("accountname", AzureConfigKey::AccountName),
        ("accountkey", AzureConfigKey::AccessKey),
        ("sharedaccesssignature", AzureConfigKey::SasKey),
        ("blobendpoint", AzureConfigKey::Endpoint),
    ] {
        if let Some(value) = get(name) {
            keys.insert(key, value.to_owned());
        }
    }
    if let (Some(account), Some(suffix)) = (
        get("accountname"),
        get("endpointsuffix").filter(|suffix| *suffix != PUBLIC_CLOUD),
    ) {
        let scheme = get("defaultendpointsprotocol").unwrap_or("https");
        keys.entry(AzureConfigKey::Endpoint)
            .or_insert_with(|| format!("{scheme}://{account}.blob.{suffix}"));
    }
    // A connection string with a signature need not name the account: the host does.
    if !keys.contains_key(&AzureConfigKey::AccountName)
        && let Some((account, _)) = get("blobendpoint")
            .and_then(|url| url.split_once("://"))
            .and_then(|(_, host)| host.split_once('.'))
    {
        keys.insert(AzureConfigKey::AccountName, account.to_owned());
    }
    keys
}

/// Adds account and address of the emulator. `object_store` would read the address from the
/// environment of the process.
fn use_emulator(keys: &mut AzureConfiguration, settings: &StoreSettings) {
    let account = keys
        .entry(AzureConfigKey::AccountName)
        .or_insert_with(|| EMULATOR_ACCOUNT.to_owned())
        .clone();
    if !keys.contains_key(&AzureConfigKey::SasKey) && !keys.contains_key(&AzureConfigKey::Token) {
        keys.entry(AzureConfigKey::AccessKey)
            .or_insert_with(|| EMULATOR_KEY.to_owned());
    }
    let url = settings
        .get("AZURITE_BLOB_STORAGE_URL")
        .unwrap_or(EMULATOR_URL)
        .trim_end_matches('/');
    keys.entry(AzureConfigKey::Endpoint)
        .or_insert_with(|| format!("{url}/{account}"));
}

/// Replaces all credentials by the signature of the URL.
fn use_signature(keys: &mut AzureConfiguration, sas: &str) {
    keys.retain(|key, _| {
        matches!(
            key,
            AzureConfigKey::AccountName
                | AzureConfigKey::Endpoint
                | AzureConfigKey::UseFabricEndpoint
                | AzureConfigKey::Client(_)
        )
    });
    // Portals add what lists a container to the URL; it is not part of the signature.
    let pairs = sas
        .split('&')
        .filter(|pair| !pair.starts_with("restype=") && !pair.starts_with("comp="));
    keys.insert(AzureConfigKey::SasKey, pairs.collect::<Vec<_>>().join("&"));
}
