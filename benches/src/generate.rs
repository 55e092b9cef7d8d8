//! The load generator: audit logs of any size that look like those of a real cluster.
//!
//! It plays *flows*: what a Helm release, a node, a namespace controller or an intruder does, as
//! sequences of requests on the same objects (`flows/*.txt`). Flows start at random times, start
//! each other and overlap, so that lines have the neighbours they have in a real log, and compress
//! as well. Bodies are those of a real log with the names, UIDs, times and versions replaced
//! (`bodies.txt`).
//!
//! # The model
//!
//! The model is a log of 10,685 events (24.1 MB) that was recorded with GKE's audit policy from
//! Kubernetes 1.36 under a scripted workload (`inventory.json` of run `run1-gke-policy`). Every
//! flow has the number of times it happened there; together they are a *deck*, which is dealt in
//! random order again and again. `calibrate.py` measures the distance from the model at the model's
//! number of events, and, in longer logs, of the whole:
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
//! The same seed gives the same bytes. Memory does not grow with the log: objects' names and UIDs
//! follow from a number (`cluster.rs`), and only the flows under way are kept. What does grow with
//! the log, as in a real cluster: objects, UIDs, audit ids, times (a deck takes 51 minutes, more by
//! night and less by day), slowly nodes and human users up to a bound.
//!
//! # Differences from the model
//!
//! The model's ten thousand events took two minutes. Client addresses are those of a network, not
//! of one machine. Audit ids are unique: no client chooses its own. Nothing is truncated, and the
//! longest line has 18.9 kB (the model's has 17.9). The installation of the cluster, which the
//! model has once, recurs in every deck.

mod body;
mod client;
mod cluster;
mod event;
mod flow;
mod policy;
mod random;
mod status;
mod target;
mod template;
mod text;
mod time;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use cluster::{Growth, Objects, Place, PodKind};
use flow::{Action, Exchange, Flow, Renewal};
use random::Random;
use template::Moment;

/// 2026-11-16T06:00:00Z, a Monday, in microseconds since 1970.
const BEGIN: i64 = 1_794_808_800_000_000;

/// How long one deck of flows takes on average, in microseconds.
const DECK: f64 = 51.0 * 60.0 * 1e6;

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

/// Writes whole lines until there are `bytes` of them or more.
pub fn generate(out: &mut impl Write, bytes: u64, seed: u64) -> io::Result<Summary> {
    let flows = flow::load(seed)?;
    let steps = flows.iter().map(|flow| flow.steps.len()).sum();
    let size = flows.iter().map(|flow| flow.runs).sum();
    let log = Log {
        out,
        buffer: Vec::with_capacity(BUFFER + (1 << 16)),
        bytes: 0,
        events: 0,
        last: BEGIN,
    };
    let mut play = Play {
        flows: &flows,
        deck: Vec::with_capacity(size),
        dealt: 0,
        next_start: BEGIN,
        tasks: BinaryHeap::new(),
        order: 0,
        credit: vec![50; steps],
        resource_version: 4_200,
        random: Random::new(seed),
        log,
    };
    play.deal();
    let mut first = None;
    while play.log.bytes < bytes {
        play.advance()?;
        if first.is_none() && play.log.events > 0 {
            first = Some(play.log.last);
        }
    }
    play.log.flush()?;
    let written = |micros| {
        let mut text = Vec::new();
        time::write_micros(&mut text, micros);
        String::from_utf8_lossy(&text).into_owned()
    };
    let Log {
        events,
        bytes,
        last,
        ..
    } = play.log;
    Ok(Summary {
        events,
        bytes,
        first: written(first.unwrap_or(BEGIN)),
        last: written(last),
    })
}

/// A flow under way.
#[derive(Clone, Copy)]
struct Running {
    flow: usize,
    step: usize,
    objects: Objects,
    /// Of the object that the flow wrote last.
    resource_version: u64,
}

/// A request of which a later stage is still to be logged.
struct Open<'a> {
    send: &'a Exchange,
    objects: Objects,
    resource_version: u64,
    next_resource_version: u64,
    random: Random,
    received: i64,
}

