//! A bucket of Cloud Storage in; out comes an open store, set up as the user's environment and
//! Google's command line say.
//!
//! Credentials are taken from the first of these that has any:
//!
//! 1. none at all, with `GOOGLE_SKIP_SIGNATURE` or an emulator;
//! 2. a service account in the environment;
//! 3. the application default credentials: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, or
//!    that `gcloud auth application-default login` leaves in the home folder;
//! 4. the metadata service of a machine or pod at Google, if one answers;
//! 5. `gcloud auth print-access-token`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use object_store::{
    StaticCredentialProvider,
    gcp::{GcpCredential, GcpCredentialProvider, GoogleCloudStorageBuilder, GoogleConfigKey},
};

use super::{
    cloud::{CloudStore, TagUse},
    connector::{StoreNetwork, StoreQuirk, client_options, retry, short_retry},
    credentials::{CredentialProgram, PrintedCredential, ready},
    failure::Failure,
    metadata,
    settings::StoreSettings,
};

const NO_CREDENTIALS: &str = "no Google credentials found; run `gcloud auth application-default login`, or set \
     GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, or GOOGLE_SKIP_SIGNATURE=true for a public bucket";

/// Where `gcloud` leaves the application default credentials, in its own folder.
const DEFAULT_FILE: &str = "application_default_credentials.json";

/// Opens a bucket. A `public` one is read without credentials if none are configured.
///
/// # Errors
///
/// If there are no credentials, or a setting is invalid.
pub(super) async fn open(
    bucket: &str,
    public: bool,
    settings: &StoreSettings,
    network: &StoreNetwork,
) -> Result<CloudStore, Failure> {
    // The credential services on Google's machines do not use TLS. The store itself is used without
    // only if the user says so.
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(client_options().with_allow_http(true));
    for (name, value) in settings
        .beginning_with("GOOGLE_")
        .chain(settings.beginning_with("SERVICE_ACCOUNT"))
    {
        match name.to_ascii_lowercase().parse::<GoogleConfigKey>() {
            // Handled by `default_file`.
            Ok(GoogleConfigKey::ApplicationCredentials) | Err(_) => {}
            Ok(key) => builder = builder.with_config(key, value),
        }
    }
    builder = builder
        .with_bucket_name(bucket)
        .with_http_connector(network.connector(StoreQuirk::AsStored));
    let emulator = settings
        .get("STORAGE_EMULATOR_HOST")
        .filter(|_| settings.get("GOOGLE_BASE_URL").is_none());
    if let Some(host) = emulator {
        let scheme = if host.contains("://") { "" } else { "http://" };
        builder = builder.with_base_url(format!("{scheme}{host}").trim_end_matches('/'));
    }
    let provider = if emulator.is_some() || settings.is_true("GOOGLE_SKIP_SIGNATURE") {
        None
    } else {
        credentials(&builder, public, settings).await?
    };
    builder = match provider {
        Some(provider) => builder.with_credentials(provider),
        None => {
            let anonymous: GcpCredentialProvider =
                Arc::new(StaticCredentialProvider::new(GcpCredential {
                    bearer: String::new(),
                }));
            builder
                .with_skip_signature(true)
                .with_credentials(anonymous)
        }
    };
    let store = builder
        .with_retry(retry())
        .build()
        .map_err(|error| Failure::of(&error))?;
    Ok(CloudStore::new(store, TagUse::Answered))
}

/// The credentials for a bucket; `None` if it is public and none are configured.
async fn credentials(
    builder: &GoogleCloudStorageBuilder,
    public: bool,
    settings: &StoreSettings,
) -> Result<Option<GcpCredentialProvider>, Failure> {
    let is_account = [
        GoogleConfigKey::ServiceAccount,
        GoogleConfigKey::ServiceAccountKey,
    ]
    .iter()
    .any(|key| builder.get_config_value(key).is_some());
    if is_account {
        found(builder.clone()).await.map(Some)
    } else if let Some(file) = default_file(settings) {
        of_file(builder, &file).await.map(Some)
    } else if public {
        Ok(None)
    } else {
        of_surroundings(builder, settings).await.map(Some)
    }
}

