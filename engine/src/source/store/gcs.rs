//! A bucket of Cloud Storage, opened as the user's environment and Google's command line say.
//!
//! Credentials, in this order: `GOOGLE_SKIP_SIGNATURE` or an emulator; a service account; the
//! application default credentials that `GOOGLE_APPLICATION_CREDENTIALS` names or `gcloud auth
//! application-default login` leaves in the home folder; the metadata service of a machine or pod
//! at Google, if one answers; what `gcloud` prints.

use std::{path::PathBuf, sync::Arc, time::Duration};

use object_store::{
    StaticCredentialProvider,
    gcp::{
        GcpCredential, GcpCredentialProvider, GoogleCloudStorageBuilder, GoogleConfigKey as Key,
    },
};

use super::{
    cloud::{Cloud, Tags},
    connector::{Network, client_options, retry, short_retry},
    credentials::{self, Printed, Program},
    failure::{Failure, Kind},
    metadata,
    settings::StoreSettings,
};

const NO_CREDENTIALS: &str = "there are no Google credentials; run `gcloud auth application-default login`, or set \
     GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, or GOOGLE_SKIP_SIGNATURE=true for a public bucket";

/// Where `gcloud` leaves the application default credentials, below its own folder.
const DEFAULT_FILE: &str = "application_default_credentials.json";