enum Task<'a> {
    Continue(Running),
    Complete(Open<'a>),
}

/// A task, by its time; tasks of one time in the order in which they came up.
struct Scheduled<'a> {
    at: i64,
    order: u64,
    task: Task<'a>,
}

impl PartialEq for Scheduled<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Scheduled<'_> {}

impl PartialOrd for Scheduled<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

struct Play<'a, W> {
    flows: &'a [Flow],
    /// Every flow as often as it happens in the model's events, shuffled.
    deck: Vec<usize>,
    dealt: usize,
    next_start: i64,
    tasks: BinaryHeap<Reverse<Scheduled<'a>>>,
    order: u64,
    /// For each step the percentages it has not had yet: what makes shares exact.
    credit: Vec<u32>,
    resource_version: u64,
    random: Random,
    log: Log<'a, W>,
}

impl<'a, W: Write> Play<'a, W> {
    fn advance(&mut self) -> io::Result<()> {
        let next_start = self.next_start;
        let due = self
            .tasks
            .peek()
            .is_some_and(|Reverse(task)| task.at < next_start);
        let Some(Reverse(Scheduled { at, task, .. })) = due.then(|| self.tasks.pop()).flatten()
        else {
            self.start_next();
            return Ok(());
        };
        match task {
            Task::Continue(running) => self.step(running, at),
            Task::Complete(open) => self.log.write(&open, 1, at),
        }
    }

    /// Shuffles, but spreads the runs of a flow over the deck: the second half is like the first.
    fn deal(&mut self) {
        let mut places = Vec::with_capacity(self.deck.capacity());
        for (index, flow) in self.flows.iter().enumerate() {
            for run in 0..flow.runs {
                let place =
                    (run as u64 * 1_000_000 + self.random.below(950_000)) / flow.runs as u64;
                places.push((place, index));
            }
        }
        places.sort_unstable();
        self.deck.clear();
        self.deck.extend(places.into_iter().map(|(_, flow)| flow));
        self.dealt = 0;
    }

    fn start_next(&mut self) {
        if self.dealt == self.deck.len() {
            self.deal();
        }
        let flow = self.deck[self.dealt];
        self.dealt += 1;
        let at = self.next_start;
        let growth = Growth::after(self.log.events);
        let objects = Objects::choose(self.flows[flow].place, growth, at, &mut self.random);
        let resource_version = self.resource_version;
        self.schedule(
            at,
            Task::Continue(Running {
                flow,
                step: 0,
                objects,
                resource_version,
            }),
        );
        // By day there is three times as much to do as by night.
        let hour = (at / 3_600_000_000 % 24) as f64;
        let busy = 1.0 - 0.5 * ((hour - 2.0) * std::f64::consts::TAU / 24.0).cos();
        let mean = DECK / self.deck.len() as f64 / busy;
        self.next_start += self.random.exponential(mean) as i64;
    }

    fn schedule(&mut self, at: i64, task: Task<'a>) {
        self.order += 1;
        self.tasks.push(Reverse(Scheduled {
            at,
            order: self.order,
            task,
        }));
    }

    /// Plays the flow's next step, and puts the flow back for the one after it.
    fn step(&mut self, mut running: Running, at: i64) -> io::Result<()> {
        let flow = &self.flows[running.flow];
        let mut pause = 0.0;
        while pause == 0.0 {
            let Some(step) = flow.steps.get(running.step) else {
                return Ok(());
            };
            running.step += 1;
            self.credit[step.index] += step.percent;
            while self.credit[step.index] >= 100 {
                self.credit[step.index] -= 100;
                match &step.action {
                    Action::Send(send) => {
                        self.send(send, &mut running, at)?;
                        pause = flow.pace;
                    }
                    Action::Wait(time) => pause = *time,
                    Action::Start(flow) => {
                        let delay = self.random.exponential(4_000.0) as i64;
                        self.schedule(
                            at + delay,
                            Task::Continue(Running {
                                flow: *flow,
                                step: 0,
                                ..running
                            }),
                        );
                    }
                    Action::Enter(place) => {
                        let growth = Growth::after(self.log.events);
                        running.objects.enter(*place, growth, &mut self.random);
                    }
                    Action::Pods(kind) => running.objects.pod_kind = *kind,
                    Action::Renew(renewal) => self.renew(&mut running.objects, *renewal, at),
                }
            }
        }
        let pause = pause * 0.3 + self.random.exponential(pause * 0.7);
        self.schedule(at + pause as i64, Task::Continue(running));
        Ok(())
    }

