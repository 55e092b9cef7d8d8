//! A range of an object in, a blocking stream of its bytes out. The next part is fetched while this
//! one is read.
//!
//! `object_store` retries failed requests and resumes a body that breaks off, but only for a
//! limited time. What it gives up on is resumed here for as long as there is any progress, because
//! a slow network is not an error. Fewer bytes than were listed always are: nothing is lost
//! silently.
//!
//! Not responsible for: single requests to a cloud (`cloud.rs`) and streams from a web server
//! (`web/stream.rs`).

use std::{
    io::{self, Read},
    ops::Range,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use tokio::{sync::mpsc, task::AbortHandle};

use super::{
    OpenedStore, StoreObject,
    cloud::CloudStore,
    connector::{StoreNetwork, Traffic},
    failure::{Failure, FailureKind},
};

/// Bytes requested at once.
const BLOCK: u64 = 8 << 20;

/// How many pieces of a body that is not read in blocks may wait to be read.
const PIECES: usize = 64;

/// Carries pieces to the reader. An empty piece marks the end; without one the stream is cut.
pub(super) type PieceSender = mpsc::Sender<io::Result<Bytes>>;

/// A blocking stream. Read it on a thread that may block, never in async context.
pub(super) struct PrefetchedReader {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    now: Bytes,
    /// The end. `Err` says why it came too soon, and is repeated for every further read.
    end: Option<Result<(), (io::ErrorKind, String)>>,
    task: AbortHandle,
}

/// Starts to read a range. `end` is not past the end of the object, unless that is unknown.
pub(super) fn open(
    opened: Arc<OpenedStore>,
    object: &StoreObject,
    range: Range<u64>,
    network: &StoreNetwork,
) -> PrefetchedReader {
    let waiting = match &*opened {
        OpenedStore::Cloud(_) => 1,
        OpenedStore::Web(_) => PIECES,
    };
    let (sender, pieces) = mpsc::channel(waiting);
    let (object, traffic) = (object.clone(), Arc::clone(&network.traffic));
    let task = network.runtime.spawn(async move {
        let outcome = match &*opened {
            OpenedStore::Cloud(cloud) => blocks(cloud, &object, range, &sender, &traffic).await,
            OpenedStore::Web(web) => web.stream(&object, range, &sender).await,
        };
        // The reader may be gone.
        let _ = sender
            .send(outcome.map(|()| Bytes::new()).map_err(io::Error::from))
            .await;
    });
    PrefetchedReader {
        pieces,
        now: Bytes::new(),
        end: None,
        task: task.abort_handle(),
    }
}

impl Read for PrefetchedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match &self.end {
                Some(Ok(())) => return Ok(0),
                Some(Err((kind, why))) => return Err(io::Error::new(*kind, why.clone())),
                None => {}
            }
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) if piece.is_empty() => self.end = Some(Ok(())),
                Some(Ok(piece)) => self.now = piece,
                Some(Err(error)) => self.end = Some(Err((error.kind(), error.to_string()))),
                None => {
                    let why = "reading was stopped".to_owned();
                    self.end = Some(Err((io::ErrorKind::Other, why)));
                }
            }
        }
        let length = out.len().min(self.now.len());
        let piece = self.now.split_to(length);
        if let Some(filled) = out.get_mut(..length) {
            filled.copy_from_slice(&piece);
        }
        Ok(length)
    }
}

impl Drop for PrefetchedReader {
    fn drop(&mut self) {
        // What is still on its way is no longer wanted.
        self.task.abort();
    }
}

/// Reads a range of an object in a cloud, block by block.
async fn blocks(
    cloud: &CloudStore,
    object: &StoreObject,
    range: Range<u64>,
    pieces: &PieceSender,
    traffic: &Traffic,
) -> Result<(), Failure> {
    let mut at = range.start;
    while at < range.end {
        // There is room once the reader has taken the previous block, so that at most two blocks
        // are in memory.
        let Ok(slot) = pieces.reserve().await else {
            return Ok(());
        };
        let wanted = at..range.end.min(at.saturating_add(BLOCK));
        let mut got = BytesMut::new();
        let outcome = block(cloud, object, wanted, &mut got, traffic).await;
        at += got.len() as u64;
        // What came before an error is read as well.
        if !got.is_empty() {
            slot.send(Ok(got.freeze()));
        }
        outcome?;
    }
    Ok(())
}

/// Reads one block, in as many requests as it takes.
async fn block(
    cloud: &CloudStore,
    object: &StoreObject,
    wanted: Range<u64>,
    got: &mut BytesMut,
    traffic: &Traffic,
) -> Result<(), Failure> {
    got.reserve(usize::try_from(wanted.end - wanted.start).unwrap_or_default());
    let mut at = wanted.start;
    while at < wanted.end {
        let outcome = cloud.get(object, at..wanted.end, got, traffic).await;
        let progress = wanted.start + got.len() as u64 - at;
        at += progress;
        match outcome {
            // The requests of this attempt were retried already.
            Err(failure) if progress == 0 || failure.is_final() => return Err(failure),
            Ok(()) if progress == 0 => return Err(too_short(at, object.size)),
            _ => {}
        }
    }
    Ok(())
}

/// The object ended too soon.
pub(super) fn too_short(at: u64, size: Option<u64>) -> Failure {
    let listed = size.map(|size| format!(" of {size}")).unwrap_or_default();
    let message = format!(
        "the object ends after {at}{listed} bytes; it changed since it was listed, or was not delivered in full"
    );
    Failure::new(FailureKind::Changed, message)
}
