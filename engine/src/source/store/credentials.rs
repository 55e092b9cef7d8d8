//! Credentials, asked for once before a store is used: so that a missing one is a message at once,
//! and not after the many attempts that `object_store` makes. Also credentials that other programs
//! print.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use object_store::CredentialProvider;
use tokio::sync::Mutex;

use super::{command, failure::Failure};

/// How long all attempts to get credentials may take; programs have a limit of their own, below
/// this.
const PATIENCE: Duration = Duration::from_secs(40);

/// Credentials are renewed so long before they end.
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

/// What a program printed: a credential, and how long it holds if that is known.
pub(super) type Printed<C> = (C, Option<Duration>);

/// Understands what a program printed.
pub(super) type Reading<C> = fn(&[u8]) -> Result<Printed<C>, String>;

/// Credentials that a program prints, kept until they end.
pub(super) struct Program<C> {
    words: Vec<String>,
    read: Reading<C>,
    kept: Mutex<Option<Kept<C>>>,
}

/// A credential, and when it ends if that is known.
type Kept<C> = (Arc<C>, Option<Instant>);

impl<C> Program<C> {
    pub(super) fn new(words: Vec<String>, read: Reading<C>) -> Self {
        Self {
            words,
            read,
            kept: Mutex::new(None),
        }
    }
}

impl<C> fmt::Debug for Program<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The words can hold secrets, too.
        f.debug_struct("Program").finish_non_exhaustive()
    }
}

#[async_trait]
impl<C: Send + Sync + 'static> CredentialProvider for Program<C> {
    type Credential = C;

    async fn get_credential(&self) -> object_store::Result<Arc<C>> {
        let mut kept = self.kept.lock().await;
        if let Some((credential, ends)) = &*kept
            && ends.is_none_or(|ends| ends > Instant::now() + MARGIN)
        {
            return Ok(Arc::clone(credential));
        }
        let fail = |message: String| object_store::Error::Generic {
            store: "credentials",
            source: message.into(),
        };
        let output = command::output(&self.words).await.map_err(fail)?;
        let (credential, holds) = (self.read)(&output).map_err(fail)?;
        let credential = Arc::new(credential);
        let ends = holds.and_then(|holds| Instant::now().checked_add(holds));
        *kept = Some((Arc::clone(&credential), ends));
        Ok(credential)
    }
}

/// How long it is until a point in time, in microseconds since the epoch.
pub(super) fn until(micros: i64) -> Duration {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default()).saturating_sub(now)
}
