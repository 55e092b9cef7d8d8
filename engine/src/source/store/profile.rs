//! The files `~/.aws/config` and `~/.aws/credentials` in, the settings of a profile out.
//! `object_store` does not read them.
//!
//! Not responsible for: getting credentials (`aws/credentials.rs`), and what a setting does
//! (`aws.rs`).

use std::collections::BTreeMap;

use super::{command, failure::Failure, settings::StoreSettings};

/// A profile of AWS.
#[derive(Clone)]
pub(super) struct AwsProfile {
    pub(super) name: String,
    values: BTreeMap<String, String>,
    /// The endpoint of S3, whether set for S3 alone or for all services.
    endpoint: Option<String>,
}

/// Where the credentials of a profile come from.
#[derive(PartialEq, Eq)]
pub(super) enum CredentialSource {
    Keys {
        key_id: String,
        secret_key: String,
        token: Option<String>,
    },
    /// A program prints them. `by` names the program in messages.
    Program {
        words: Vec<String>,
        by: &'static str,
    },
    /// A role is assumed with a token in a file.
    WebIdentity {
        file: String,
        role: String,
        session: Option<String>,
    },
}

type ProfileSections = BTreeMap<String, BTreeMap<String, String>>;

impl AwsProfile {
    /// The profile that the settings name, or `default`. `None` if none is named and there is no
    /// default.
    ///
    /// # Errors
    ///
    /// If the named profile is in neither file.
    pub(super) fn load(settings: &StoreSettings) -> Result<Option<Self>, Failure> {
        let file = |variable: &str, usual: &str| {
            let path = settings
                .get(variable)
                .map(|path| settings.path(path))
                .or_else(|| settings.below_home(usual));
            path.and_then(|path| std::fs::read_to_string(path).ok())
                .unwrap_or_default()
        };
        let config = file("AWS_CONFIG_FILE", ".aws/config");
        let credentials = file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
        let named = settings
            .get("AWS_PROFILE")
            .or_else(|| settings.get("AWS_DEFAULT_PROFILE"));
        let found = Self::of(&config, &credentials, named.unwrap_or("default"));
        match (found, named) {
            (None, Some(name)) => Err(Failure::refused(format!(
                "the AWS profile `{name}` is in neither ~/.aws/config nor ~/.aws/credentials; unset AWS_PROFILE or name another"
            ))),
            (found, _) => Ok(found),
        }
    }

    fn of(config: &str, credentials: &str, name: &str) -> Option<Self> {
        let mut sections = parse(config, true);
        let configured = sections.remove(name);
        let kept = parse(credentials, false).remove(name);
        if configured.is_none() && kept.is_none() {
            return None;
        }
        let mut values = configured.unwrap_or_default();
        values.extend(kept.unwrap_or_default());
        let service = values
            .get("services")
            .and_then(|services| sections.get(&format!("services {services}")));
        let endpoint = service
            .and_then(|service| service.get("s3.endpoint_url"))
            .or_else(|| values.get("endpoint_url"))
            .cloned();
        Some(Self {
            name: name.to_owned(),
            values,
            endpoint,
        })
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.values
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn region(&self) -> Option<&str> {
        self.get("region")
    }

    pub(super) fn endpoint(&self) -> Option<&str> {
        self.endpoint
            .as_deref()
            .filter(|endpoint| !endpoint.is_empty())
    }

    /// Where its credentials come from, in the order of AWS's own tools. `None` if it has none.
    pub(super) fn credential_source(&self) -> Option<CredentialSource> {
        let get = |key: &str| self.get(key).map(str::to_owned);
        if let (Some(role), Some(file)) = (get("role_arn"), get("web_identity_token_file")) {
            return Some(CredentialSource::WebIdentity {
                file,
                role,
                session: get("role_session_name"),
            });
        }
        // What takes several requests to AWS or a browser is left to its command line.
        if ["role_arn", "sso_session", "sso_start_url", "sso_account_id"]
            .iter()
            .any(|key| self.get(key).is_some())
        {
            return Some(self.command_line());
        }
        if let (Some(key_id), Some(secret_key)) =
            (get("aws_access_key_id"), get("aws_secret_access_key"))
        {
            return Some(CredentialSource::Keys {
                key_id,
                secret_key,
                token: get("aws_session_token"),
            });
        }
        if let Some(line) = self.get("credential_process") {
            return Some(CredentialSource::Program {
                words: command::words(line),
                by: "its `credential_process`",
            });
        }
        self.get("login_session").map(|_| self.command_line())
    }

    fn command_line(&self) -> CredentialSource {
        let words = [
            "aws",
            "configure",
            "export-credentials",
            "--format",
            "process",
            "--profile",
            self.name.as_str(),
        ];
        CredentialSource::Program {
            words: words.map(str::to_owned).to_vec(),
            by: "the AWS command line, version 2 (which SSO, roles and logins need)",
        }
    }
}

/// The sections of a file. In the configuration, the section of a profile is called `profile NAME`,
/// except for the default one. An indented line belongs to the key above it: `s3 =` followed by an
/// indented `endpoint_url = …` is the key `s3.endpoint_url`.
fn parse(text: &str, is_config: bool) -> ProfileSections {
    let mut sections = ProfileSections::new();
    let mut section: Option<String> = None;
    let mut above = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = line
            .trim_end()
            .strip_prefix('[')
            .and_then(|header| header.strip_suffix(']'))
        {
            let name = name_of(header.trim(), is_config);
            sections.entry(name.clone()).or_default();
            section = Some(name);
            above.clear();
            continue;
        }
        let Some(values) = section
            .as_ref()
            .and_then(|section| sections.get_mut(section))
        else {
            continue;
        };
        let Some((key, value)) = trimmed.split_once('=') else {
            continue;
        };
        let (key, value) = (key.trim().to_ascii_lowercase(), value.trim().to_owned());
        if line.starts_with([' ', '\t']) && !above.is_empty() {
            values.insert(format!("{above}.{key}"), value);
        } else {
            above = if value.is_empty() {
                key.clone()
            } else {
                String::new()
            };
            values.insert(key, value);
        }
    }
    sections
}

