//! The load generator: audit logs of any size that look like those of a real cluster. A profile, a
//! number of bytes and a seed go in, JSON lines come out.
//!
//! The generator plays *flows*: what a Helm release, a node, a namespace controller or an intruder
//! does, as sequences of requests on the same objects (`flows/*.txt`). Flows start at random times,
//! start each other and overlap, so lines have the neighbours that they have in a real log, and
//! compress as well. Bodies come from a real log, with new names, UIDs, times and versions
//! (`bodies.txt`).
//!
//! The same profile and seed give the same bytes. Memory does not grow with the log: an object's
//! name and UID follow from a number (`cluster.rs`), so do those of users (`caller.rs`), and only
//! the flows under way are kept.
//!
//! # Profiles
//!
//! | | `cluster` | `large` | `unique` |
//! |---|---|---|---|
//! | users | some 60 | 3,000 in 60,000 events, and no more later | one an event |
//! | source addresses | a few networks | one a user | one an event |
//! | audit policy | GKE's | few bodies (`policy.rs`) | few bodies |
//! | events with bodies | 42% | 10% | 10% |
//! | bytes an event | 2,273 | 1,400 | 1,450 |
//!
//! `large` and `unique` play the flows of `cluster` in 200 namespaces and on 240 nodes. A flow's
//! client is only a role there: a service account's request comes from some service account.
//! `unique` logs each request at its last stage only and leaves out impersonation, and requests
//! without a user of their own. Its addresses repeat after 2^30 events.
//!
//! # The model of `cluster`
//!
//! The model is a log of 10,685 events (24.1 MB) that was recorded with GKE's audit policy from
//! Kubernetes 1.36 under a scripted workload (`inventory.json` of run `run1-gke-policy`). Each flow
//! runs as often as it did there; together they are a *deck*, which is dealt in random order again
//! and again. `calibrate.py` measures the distance from the model at the model's number of events,
//! and, in longer logs, of the whole:
//!
//! | figure | model | generated (seed 7) |
//! |---|---|---|
//! | bytes an event | 2,259 | 2,273 |
//! | line: median, p95, p99 | 1,250, 6,716, 7,365 | 1,257, 6,793, 7,252 |
//! | request body: median, p95, p99 | 874, 1,849, 2,487 | 864, 1,829, 2,493 |
//! | response body: median, p95, p99 | 2,981, 5,758, 6,314 | 3,011, 5,610, 6,203 |
//! | ResponseComplete, ResponseStarted, Panic | 10,095, 584, 6 | 10,105, 574, 6 |
//! | Metadata, Request, RequestResponse | 2,810, 4,408, 3,467 | 2,802, 4,419, 3,464 |
//! | create, get, update, list, watch | 2,027, 2,010, 1,964, 1,850, 1,000 | 1,995, 2,031, 2,020, 1,822, 982 |
//! | patch, deletecollection, delete | 847, 558, 428 | 846, 562, 426 |
//! | 200, 201, 403, 404, 409 | 7,813, 1,923, 349, 275, 177 | 7,860, 1,894, 338, 266, 181 |
//! | 400, 500, 401, 429, 101 | 40, 33, 21, 19, 16 | 38, 33, 21, 19, 16 |
//! | distinct users, distinct URIs | 53, 2,931 | 57, 3,139 |
//! | `gzip -6` | 13.7 | 14.3 |
//!
//! As in a real cluster, these grow with the log: objects, UIDs, audit ids, times (a deck takes 51
//! minutes, more by night and less by day), and slowly, up to a bound, nodes and human users.
//!
//! # Differences from the model
//!
//! The model's ten thousand events took two minutes. Client addresses are those of a network, not
//! of one machine. Audit ids are unique: no client chooses its own. Nothing is truncated, and the
//! longest line has 18.9 kB (the model's has 17.9). The model installs its cluster once; here every
//! deck does.

mod body;
mod caller;
mod client;
mod cluster;
mod event;
mod flow;
mod log;
mod play;
mod policy;
mod profile;
mod random;
mod status;
mod target;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod time;

use std::io::{self, Write};

use log::Log;
use play::Play;
pub use profile::Profile;

/// 2026-11-16T06:00:00Z, a Monday, in microseconds since 1970.
const BEGIN: i64 = 1_794_808_800_000_000;

/// What was generated.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Lines written.
    pub events: u64,
    /// Bytes written.
    pub bytes: u64,
    /// `stageTimestamp` of the first event.
    pub first: String,
    /// `stageTimestamp` of the last event.
    pub last: String,
}

/// Writes whole lines of the profile `cluster` until there are `bytes` of them or more.
pub fn generate(out: &mut impl Write, bytes: u64, seed: u64) -> io::Result<Summary> {
    Profile::Cluster.generate(out, bytes, seed)
}

impl Profile {
    /// Writes whole lines until there are `bytes` of them or more.
    pub fn generate(self, out: &mut impl Write, bytes: u64, seed: u64) -> io::Result<Summary> {
        let flows = flow::load(self, seed)?;
        let mut play = Play::new(&flows, self, seed, Log::new(out, BEGIN));
        let mut first = None;
        while play.log.bytes < bytes {
            play.advance()?;
            if first.is_none() && play.log.events > 0 {
                first = Some(play.log.last);
            }
        }
        play.log.flush()?;
        Ok(Summary {
            events: play.log.events,
            bytes: play.log.bytes,
            first: timestamp(first.unwrap_or(BEGIN)),
            last: timestamp(play.log.last),
        })
    }
}

fn timestamp(micros: i64) -> String {
    let mut text = Vec::new();
    time::write_micros(&mut text, micros);
    String::from_utf8_lossy(&text).into_owned()
}

/// The embedded texts are at fault.
fn malformed(what: &str, text: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("load generator: {what}: {text}"),
    )
}