    fn renew(&mut self, objects: &mut Objects, renewal: Renewal, at: i64) {
        let growth = Growth::after(self.log.events);
        let others = Objects::choose(Place::Team, growth, at, &mut self.random);
        if renewal.revision {
            objects.revision = others.revision;
        }
        if renewal.pod {
            objects.pod = others.pod;
        }
        if renewal.node {
            (objects.node, objects.nodes) = (others.node, others.nodes);
        }
        if renewal.name {
            objects.name = others.name;
        }
        if renewal.namespace {
            objects.namespace = others.namespace;
        }
        if !matches!(objects.pod_kind, PodKind::ReplicaSet) {
            objects.born = at;
        }
    }

    fn send(&mut self, send: &'a Exchange, running: &mut Running, at: i64) -> io::Result<()> {
        let latency = match send.slow {
            Some(slow) => slow + self.random.exponential(slow * 0.01),
            None => 350.0 + self.random.exponential(3_000.0),
        };
        let writes = send.events.writes;
        self.resource_version += if writes { 1 + self.random.below(2) } else { 0 };
        let open = Open {
            send,
            objects: running.objects,
            resource_version: running.resource_version,
            next_resource_version: self.resource_version,
            random: Random::new(self.random.next()),
            received: at - latency as i64,
        };
        if writes {
            running.resource_version = self.resource_version;
        }
        self.log.write(&open, 0, at)?;
        if send.events.stages.len() > 1 {
            let hold = send.hold * 0.9 + self.random.exponential(send.hold * 0.1);
            self.schedule(at + hold as i64, Task::Complete(open));
        }
        Ok(())
    }
}

/// The log being written.
struct Log<'a, W> {
    out: &'a mut W,
    buffer: Vec<u8>,
    bytes: u64,
    events: u64,
    /// The last event's `stageTimestamp`.
    last: i64,
}

const BUFFER: usize = 1 << 18;

impl<W: Write> Log<'_, W> {
    fn write(&mut self, open: &Open<'_>, stage: usize, at: i64) -> io::Result<()> {
        self.last = at.max(self.last + 1);
        let mut moment = Moment {
            objects: &open.objects,
            random: open.random,
            received: open.received,
            stage: self.last,
            resource_version: open.resource_version,
            next_resource_version: open.next_resource_version,
        };
        let before = self.buffer.len();
        open.send.events.stages[stage].write(&mut self.buffer, &mut moment);
        self.bytes += (self.buffer.len() - before) as u64;
        self.events += 1;
        if self.buffer.len() >= BUFFER {
            self.flush()
        } else {
            Ok(())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// The embedded texts are at fault.
fn malformed(what: &str, text: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("load generator: {what}: {text}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() -> io::Result<()> {
        let [mut first, mut second, mut other] = [Vec::new(), Vec::new(), Vec::new()];
        let summary = generate(&mut first, 3_000_000, 7)?;
        generate(&mut second, 3_000_000, 7)?;
        generate(&mut other, 3_000_000, 8)?;
        assert_eq!(summary.bytes, first.len() as u64);
        assert!(first == second);
        assert!(first != other);
        Ok(())
    }

    #[test]
    fn a_log_is_whole_lines() -> io::Result<()> {
        let mut log = Vec::new();
        let summary = generate(&mut log, 3_000_000, 7)?;
        let text = String::from_utf8_lossy(&log);
        assert!(text.ends_with("}\n"));
        assert_eq!(summary.events, text.lines().count() as u64);
        assert!(
            text.lines()
                .all(|line| line.starts_with(r#"{"kind":"Event","#))
        );
        assert!(text.contains(&summary.first) && text.contains(&summary.last));
        assert!(!text.contains('<'), "a field was not written");
        Ok(())
    }
}
