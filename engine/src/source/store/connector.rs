//! Requests in, answers out: the HTTP client below every store, with what `object_store` leaves
//! out.
//!
//! - It counts requests and bytes.
//! - A server that was never reached is given up after a few attempts, and one that has failed for
//!   a while is not asked again and again: people wait for the message.
//! - A page of a listing is read here to its end, so that a page that is cut off is asked for
//!   again, and what `object_store` cannot hold is taken out of it ([`OddKeys`]).
//! - Objects of Cloud Storage are asked for as they are stored: the service would unpack those that
//!   were uploaded packed, and then tell no length.
//!
//! Not responsible for: how often a request is repeated (`object_store`'s `RetryConfig`,
//! `http.rs`), signatures.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use object_store::{
    BackoffConfig, ClientOptions, HeaderValue, RetryConfig,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpService, ReqwestConnector, SpawnedReqwestConnector,
    },
};
use tokio::{runtime::Handle, time::timeout};

use super::{failure::FAILING, page::OddKeys};

/// What has gone over the network.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    /// Requests sent, repeated ones too.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Bytes of objects received.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn received(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// Where requests run, and who counts them.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) runtime: Handle,
    pub(super) traffic: Arc<Traffic>,
}

impl Network {
    /// For a store of `object_store`. The input and output runs on the runtime, wherever its future
    /// is polled.
    pub(super) fn connector(&self) -> Connector {
        self.with(
            Arc::new(SpawnedReqwestConnector::new(self.runtime.clone())),
            false,
        )
    }

    /// The same for Cloud Storage.
    pub(super) fn connector_as_stored(&self) -> Connector {
        Connector {
            as_stored: true,
            ..self.connector()
        }
    }

    /// For bodies of any length: one that nobody reads is not received either.
    pub(super) fn connector_of_streams(&self) -> Connector {
        self.with(Arc::new(ReqwestConnector::default()), false)
    }

    fn with(&self, inner: Arc<dyn HttpConnector>, as_stored: bool) -> Connector {
        Connector {
            inner,
            traffic: Arc::clone(&self.traffic),
            as_stored,
        }
    }
}

/// Makes the clients of one store.
#[derive(Debug)]
pub(super) struct Connector {
    inner: Arc<dyn HttpConnector>,
    traffic: Arc<Traffic>,
    as_stored: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client {
            inner: self.inner.connect(options)?,
            traffic: Arc::clone(&self.traffic),
            as_stored: self.as_stored,
            health: Mutex::default(),
        }))
    }
}

/// Options of a client: no limit for a whole answer, because a slow network is no error. Silence is
/// one: see [`Client::call`], and [`STALL`] where bodies are read.
pub(super) fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
}

/// The longest silence inside a body. Longer than `object_store` takes to ask again by itself.
pub(super) const STALL: Duration = Duration::from_secs(60);

/// How requests to a store are repeated.
pub(super) fn retry() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(5),
        base: 2.,
    };
    RetryConfig {
        backoff,
        max_retries: 8,
        retry_timeout: Duration::from_secs(60),
    }
}

/// How requests for credentials are repeated.
pub(super) fn short_retry() -> RetryConfig {
    RetryConfig {
        max_retries: 2,
        retry_timeout: Duration::from_secs(10),
        ..retry()
    }
}

/// One client.
#[derive(Debug)]
struct Client {
    inner: HttpClient,
    traffic: Arc<Traffic>,
    as_stored: bool,
    health: Mutex<Health>,
}

/// How the server has been doing.
#[derive(Debug, Default)]
struct Health {
    /// Has it ever answered as a server that works?
    reached: bool,
    /// Failures since it did.
    failures: u32,
    failing_since: Option<Instant>,
}

/// Until the first line of an answer: from a server that was reached before, and from one that was
/// not.
const ANSWER: Duration = Duration::from_secs(30);
const FIRST_ANSWER: Duration = Duration::from_secs(15);

/// Until a page of a listing is complete.
const PAGE: Duration = Duration::from_secs(120);

/// A server that works no more is not waited for longer than this; while it does, requests are
/// repeated as usual.
const OUTAGE: Duration = Duration::from_secs(75);

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("no answer within {} seconds", .0.as_secs())]
    Silent(Duration),
    #[error("{}{}", FAILING, .0)]
    Failing(u16),
}

impl Health {
    fn good(&mut self) {
        *self = Self {
            reached: true,
            ..Self::default()
        };
    }

    /// Counts a failure; is it time to give up? A server that never answered is given `attempts`.
    fn bad(&mut self, attempts: u32) -> bool {
        self.failures += 1;
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if self.reached {
            since.elapsed() > OUTAGE
        } else {
            self.failures >= attempts
        }
    }
}

impl Client {
    fn with_health<T>(&self, look: impl FnOnce(&mut Health) -> T) -> T {
        look(&mut self.health.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The error, of a kind that is not repeated when it is time to give up.
    fn failed(&self, error: HttpError) -> HttpError {
        let attempts = match error.kind() {
            HttpErrorKind::Timeout => 2,
            _ => 3,
        };
        if self.with_health(|health| health.bad(attempts)) {
            HttpError::new(HttpErrorKind::Unknown, error)
        } else {
            error
        }
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let odd_keys = request.extensions().get::<OddKeys>().cloned();
        if self.as_stored
            && (request.method().as_str() == "HEAD" || request.headers().contains_key("range"))
        {
            request
                .headers_mut()
                .insert("accept-encoding", HeaderValue::from_static("gzip"));
        }
        let limit = if self.with_health(|health| health.reached) {
            ANSWER
        } else {
            FIRST_ANSWER
        };
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        let response = match timeout(limit, self.inner.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.failed(error)),
            Err(_) => {
                return Err(self.failed(HttpError::new(
                    HttpErrorKind::Timeout,
                    Trouble::Silent(limit),
                )));
            }
        };
        let status = response.status().as_u16();
        if status >= 500 || status == 429 {
            // So many that the pauses between them add up to a few seconds: a store that is only
            // busy recovers in that time.
            if self.with_health(|health| health.bad(6)) {
                return Err(HttpError::new(
                    HttpErrorKind::Unknown,
                    Trouble::Failing(status),
                ));
            }
            return Ok(response);
        }
        self.with_health(Health::good);
        let Some(odd_keys) = odd_keys.filter(|_| response.status().is_success()) else {
            return Ok(response);
        };
        let (parts, body) = response.into_parts();
        let page = match timeout(PAGE, body.bytes()).await {
            // Of a kind that is repeated.
            Ok(page) => page.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?,
            Err(_) => {
                return Err(HttpError::new(
                    HttpErrorKind::Timeout,
                    Trouble::Silent(PAGE),
                ));
            }
        };
        Ok(HttpResponse::from_parts(parts, odd_keys.sift(page).into()))
    }
}