fn name_of(header: &str, is_config: bool) -> String {
    let mut words = header.splitn(2, char::is_whitespace);
    let first = words.next().unwrap_or_default();
    match words
        .next()
        .map(|rest| rest.trim().trim_matches(['"', '\'']))
    {
        Some(name) if is_config && first == "profile" => name.to_owned(),
        Some(name) if is_config => format!("{first} {name}"),
        _ => header.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
# comment
[default]
region = eu-west-1
s3 =
    max_concurrent_requests = 20
    addressing_style = path

[profile sso]
sso_session = corp
region=eu-north-1
[sso-session corp]
sso_start_url = https://example.org
[profile \"local store\"]
services = local
aws_access_key_id = from-config
[services local]
s3 =
  endpoint_url = http://127.0.0.1:9000
[profile tool]
endpoint_url = https://minio.example.org
credential_process = /opt/tool --quiet
[profile pod]
role_arn = arn:aws:iam::1:role/r
web_identity_token_file = /var/token
[profile role]
role_arn = arn:aws:iam::1:role/r
source_profile = default
";
    const CREDENTIALS: &str = "
[default]
aws_access_key_id = A
aws_secret_access_key = B=C
[local store]
aws_access_key_id = D
aws_secret_access_key = E
aws_session_token = F
; [nothing]
";

    fn profile(name: &str) -> AwsProfile {
        AwsProfile::of(CONFIG, CREDENTIALS, name).unwrap()
    }

    #[test]
    fn profiles() {
        let default = profile("default");
        assert_eq!(
            (default.region(), default.endpoint()),
            (Some("eu-west-1"), None)
        );
        let keys = |key_id: &str, secret_key: &str, token: Option<&str>| CredentialSource::Keys {
            key_id: key_id.to_owned(),
            secret_key: secret_key.to_owned(),
            token: token.map(str::to_owned),
        };
        assert!(default.credential_source() == Some(keys("A", "B=C", None)));
        let local = profile("local store");
        assert_eq!(
            (local.region(), local.endpoint()),
            (None, Some("http://127.0.0.1:9000"))
        );
        assert!(local.credential_source() == Some(keys("D", "E", Some("F"))));
        assert_eq!(
            profile("tool").endpoint(),
            Some("https://minio.example.org")
        );
        let words = |name: &str| match profile(name).credential_source() {
            Some(CredentialSource::Program { words, .. }) => words.join(" "),
            _ => String::new(),
        };
        assert_eq!(words("tool"), "/opt/tool --quiet");
        assert_eq!(
            words("sso"),
            "aws configure export-credentials --format process --profile sso"
        );
        assert_eq!(
            words("role"),
            "aws configure export-credentials --format process --profile role"
        );
        assert!(
            matches!(profile("pod").credential_source(), Some(CredentialSource::WebIdentity { file, .. }) if file == "/var/token")
        );
        assert!(AwsProfile::of(CONFIG, CREDENTIALS, "nothing").is_none());
    }

    #[test]
    fn a_named_profile_must_exist() {
        let variables = BTreeMap::from([("AWS_PROFILE".to_owned(), "nobody".to_owned())]);
        let named = AwsProfile::load(&StoreSettings {
            variables,
            home: None,
        });
        assert!(named.is_err_and(|failure| failure.message.contains("`nobody`")));
        assert!(AwsProfile::load(&StoreSettings::default()).is_ok_and(|profile| profile.is_none()));
    }
}
