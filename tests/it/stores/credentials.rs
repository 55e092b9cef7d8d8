//! Where the credentials of a store come from, and what is said when there are none.

#[cfg(unix)]
use std::path::Path;

use super::{COUNT, ask};
#[cfg(unix)]
use super::{Store, event, same_in, store, upload, write};

#[test]
fn without_credentials_it_says_so() {
    let nothing = tempfile::tempdir().unwrap();
    let nothing = nothing.path().to_str().unwrap().to_owned();
    // No command line of a cloud on the path, and no metadata service.
    let base = [
        ("PATH", nothing.as_str()),
        ("AWS_REGION", "eu-west-1"),
        ("GCE_METADATA_IP", "127.0.0.1:1"),
        ("GCE_METADATA_HOST", "127.0.0.1:1"),
    ];
    for (input, account, why) in [
        ("s3://bucket/x", "", "set AWS_ACCESS_KEY_ID"),
        ("gs://bucket/x", "", "gcloud auth application-default login"),
        ("az://container/x", "acc", "az login"),
        ("az://container/x", "", "AZURE_STORAGE_ACCOUNT_NAME"),
    ] {
        let mut env: Vec<(String, String)> = base
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        env.push(("AZURE_STORAGE_ACCOUNT_NAME".to_owned(), account.to_owned()));
        let ran = ask(&env, COUNT, input, &[]);
        assert!(
            ran.code == 2 && ran.stderr.contains(why),
            "{input}: {} {}",
            ran.code,
            ran.stderr
        );
    }
    let env = [("AWS_PROFILE".to_owned(), "nobody".to_owned())];
    let ran = ask(&env, COUNT, "s3://bucket/x", &[]);
    assert!(
        ran.code == 2 && ran.stderr.contains("the AWS profile `nobody`"),
        "{} {}",
        ran.code,
        ran.stderr
    );
}

/// A variable that points to the store.
#[cfg(unix)]
fn get(store: &Store, name: &str) -> String {
    store
        .env
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.clone())
        .unwrap()
}

#[cfg(unix)]
#[test]
#[cfg_attr(
    not(emulators),
    ignore = "AUDITQL_EMULATORS does not name a folder for the emulators"
)]
fn profiles_and_connection_strings_lead_to_the_store() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "logs/audit.log",
        event("one", "2026-11-22T10:00:00.000000Z"),
    );
    let logs = folder.path().join("logs");
    aws_profiles(folder.path(), &logs);
    azure_variables(&logs);
    gcs_emulator_host(&logs);
}

/// Profiles with keys and with a program that prints them; their files lie in the folder.
#[cfg(unix)]
fn aws_profiles(folder: &Path, logs: &Path) {
    let store = store("s3");
    upload("by-profile", logs, "");
    let printed = r#"{"Version":1,"AccessKeyId":"testing","SecretAccessKey":"testing","Expiration":"2099-01-01T00:00:00Z"}"#;
    write(folder, "keys", printed);
    let (endpoint, keys) = (
        get(&store, "AWS_ENDPOINT_URL"),
        folder.join("keys").display().to_string(),
    );
    let config = format!(
        "[profile keys]\nregion = us-east-1\nendpoint_url = {endpoint}\n\
         [profile tool]\nservices = here\nregion = us-east-1\ncredential_process = /bin/cat \"{keys}\"\n\
         [services here]\ns3 =\n  endpoint_url = {endpoint}\n"
    );
    write(folder, ".aws/config", config);
    write(
        folder,
        ".aws/credentials",
        "[keys]\naws_access_key_id = testing\naws_secret_access_key = testing\n",
    );
    let home = folder.display().to_string();
    for profile in ["keys", "tool"] {
        let env = [
            ("HOME".to_owned(), home.clone()),
            ("AWS_PROFILE".to_owned(), profile.to_owned()),
        ];
        same_in(&env, "s3://by-profile/", logs, &[]);
    }
}

/// A connection string, and the account, its key and its endpoint one by one.
#[cfg(unix)]
fn azure_variables(logs: &Path) {
    let store = store("azure");
    upload("by-connection-string", logs, "");
    let (account, key) = (
        get(&store, "AZURE_STORAGE_ACCOUNT_NAME"),
        get(&store, "AZURE_STORAGE_ACCOUNT_KEY"),
    );
    let url = get(&store, "AZURITE_BLOB_STORAGE_URL");
    let text = format!(
        "DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={url}/{account};"
    );
    same_in(
        &[("AZURE_STORAGE_CONNECTION_STRING".to_owned(), text)],
        "az://by-connection-string/",
        logs,
        &[],
    );
    let env = [
        ("AZURE_STORAGE_ACCOUNT".to_owned(), account.clone()),
        ("AZURE_STORAGE_KEY".to_owned(), key),
        (
            "AZURE_STORAGE_ENDPOINT".to_owned(),
            format!("{url}/{account}/"),
        ),
    ];
    same_in(
        &env,
        &format!("abfss://by-connection-string@{account}.dfs.core.windows.net/"),
        logs,
        &[],
    );
}

/// The variable of Google's own emulators.
#[cfg(unix)]
fn gcs_emulator_host(logs: &Path) {
    let store = store("gcs");
    upload("by-emulator-host", logs, "");
    let host = get(&store, "GOOGLE_BASE_URL").replace("http://", "");
    same_in(
        &[("STORAGE_EMULATOR_HOST".to_owned(), host)],
        "gs://by-emulator-host/",
        logs,
        &[],
    );
}
