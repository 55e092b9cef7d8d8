//! A range of a file on a web server in, its bytes out as they arrive.
//!
//! A stream that breaks off is resumed, with `Range` if the server knows it. Otherwise the file is
//! read again from the beginning, and what was read before is dropped.

use std::ops::Range;

use bytes::Buf;
use futures::StreamExt;
use tokio::time::{sleep, timeout};

use super::{ATTEMPTS, WebServer, content_range, header, pause, refusal};
use crate::source::store::{
    StoreObject,
    connector::STALL,
    failure::{Failure, FailureKind},
    read::{PieceSender, too_short},
};

impl WebServer {
    /// Reads a range of a file.
    ///
    /// # Errors
    ///
    /// If the server refuses, the file changes, or several attempts in a row bring nothing.
    pub(in super::super) async fn stream(
        &self,
        object: &StoreObject,
        range: Range<u64>,
        pieces: &PieceSender,
    ) -> Result<(), Failure> {
        let mut at = range.start;
        let mut idle = 0;
        loop {
            let before = at;
            let Err(failure) = self.attempt(object, &mut at, range.end, pieces).await else {
                return Ok(());
            };
            idle = if at > before { 0 } else { idle + 1 };
            if failure.is_final() || idle >= ATTEMPTS {
                return Err(failure);
            }
            sleep(pause(idle)).await;
        }
    }

    /// One attempt to read from `at` to `end`.
    async fn attempt(
        &self,
        object: &StoreObject,
        at: &mut u64,
        end: u64,
        pieces: &PieceSender,
    ) -> Result<(), Failure> {
        let is_whole = *at == 0 && end >= object.size.unwrap_or(u64::MAX);
        let last = match end {
            u64::MAX => String::new(),
            end => end.saturating_sub(1).to_string(),
        };
        let range = format!("bytes={}-{last}", *at);
        let headers = [("range", range.as_str())];
        let headers = if is_whole { &[] } else { &headers[..] };
        let answer = self.send("GET", &object.key, headers).await?;
        // The server may begin before the position.
        let begins = match answer.status().as_u16() {
            200 => 0,
            206 => content_range(&answer).map_or(*at, |(begins, _)| begins),
            416 if object.size.is_none() => return Ok(()),
            _ => return Err(refusal(&answer)),
        };
        let Some(mut known) = at.checked_sub(begins) else {
            return Err(Failure::refused(
                "the server answered with another range than was requested",
            ));
        };
        // A log may have grown since it was looked at, but not shrunk.
        let size = match answer.status().as_u16() {
            200 => header(&answer, "content-length").and_then(|size| size.parse().ok()),
            _ => content_range(&answer).and_then(|(_, size)| size),
        };
        let has_shrunk = object.size.zip(size).is_some_and(|(old, new)| new < old);
        let tag = header(&answer, "etag").or_else(|| header(&answer, "last-modified"));
        if has_shrunk || !object.state.meet(tag.unwrap_or_default()) {
            return Err(Failure::changed());
        }
        let mut body = answer.into_body().bytes_stream();
        while *at < end {
            let mut piece = match timeout(STALL, body.next()).await {
                Ok(Some(Ok(piece))) => piece,
                Ok(Some(Err(error))) => return Err(Failure::of_transport(&error)),
                Ok(None) => break,
                Err(_) => return Err(Failure::stalled(STALL)),
            };
            self.traffic.received(piece.len());
            let dropped = usize::try_from(known)
                .unwrap_or(usize::MAX)
                .min(piece.len());
            piece.advance(dropped);
            known -= dropped as u64;
            piece.truncate(usize::try_from(end - *at).unwrap_or(usize::MAX));
            if piece.is_empty() {
                continue;
            }
            *at += piece.len() as u64;
            if pieces.send(Ok(piece)).await.is_err() {
                return Ok(());
            }
        }
        match object.size {
            // The next attempt gets the rest, or shows that there is none.
            Some(size) if *at < end.min(size) => Err(Failure {
                kind: FailureKind::Other,
                ..too_short(*at, object.size)
            }),
            _ => Ok(()),
        }
    }
}
