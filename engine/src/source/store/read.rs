//! Ranges of an object in, a blocking stream of its bytes out; the next range is fetched while this
//! one is read.
//!
//! `object_store` repeats requests that fail, and continues a body that breaks off as long as it is
//! the same object and little time has passed. What it gives up is continued here for as long as
//! there is any progress: a slow network is no error. Fewer bytes than were listed are one, always:
//! nothing is lost silently.

use std::{
    io::{self, Read},
    ops::Range,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use tokio::{sync::mpsc, task::AbortHandle};

use super::{
    Opened, StoreObject,
    cloud::Cloud,
    connector::{Network, Traffic},
    failure::{Failure, Kind},
};

/// Bytes that are asked for at once.
const BLOCK: u64 = 8 << 20;

/// Pieces of a body that is not read in blocks: those that wait to be read.
const PIECES: usize = 64;

/// The way to whoever reads. An empty piece is the end; a way that ends without one is no end.
pub(super) type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// A blocking stream. To be read on a thread that may block, never in async context.
pub(super) struct Prefetched {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    now: Bytes,
    /// The end: `Err` says why it came too soon, and says so however often one asks.
    end: Option<Result<(), String>>,
    task: AbortHandle,
}

/// Begins to read a range; `end` is not past the end of the object, or the end is not known.
pub(super) fn open(
    opened: Arc<Opened>,
    object: &StoreObject,
    range: Range<u64>,
    network: &Network,
) -> Prefetched {
    let waiting = match &*opened {
        Opened::Cloud(_) => 1,
        Opened::Web(_) => PIECES,
    };
    let (sender, pieces) = mpsc::channel(waiting);
    let (object, traffic) = (object.clone(), Arc::clone(&network.traffic));
    let task = network.runtime.spawn(async move {
        let outcome = match &*opened {
            Opened::Cloud(cloud) => blocks(cloud, &object, range, &sender, &traffic).await,
            Opened::Web(web) => web.stream(&object, range, &sender).await,
        };
        // Nobody may be there any more to hear it.
        let _ = sender
            .send(outcome.map(|()| Bytes::new()).map_err(io::Error::from))
            .await;
    });
    Prefetched {
        pieces,
        now: Bytes::new(),
        end: None,
        task: task.abort_handle(),
    }
}

impl Read for Prefetched {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match &self.end {
                Some(Ok(())) => return Ok(0),
                Some(Err(why)) => return Err(io::Error::other(why.clone())),
                None => {}
            }
            match self.pieces.blocking_recv() {
                Some(Ok(piece)) if piece.is_empty() => self.end = Some(Ok(())),
                Some(Ok(piece)) => self.now = piece,
                Some(Err(error)) => self.end = Some(Err(error.to_string())),
                None => self.end = Some(Err("reading was stopped".to_owned())),
            }
        }
        let length = out.len().min(self.now.len());
        let piece = self.now.split_to(length);
        if let Some(place) = out.get_mut(..length) {
            place.copy_from_slice(&piece);
        }
        Ok(length)
    }
}

impl Drop for Prefetched {
    fn drop(&mut self) {
        // What is on its way is not wanted any more.
        self.task.abort();
    }
}

/// Reads a range of an object in a cloud, block by block.
async fn blocks(
    cloud: &Cloud,
    object: &StoreObject,
    range: Range<u64>,
    pieces: &Pieces,
    traffic: &Traffic,
) -> Result<(), Failure> {
    let mut tag = cloud.first_tag(object.etag.as_deref());
    let mut at = range.start;
    while at < range.end {
        // There is room as soon as the block before is being read: so there are never more than
        // two.
        let Ok(place) = pieces.reserve().await else {
            return Ok(());
        };
        let wanted = at..range.end.min(at.saturating_add(BLOCK));
        let mut got = BytesMut::new();
        let outcome = block(cloud, object, wanted, &mut tag, &mut got, traffic).await;
        at += got.len() as u64;
        // What came before an error is read, too.
        if !got.is_empty() {
            place.send(Ok(got.freeze()));
        }
        outcome?;
    }
    Ok(())
}

/// Reads one block, in as many requests as it takes.
async fn block(
    cloud: &Cloud,
    object: &StoreObject,
    wanted: Range<u64>,
    tag: &mut Option<String>,
    got: &mut BytesMut,
    traffic: &Traffic,
) -> Result<(), Failure> {
    got.reserve(usize::try_from(wanted.end - wanted.start).unwrap_or_default());
    let mut at = wanted.start;
    while at < wanted.end {
        let outcome = cloud
            .get(&object.key, at..wanted.end, tag, got, traffic)
            .await;
        let progress = wanted.start + got.len() as u64 - at;
        at += progress;
        match outcome {
            // The requests of this attempt were repeated already.
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
        "the object ends after {at}{listed} bytes; it changed since it was listed, or was not delivered whole"
    );
    Failure::new(Kind::Changed, message)
}