/// Opens a bucket.
///
/// # Errors
///
/// When there are no credentials, or a setting makes no sense.
pub(super) async fn open(
    bucket: &str,
    public: bool,
    settings: &StoreSettings,
    network: &Network,
) -> Result<Cloud, Failure> {
    // The services for credentials inside Google's machines have no TLS; the store itself is only
    // asked without when the user says so.
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(client_options().with_allow_http(true));
    for (name, value) in settings
        .beginning_with("GOOGLE_")
        .chain(settings.beginning_with("SERVICE_ACCOUNT"))
    {
        match name.to_ascii_lowercase().parse::<Key>() {
            // Looked at below.
            Ok(Key::ApplicationCredentials) | Err(_) => {}
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    builder = builder
        .with_bucket_name(bucket)
        .with_http_connector(network.connector_as_stored());
    let mut anonymous = settings.is_true("GOOGLE_SKIP_SIGNATURE");
    if let Some(host) = settings
        .get("STORAGE_EMULATOR_HOST")
        .filter(|_| settings.get("GOOGLE_BASE_URL").is_none())
    {
        let scheme = if host.contains("://") { "" } else { "http://" };
        builder = builder.with_base_url(format!("{scheme}{host}").trim_end_matches('/'));
        anonymous = true;
    }
    let is_account = [Key::ServiceAccount, Key::ServiceAccountKey]
        .iter()
        .any(|key| builder.get_config_value(key).is_some());
    let provider = if anonymous {
        None
    } else if is_account {
        Some(own(builder.clone()).await?)
    } else if let Some(file) = default_file(settings) {
        let shown = file.display().to_string();
        match kind_of(&file)?.as_str() {
            "service_account" | "authorized_user" => {
                Some(own(builder.clone().with_application_credentials(&*shown)).await?)
            }
            // Workload identity federation, impersonation: `gcloud` knows how.
            kind => {
                let told = |failure: Failure| {
                    let why = failure.message;
                    Failure::refused(format!(
                        "{shown}: credentials of the type `{kind}` are read through Google's command line; {why}"
                    ))
                };
                Some(
                    printed_by(&[
                        "gcloud",
                        "auth",
                        "application-default",
                        "print-access-token",
                    ])
                    .await
                    .map_err(told)?,
                )
            }
        }
    } else if public {
        None
    } else {
        Some(surrounding(builder.clone(), settings).await?)
    };
    builder = match provider {
        Some(provider) => builder.with_credentials(provider),
        None => {
            let nobody: GcpCredentialProvider =
                Arc::new(StaticCredentialProvider::new(GcpCredential {
                    bearer: String::new(),
                }));
            builder.with_skip_signature(true).with_credentials(nobody)
        }
    };
    let store = builder
        .with_retry(retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    Ok(Cloud::new(store, Tags::Answered))
}

/// Credentials without any setting: of the machine, or of the person who is logged in.
async fn surrounding(
    builder: GoogleCloudStorageBuilder,
    settings: &StoreSettings,
) -> Result<GcpCredentialProvider, Failure> {
    let named = ["GCE_METADATA_IP", "GCE_METADATA_HOST", "GCE_METADATA_ROOT"]
        .iter()
        .find_map(|name| settings.get(name));
    if metadata::answers(named.unwrap_or(metadata::ADDRESS)).await
        && let Ok(provider) = own(builder).await
    {
        return Ok(provider);
    }
    printed_by(&["gcloud", "auth", "print-access-token"])
        .await
        .map_err(|_| Failure::refused(NO_CREDENTIALS))
}

/// The credentials that the builder finds by itself.
async fn own(builder: GoogleCloudStorageBuilder) -> Result<GcpCredentialProvider, Failure> {
    let told = |failure: Failure| {
        Failure::new(
            Kind::Refused,
            format!("Google gives no credentials: {}", failure.message),
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

async fn printed_by(words: &[&str]) -> Result<GcpCredentialProvider, Failure> {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let provider: GcpCredentialProvider = Arc::new(Program::new(words, printed));
    credentials::ready(&*provider).await?;
    Ok(provider)
}

/// What `gcloud` prints: a token. It holds for an hour; how much of that is left it does not tell.
fn printed(output: &[u8]) -> Result<Printed<GcpCredential>, String> {
    let token = String::from_utf8_lossy(output).trim().to_owned();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err("it printed no token".to_owned());
    }
    Ok((
        GcpCredential { bearer: token },
        Some(Duration::from_secs(1200)),
    ))
}

/// The file of the application default credentials.
fn default_file(settings: &StoreSettings) -> Option<PathBuf> {
    if let Some(file) = settings.get("GOOGLE_APPLICATION_CREDENTIALS") {
        return Some(settings.path(file));
    }
    let folder = match (settings.get("CLOUDSDK_CONFIG"), settings.get("APPDATA")) {
        (Some(folder), _) => settings.path(folder),
        (None, Some(data)) => settings.path(data).join("gcloud"),
        (None, None) => settings.below_home(".config/gcloud")?,
    };
    Some(folder.join(DEFAULT_FILE)).filter(|file| file.exists())
}

/// The type that a file of credentials has.
fn kind_of(file: &std::path::Path) -> Result<String, Failure> {
    let unusable = |why: String| Failure::refused(format!("{}: {why}", file.display()));
    let content = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let json: serde_json::Value =
        serde_json::from_slice(&content).map_err(|_| unusable("is no JSON".to_owned()))?;
    match json.get("type").and_then(serde_json::Value::as_str) {
        Some(kind) => Ok(kind.to_owned()),
        None => Err(unusable(
            "has no `type`; it is no file of Google credentials".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn where_credentials_lie() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(DEFAULT_FILE);
        let variables = BTreeMap::from([(
            "CLOUDSDK_CONFIG".to_owned(),
            folder.path().display().to_string(),
        )]);
        let mut settings = StoreSettings {
            variables,
            home: None,
        };
        assert_eq!(default_file(&settings), None);
        std::fs::write(&file, r#"{"type":"external_account"}"#).unwrap();
        assert_eq!(default_file(&settings), Some(file.clone()));
        assert_eq!(kind_of(&file).unwrap(), "external_account");
        settings.variables.insert(
            "GOOGLE_APPLICATION_CREDENTIALS".to_owned(),
            "/no/such/file".to_owned(),
        );
        let named = default_file(&settings).unwrap();
        assert!(
            kind_of(&named)
                .unwrap_err()
                .message
                .starts_with("/no/such/file: ")
        );
    }

    #[test]
    fn what_gcloud_prints() {
        assert!(
            printed(b"ya29.token\n").is_ok_and(|(credential, _)| credential.bearer == "ya29.token")
        );
        assert!(printed(b"").is_err() && printed(b"Please log in\n").is_err());
    }
}
