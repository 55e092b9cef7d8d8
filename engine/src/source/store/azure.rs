//! A container of Azure Blob Storage, opened as the user's environment, connection string and
//! command line say.
//!
//! Credentials, in this order: the signature in the URL; `AZURE_SKIP_SIGNATURE`; key, signature,
//! token or principal of the environment, under `object_store`'s names, under those of the `az`
//! command line, or in a connection string; the identity that AKS and App Service hand to
//! containers; the metadata service of a machine at Azure, if one answers; the person who is logged
//! in with `az login`.

use std::{collections::HashMap, sync::Arc};

use object_store::azure::{AzureConfigKey as Key, AzureCredentialProvider, MicrosoftAzureBuilder};

use super::{
    cloud::{Cloud, Tags},
    connector::{Network, client_options, retry, short_retry},
    credentials,
    failure::{Failure, Kind},
    metadata,
    settings::{StoreSettings, is_true},
};

const NO_CREDENTIALS: &str = "there are no Azure credentials; run `az login`, or set AZURE_STORAGE_ACCOUNT_KEY, \
     AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, or AZURE_SKIP_SIGNATURE=true for a public container";

const NO_ACCOUNT: &str = "no storage account is named; set AZURE_STORAGE_ACCOUNT_NAME, or write the input as \
     abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX/";

/// What every emulator has.
const EMULATOR_ACCOUNT: &str = "devstoreaccount1";
const EMULATOR_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const EMULATOR_URL: &str = "http://127.0.0.1:10000";

/// The suffix of the public cloud, which the builder knows by itself.
const PUBLIC_CLOUD: &str = "core.windows.net";
const FABRIC: &str = "fabric.microsoft.com";

/// What a URL says about a container.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container<'t> {
    pub(super) name: &'t str,
    pub(super) account: Option<&'t str>,
    pub(super) suffix: Option<&'t str>,
    pub(super) sas: Option<&'t str>,
    pub(super) public: bool,
}

