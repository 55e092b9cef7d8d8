//! A source of credentials in, credentials that are known to be there out.
//!
//! A provider is asked once before its store is used, so that missing credentials are reported at
//! once, not after the many attempts that `object_store` makes. Programs that print credentials are
//! providers here, too.
//!
//! Not responsible for: which credentials a store uses (`aws/credentials.rs`, `gcs.rs`,
//! `azure.rs`).

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use object_store::CredentialProvider;
use tokio::sync::Mutex;

use super::{command, failure::Failure};
use crate::time::Clock;

/// How long all attempts to get credentials may take. The limit for programs is shorter.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long before they expire credentials are renewed.
const MARGIN: Duration = Duration::from_secs(300);

/// Does the provider have credentials?
///
/// # Errors
///
/// Why it has none.
pub(super) async fn ready<C>(
    provider: &dyn CredentialProvider<Credential = C>,
) -> Result<(), Failure> {
    match tokio::time::timeout(PATIENCE, provider.get_credential()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure::of(&error)),
        Err(_) => Err(Failure::other(format!(
            "no answer within {} seconds",
            PATIENCE.as_secs()
        ))),
    }
}

/// What a program printed: a credential, and its lifetime if that is known.
pub(super) type PrintedCredential<C> = (C, Option<Duration>);

/// Parses what a program printed.
pub(super) type CredentialParser<C> = fn(&[u8]) -> Result<PrintedCredential<C>, String>;

/// A program that prints credentials. They are kept until shortly before they expire.
pub(super) struct CredentialProgram<C> {
    words: Vec<String>,
    parse: CredentialParser<C>,
    kept: Mutex<Option<KeptCredential<C>>>,
}

/// A credential, and when it expires if that is known.
type KeptCredential<C> = (Arc<C>, Option<Instant>);

impl<C> CredentialProgram<C> {
    pub(super) fn new(words: Vec<String>, parse: CredentialParser<C>) -> Self {
        Self {
            words,
            parse,
            kept: Mutex::new(None),
        }
    }
}

impl<C> fmt::Debug for CredentialProgram<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The words may contain secrets as well.
        f.debug_struct("CredentialProgram").finish_non_exhaustive()
    }
}

#[async_trait]
impl<C: Send + Sync + 'static> CredentialProvider for CredentialProgram<C> {
    type Credential = C;

    async fn get_credential(&self) -> object_store::Result<Arc<C>> {
        let mut kept = self.kept.lock().await;
        if let Some((credential, expires)) = &*kept
            && expires.is_none_or(|expires| expires > Instant::now() + MARGIN)
        {
            return Ok(Arc::clone(credential));
        }
        let fail = |message: String| object_store::Error::Generic {
            store: "credentials",
            source: message.into(),
        };
        let output = command::output(&self.words).await.map_err(fail)?;
        let (credential, lifetime) = (self.parse)(&output).map_err(fail)?;
        let credential = Arc::new(credential);
        let expires = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        *kept = Some((Arc::clone(&credential), expires));
        Ok(credential)
    }
}

/// How long it is until a point in time, in microseconds since the epoch.
pub(super) fn until(micros: i64) -> Duration {
    let left = micros.saturating_sub(Clock::system().now());
    Duration::from_micros(u64::try_from(left).unwrap_or_default())
}
