use std::collections::BTreeMap;

use super::*;

const PLAIN: AzureContainer<'static> = AzureContainer {
    name: "logs",
    account: None,
    suffix: None,
    sas: None,
    public: false,
};

fn keys(
    container: AzureContainer<'_>,
    variables: &[(&str, &str)],
) -> Result<AzureConfiguration, Failure> {
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

fn get(keys: &AzureConfiguration, key: AzureConfigKey) -> &str {
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
        (
            get(&az, AzureConfigKey::AccountName),
            get(&az, AzureConfigKey::AccessKey)
        ),
        ("acc", "a2V5")
    );
    let text = "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=a2V5==;EndpointSuffix=core.usgovcloudapi.net";
    let government = keys(PLAIN, &[("AZURE_STORAGE_CONNECTION_STRING", text)]).unwrap();
    assert_eq!(get(&government, AzureConfigKey::AccessKey), "a2V5==");
    assert_eq!(
        get(&government, AzureConfigKey::Endpoint),
        "https://acc.blob.core.usgovcloudapi.net"
    );
    let text =
        "BlobEndpoint=https://acc.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=s%3D";
    let signed = keys(PLAIN, &[("AZURE_STORAGE_CONNECTION_STRING", text)]).unwrap();
    assert_eq!(
        (
            get(&signed, AzureConfigKey::AccountName),
            get(&signed, AzureConfigKey::SasKey)
        ),
        ("acc", "sv=1&sig=s%3D")
    );
    assert_eq!(
        get(&signed, AzureConfigKey::Endpoint),
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
        get(&development, AzureConfigKey::Endpoint),
        "http://127.0.0.1:10000/devstoreaccount1"
    );
    assert_eq!(get(&development, AzureConfigKey::AccessKey), EMULATOR_KEY);
    let variables = [
        ("AZURE_STORAGE_USE_EMULATOR", "true"),
        ("AZURITE_BLOB_STORAGE_URL", "http://127.0.0.1:7/"),
    ];
    let azurite = keys(PLAIN, &variables).unwrap();
    assert_eq!(
        get(&azurite, AzureConfigKey::Endpoint),
        "http://127.0.0.1:7/devstoreaccount1"
    );
    assert!(!azurite.contains_key(&AzureConfigKey::UseEmulator));
}

#[test]
fn the_url_takes_precedence() {
    let container = AzureContainer {
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
    assert_eq!(get(&keys_of_other, AzureConfigKey::AccountName), "other");
    assert_eq!(
        (
            get(&keys_of_other, AzureConfigKey::AccessKey),
            get(&keys_of_other, AzureConfigKey::ClientId)
        ),
        ("", "id")
    );
    assert_eq!(
        get(&keys_of_other, AzureConfigKey::Endpoint),
        "https://other.blob.core.chinacloudapi.cn"
    );
    let sas = AzureContainer {
        account: Some("acc"),
        sas: Some("restype=container&comp=list&sv=1&sig=s"),
        ..PLAIN
    };
    let signed = keys(sas, &variables).unwrap();
    assert_eq!(
        (
            get(&signed, AzureConfigKey::SasKey),
            get(&signed, AzureConfigKey::AccessKey),
            get(&signed, AzureConfigKey::ClientId)
        ),
        ("sv=1&sig=s", "", "")
    );
}