/// The credentials in a file of application default credentials.
async fn of_file(
    builder: &GoogleCloudStorageBuilder,
    file: &Path,
) -> Result<GcpCredentialProvider, Failure> {
    let shown = file.display().to_string();
    let credential_type = type_of(file)?;
    if matches!(
        credential_type.as_str(),
        "service_account" | "authorized_user"
    ) {
        return found(builder.clone().with_application_credentials(&*shown)).await;
    }
    // Workload identity federation, impersonation: `gcloud` handles them.
    printed_by(&[
        "gcloud",
        "auth",
        "application-default",
        "print-access-token",
    ])
    .await
    .map_err(|failure| {
        Failure::refused(format!(
            "{shown}: credentials of type `{credential_type}` need Google's command line: {}",
            failure.message
        ))
    })
}

/// Credentials without any setting: those of the machine, or of the user who is logged in.
async fn of_surroundings(
    builder: &GoogleCloudStorageBuilder,
    settings: &StoreSettings,
) -> Result<GcpCredentialProvider, Failure> {
    let service = ["GCE_METADATA_IP", "GCE_METADATA_HOST", "GCE_METADATA_ROOT"]
        .iter()
        .find_map(|name| settings.get(name));
    if metadata::answers(service.unwrap_or(metadata::ADDRESS)).await
        && let Ok(provider) = found(builder.clone()).await
    {
        return Ok(provider);
    }
    printed_by(&["gcloud", "auth", "print-access-token"])
        .await
        .map_err(|_| Failure::refused(NO_CREDENTIALS))
}

/// The credentials that the builder finds by itself.
async fn found(builder: GoogleCloudStorageBuilder) -> Result<GcpCredentialProvider, Failure> {
    let fail = |failure: Failure| {
        Failure::refused(format!("no credentials from Google: {}", failure.message))
    };
    let store = builder
        .with_retry(short_retry())
        .build()
        .map_err(|error| fail(Failure::of(&error)))?;
    let provider = Arc::clone(store.credentials());
    ready(&*provider).await.map_err(fail)?;
    Ok(provider)
}

async fn printed_by(words: &[&str]) -> Result<GcpCredentialProvider, Failure> {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let provider: GcpCredentialProvider = Arc::new(CredentialProgram::new(words, parsed));
    ready(&*provider).await?;
    Ok(provider)
}

/// The token that `gcloud` prints. It is valid for an hour from when it was issued, which `gcloud`
/// does not say, so that it is kept for less.
fn parsed(output: &[u8]) -> Result<PrintedCredential<GcpCredential>, String> {
    let token = String::from_utf8_lossy(output).trim().to_owned();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err("its output is not a token".to_owned());
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

/// The type of the credentials in a file.
fn type_of(file: &Path) -> Result<String, Failure> {
    let unusable = |why: String| Failure::refused(format!("{}: {why}", file.display()));
    let content = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let json: serde_json::Value =
        serde_json::from_slice(&content).map_err(|_| unusable("not JSON".to_owned()))?;
    match json.get("type").and_then(serde_json::Value::as_str) {
        Some(credential_type) => Ok(credential_type.to_owned()),
        None => Err(unusable(
            "not a file of Google credentials: it has no `type`".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn files_of_credentials() {
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
        assert_eq!(type_of(&file).unwrap(), "external_account");
        settings.variables.insert(
            "GOOGLE_APPLICATION_CREDENTIALS".to_owned(),
            "/no/such/file".to_owned(),
        );
        let named = default_file(&settings).unwrap();
        assert!(
            type_of(&named)
                .unwrap_err()
                .message
                .starts_with("/no/such/file: ")
        );
    }

    #[test]
    fn output_of_gcloud() {
        assert!(
            parsed(b"ya29.token\n").is_ok_and(|(credential, _)| credential.bearer == "ya29.token")
        );
        assert!(parsed(b"").is_err() && parsed(b"Please log in\n").is_err());
    }
}
