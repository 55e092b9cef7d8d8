//! Requests in, responses out: the HTTP client below every store, with what `object_store` lacks.
//!
//! - It counts requests and bytes.
//! - It gives up after a few attempts on a server that never answered, and after a while on one
//!   that keeps failing: people wait for the message.
//! - It reads pages of listings to their end, so that a page that breaks off is requested again,
//!   and cuts out what `object_store` cannot hold ([`SiftedPage`]).
//! - It requests objects of Cloud Storage as they are stored. Otherwise the service decompresses
//!   those that were uploaded compressed, and gives no length.
//! - It tags Azure's append blobs by when they were created: they only ever grow, and their ETags
//!   change with every line.
//!
//! Not responsible for: how often a request is retried (`object_store`'s `RetryConfig`, `web.rs`),
//! and signatures.

use std::{
    sync::{
        Arc,
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
use parking_lot::Mutex;
use tokio::{runtime::Handle, time::timeout};

use super::{failure::FAILING, odd_keys::SiftedPage};

/// What has gone over the network.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    /// Requests sent, retries included.
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

/// Where requests run, and where they are counted.
#[derive(Debug, Clone)]
pub(super) struct StoreNetwork {
    pub(super) runtime: Handle,
    pub(super) traffic: Arc<Traffic>,
}

impl StoreNetwork {
    /// For a store of `object_store`. Input and output run on the runtime, wherever the future is
    /// polled.
    pub(super) fn connector(&self, quirk: StoreQuirk) -> CountingConnector {
        self.with(
            Arc::new(SpawnedReqwestConnector::new(self.runtime.clone())),
            quirk,
        )
    }

    /// For bodies of any length: what is not read is not received either.
    pub(super) fn connector_of_streams(&self) -> CountingConnector {
        self.with(Arc::new(ReqwestConnector::default()), StoreQuirk::None)
    }

    fn with(&self, inner: Arc<dyn HttpConnector>, quirk: StoreQuirk) -> CountingConnector {
        CountingConnector {
            inner,
            traffic: Arc::clone(&self.traffic),
            quirk,
        }
    }
}

/// Makes the clients of one store.
#[derive(Debug)]
pub(super) struct CountingConnector {
    inner: Arc<dyn HttpConnector>,
    traffic: Arc<Traffic>,
    quirk: StoreQuirk,
}

/// What one kind of store needs and others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoreQuirk {
    None,
    /// Objects are requested as they are stored.
    AsStored,
    /// Append blobs are tagged by when they were created.
    AppendBlobs,
}

impl HttpConnector for CountingConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(CountingClient {
            inner: self.inner.connect(options)?,
            traffic: Arc::clone(&self.traffic),
            quirk: self.quirk,
            health: Mutex::default(),
        }))
    }
}

/// Options of a client. There is no limit for a whole response, because a slow network is not an
/// error. Silence is: see [`CountingClient::call`], and [`STALL`] where bodies are read.
pub(super) fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(5))
}

/// The longest silence inside a body. It leaves `object_store` the time to retry by itself.
pub(super) const STALL: Duration = Duration::from_secs(60);

/// How requests to a store are retried.
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

/// How requests for credentials are retried.
pub(super) fn short_retry() -> RetryConfig {
    RetryConfig {
        max_retries: 2,
        retry_timeout: Duration::from_secs(10),
        ..retry()
    }
}

/// One client.
#[derive(Debug)]
struct CountingClient {
    inner: HttpClient,
    traffic: Arc<Traffic>,
    quirk: StoreQuirk,
    health: Mutex<ServerHealth>,
}

/// How a server has been doing.
#[derive(Debug, Default)]
struct ServerHealth {
    /// Has it ever given a response other than a failure?
    reached: bool,
    /// Failures since it did.
    failures: u32,
    failing_since: Option<Instant>,
}

/// The longest wait for a response from a server that was reached before, and from one that was
/// not.
const ANSWER: Duration = Duration::from_secs(30);
const FIRST_ANSWER: Duration = Duration::from_secs(15);

/// The longest wait for the rest of a page of a listing.
const PAGE: Duration = Duration::from_secs(120);

/// How long a server that was reached before may fail without a break.
const OUTAGE: Duration = Duration::from_secs(75);

#[derive(Debug, thiserror::Error)]
enum TransportError {
    #[error("no answer within {} seconds", .0.as_secs())]
    Silent(Duration),
    #[error("{}{}", FAILING, .0)]
    Failing(u16),
}

impl ServerHealth {
    fn good(&mut self) {
        *self = Self {
            reached: true,
            ..Self::default()
        };
    }

    /// Counts a failure. Is it time to give up? A server that was never reached gets `attempts`.
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

impl CountingClient {
    fn with_health<T>(&self, look: impl FnOnce(&mut ServerHealth) -> T) -> T {
        look(&mut self.health.lock())
    }

    /// The error, of a kind that is not retried if it is time to give up.
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
impl HttpService for CountingClient {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let sifted = request.extensions().get::<SiftedPage>().cloned();
        let is_read = request.method().as_str() == "GET";
        if self.quirk == StoreQuirk::AsStored
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
            Ok(Ok(response)) if is_read && self.quirk == StoreQuirk::AppendBlobs => {
                tagged_by_creation(response)
            }
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.failed(error)),
            Err(_) => {
                return Err(self.failed(HttpError::new(
                    HttpErrorKind::Timeout,
                    TransportError::Silent(limit),
                )));
            }
        };
        let status = response.status().as_u16();
        if status >= 500 || status == 429 {
            // The pauses between six attempts add up to a few seconds, in which a store that is
            // merely busy recovers.
            if self.with_health(|health| health.bad(6)) {
                return Err(HttpError::new(
                    HttpErrorKind::Unknown,
                    TransportError::Failing(status),
                ));
            }
            return Ok(response);
        }
        self.with_health(ServerHealth::good);
        let Some(sifted) = sifted.filter(|_| response.status().is_success()) else {
            return Ok(response);
        };
        let (parts, body) = response.into_parts();
        let page = match timeout(PAGE, body.bytes()).await {
            // Of a kind that is retried.
            Ok(page) => page.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?,
            Err(_) => {
                return Err(HttpError::new(
                    HttpErrorKind::Timeout,
                    TransportError::Silent(PAGE),
                ));
            }
        };
        Ok(HttpResponse::from_parts(parts, sifted.sift(page).into()))
    }
}

/// The answer, in which the ETag of an append blob is the time of its creation.
fn tagged_by_creation(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    let is_append = headers
        .get("x-ms-blob-type")
        .is_some_and(|kind| kind.as_bytes() == b"AppendBlob");
    let created = headers
        .get("x-ms-creation-time")
        .and_then(|time| time.to_str().ok())
        .and_then(|time| HeaderValue::from_str(&format!("\"{time}\"")).ok());
    if let Some(tag) = created.filter(|_| is_append) {
        headers.insert("etag", tag);
    }
    response
}