/// Opens a container.
///
/// # Errors
///
/// When there is no account or there are no credentials, or a setting makes no sense.
pub(super) async fn open(
    container: Container<'_>,
    settings: &StoreSettings,
    network: &Network,
) -> Result<Cloud, Failure> {
    let keys = configuration(container, settings)?;
    let has = |key: Key| keys.contains_key(&key);
    let says_yes = |key: Key| keys.get(&key).is_some_and(|value| is_true(value));
    let principal = has(Key::ClientId)
        && has(Key::AuthorityId)
        && (has(Key::ClientSecret) || has(Key::FederatedTokenFile));
    let given = [
        Key::AccessKey,
        Key::SasKey,
        Key::Token,
        Key::FabricSessionToken,
        Key::MsiEndpoint,
    ]
    .into_iter()
    .any(has);
    let anonymous = says_yes(Key::SkipSignature);
    let explicit = given || principal || says_yes(Key::UseAzureCli);

    let mut builder = MicrosoftAzureBuilder::new().with_client_options(client_options());
    for (key, value) in &keys {
        builder = builder.with_config(*key, value);
    }
    if keys
        .get(&Key::Endpoint)
        .is_some_and(|endpoint| endpoint.starts_with("http://"))
    {
        builder = builder.with_allow_http(true);
    }
    builder = builder
        .with_container_name(container.name)
        .with_http_connector(network.connector());
    if anonymous || (!explicit && container.public) {
        builder = builder.with_skip_signature(true);
    } else {
        let provider = if explicit {
            own(builder.clone()).await?
        } else {
            surrounding(&builder).await?
        };
        builder = builder.with_credentials(provider);
    }
    let store = builder
        .with_retry(retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    // The blobs of AKS grow for an hour: their tags change while they are read, what was listed of
    // them does not.
    let cloud = Cloud::new(store, Tags::Unused);
    // Azure itself has no endpoint in the settings.
    Ok(if has(Key::Endpoint) {
        cloud.listing_all()
    } else {
        cloud
    })
}

/// Credentials without any setting: of the machine, or of the person who is logged in.
async fn surrounding(builder: &MicrosoftAzureBuilder) -> Result<AzureCredentialProvider, Failure> {
    if metadata::answers(metadata::ADDRESS).await
        && let Ok(provider) = own(builder.clone()).await
    {
        return Ok(provider);
    }
    own(builder.clone().with_use_azure_cli(true))
        .await
        .map_err(|_| Failure::refused(NO_CREDENTIALS))
}

/// The credentials that the builder finds by itself.
async fn own(builder: MicrosoftAzureBuilder) -> Result<AzureCredentialProvider, Failure> {
    let told = |failure: Failure| {
        Failure::new(
            Kind::Refused,
            format!("Azure gives no credentials: {}", failure.message),
        )
    };
    let store = builder
        .with_retry(short_retry())
        .build()
        .map_err(|error| told(Failure::of(&error)))?;
    let provider = Arc::clone(store.credentials());
    credentials::ready(&*provider).await.map_err(told)?;
    Ok(provider)
}

/// All settings of a container, the URL's first.
fn configuration(
    container: Container<'_>,
    settings: &StoreSettings,
) -> Result<HashMap<Key, String>, Failure> {
    let mut keys = HashMap::new();
    for (name, value) in settings
        .beginning_with("AZURE_")
        .chain(settings.beginning_with("IDENTITY_ENDPOINT"))
    {
        if let Ok(key) = name.to_ascii_lowercase().parse::<Key>() {
            keys.insert(key, value.to_owned());
        }
    }
    keys.remove(&Key::ContainerName);
    for (name, key) in [
        ("AZURE_STORAGE_ACCOUNT", Key::AccountName),
        ("AZURE_STORAGE_KEY", Key::AccessKey),
    ] {
        if let Some(value) = settings.get(name) {
            keys.entry(key).or_insert_with(|| value.to_owned());
        }
    }
    if let Some(connection) = settings.get("AZURE_STORAGE_CONNECTION_STRING") {
        for (key, value) in connected(connection) {
            keys.entry(key).or_insert(value);
        }
    }
    if keys
        .remove(&Key::UseEmulator)
        .is_some_and(|value| is_true(&value))
    {
        // Spelt out, because the builder would read the emulator's address from the environment of
        // the process.
        let account = keys
            .entry(Key::AccountName)
            .or_insert_with(|| EMULATOR_ACCOUNT.to_owned())
            .clone();
        if !keys.contains_key(&Key::SasKey) && !keys.contains_key(&Key::Token) {
            keys.entry(Key::AccessKey)
                .or_insert_with(|| EMULATOR_KEY.to_owned());
        }
        let url = settings
            .get("AZURITE_BLOB_STORAGE_URL")
            .unwrap_or(EMULATOR_URL)
            .trim_end_matches('/');
        keys.entry(Key::Endpoint)
            .or_insert_with(|| format!("{url}/{account}"));
    }
    if let Some(account) = container.account {
        // Keys, signatures and addresses of another account are of no use here.
        if keys
            .get(&Key::AccountName)
            .is_some_and(|other| other != account)
        {
            for key in [Key::AccessKey, Key::SasKey, Key::Endpoint] {
                keys.remove(&key);
            }
        }
        keys.insert(Key::AccountName, account.to_owned());
    }
    let Some(account) = keys.get(&Key::AccountName).cloned() else {
        return Err(Failure::refused(NO_ACCOUNT));
    };
    match container.suffix {
        None | Some(PUBLIC_CLOUD) => {}
        Some(FABRIC) => {
            keys.insert(Key::UseFabricEndpoint, "true".to_owned());
        }
        Some(suffix) => {
            keys.entry(Key::Endpoint)
                .or_insert_with(|| format!("https://{account}.blob.{suffix}"));
        }
    }
    if let Some(endpoint) = keys.get_mut(&Key::Endpoint) {
        endpoint.truncate(endpoint.trim_end_matches('/').len());
    }
    if let Some(sas) = container.sas {
        // The user says how this one is read.
        keys.retain(|key, _| {
            matches!(
                key,
                Key::AccountName | Key::Endpoint | Key::UseFabricEndpoint | Key::Client(_)
            )
        });
        // What a portal adds to list a container is no part of the signature.
        let pairs = sas.split('&').filter(|pair| {
            !["restype=", "comp="]
                .iter()
                .any(|name| pair.starts_with(name))
        });
        keys.insert(Key::SasKey, pairs.collect::<Vec<_>>().join("&"));
    }
    Ok(keys)
}

/// What a connection string says.
fn connected(text: &str) -> HashMap<Key, String> {
    let parts: HashMap<String, &str> = text
        .split(';')
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let get = |name: &str| parts.get(name).copied().filter(|value| !value.is_empty());
    let mut keys = HashMap::new();
    if get("usedevelopmentstorage").is_some_and(is_true) {
        keys.insert(Key::UseEmulator, "true".to_owned());
    }
    for (name, key) in [
        ("accountname", Key::AccountName),
        ("accountkey", Key::AccessKey),
        ("sharedaccesssignature", Key::SasKey),
        ("blobendpoint", Key::Endpoint),
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
        keys.entry(Key::Endpoint)
            .or_insert_with(|| format!("{scheme}://{account}.blob.{suffix}"));
    }
    // A connection string with a signature need not name the account: the host does.
    if !keys.contains_key(&Key::AccountName)
        && let Some((account, _)) = get("blobendpoint")
            .and_then(|url| url.split_once("://"))
            .and_then(|(_, host)| host.split_once('.'))
    {
        keys.insert(Key::AccountName, account.to_owned());
    }
    keys
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PLAIN: Container<'static> = Container {
        name: "logs",
        account: None,
        suffix: None,
        sas: None,
        public: false,
    };

    fn keys(
        container: Container<'_>,
        variables: &[(&str, &str)],
    ) -> Result<HashMap<Key, String>, Failure> {
        let variables: BTreeMap<_, _> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        configuration(
            container,
            &StoreSettings {
                variables,
                home: None,
            },
        )
    }

    fn get(keys: &HashMap<Key, String>, key: Key) -> &str {
        keys.get(&key).map_or("", String::as_str)
    }

    #[test]
    fn names_of_the_command_line_and_of_connection_strings() {
        assert!(
            keys(PLAIN, &[])
                .is_err_and(|failure| failure.message.contains("AZURE_STORAGE_ACCOUNT_NAME"))
        );
        let az = keys(
            PLAIN,
            &[
                ("AZURE_STORAGE_ACCOUNT", "acc"),
                ("AZURE_STORAGE_KEY", "a2V5"),
            ],
        )
        .unwrap();
        assert_eq!(
            (get(&az, Key::AccountName), get(&az, Key::AccessKey)),
            ("acc", "a2V5")
        );
        let text = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5==;EndpointSuffix=core.usgovcloudapi.net";
        let government = keys(PLAIN, &[("AZURE_STORAGE_CONNECTION_STRING", text)]).unwrap();
        assert_eq!(get(&government, Key::AccessKey), "a2V5==");
        assert_eq!(
            get(&government, Key::Endpoint),
            "https://acc.blob.core.usgovcloudapi.net"
        );
        let text =
            "BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=s%3D";
        let signed = keys(PLAIN, &[("AZURE_STORAGE_CONNECTION_STRING", text)]).unwrap();
        assert_eq!(
            (get(&signed, Key::AccountName), get(&signed, Key::SasKey)),
            ("acc", "sv=1&sig=s%3D")
        );
        assert_eq!(
            get(&signed, Key::Endpoint),
            "https://acc.blob.core.windows.net"
        );
    }

    #[test]
    fn emulators() {
        let development = keys(
            PLAIN,
            &[(
                "AZURE_STORAGE_CONNECTION_STRING",
                "UseDevelopmentStorage=true",
            )],
        )
        .unwrap();
        assert_eq!(
            get(&development, Key::Endpoint),
            "http://127.0.0.1:10000/devstoreaccount1"
        );
        assert_eq!(get(&development, Key::AccessKey), EMULATOR_KEY);
        let variables = [
            ("AZURE_STORAGE_USE_EMULATOR", "true"),
            ("AZURITE_BLOB_STORAGE_URL", "http://127.0.0.1:7/"),
        ];
        let azurite = keys(PLAIN, &variables).unwrap();
        assert_eq!(
            get(&azurite, Key::Endpoint),
            "http://127.0.0.1:7/devstoreaccount1"
        );
        assert!(!azurite.contains_key(&Key::UseEmulator));
    }

    #[test]
    fn what_the_url_says_comes_first() {
        let container = Container {
            account: Some("other"),
            suffix: Some("core.chinacloudapi.cn"),
            ..PLAIN
        };
        let variables = [
            ("AZURE_STORAGE_ACCOUNT_NAME", "acc"),
            ("AZURE_STORAGE_ACCOUNT_KEY", "a2V5"),
            ("AZURE_CLIENT_ID", "id"),
        ];
        let keys_of_other = keys(container, &variables).unwrap();
        assert_eq!(get(&keys_of_other, Key::AccountName), "other");
        assert_eq!(
            (
                get(&keys_of_other, Key::AccessKey),
                get(&keys_of_other, Key::ClientId)
            ),
            ("", "id")
        );
        assert_eq!(
            get(&keys_of_other, Key::Endpoint),
            "https://other.blob.core.chinacloudapi.cn"
        );
        let sas = Container {
            account: Some("acc"),
            sas: Some("restype=container&comp=list&sv=1&sig=s"),
            ..PLAIN
        };
        let signed = keys(sas, &variables).unwrap();
        assert_eq!(
            (
                get(&signed, Key::SasKey),
                get(&signed, Key::AccessKey),
                get(&signed, Key::ClientId)
            ),
            ("sv=1&sig=s", "", "")
        );
    }
}
