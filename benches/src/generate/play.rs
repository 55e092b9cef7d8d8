//! The play: flows that start at random times, start each other and overlap. Flows and a seed go
//! in, events come out in order of time.
//!
//! Not responsible for what an event looks like (`event.rs`, `template.rs`), nor for who sends it
//! (`caller.rs`).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use super::caller::{Caller, Crowd};
use super::cluster::{Growth, Objects, Place, PodKind};
use super::flow::{Action, Exchange, Flow, Renewal};
use super::log::Log;
use super::profile::Profile;
use super::random::Random;
use super::template::Moment;

/// How long one deck of flows takes on average, in microseconds.
const DECK: f64 = 51.0 * 60.0 * 1e6;

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
    caller: Caller,
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

pub(super) struct Play<'a, W> {
    profile: Profile,
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
    crowd: Crowd,
    pub(super) log: Log<'a, W>,
}

impl<'a, W: Write> Play<'a, W> {
    pub(super) fn new(flows: &'a [Flow], profile: Profile, seed: u64, log: Log<'a, W>) -> Self {
        let steps = flows.iter().map(|flow| flow.steps.len()).sum();
        let size = flows.iter().map(|flow| flow.runs).sum();
        let mut play = Self {
            profile,
            flows,
            deck: Vec::with_capacity(size),
            dealt: 0,
            next_start: log.last,
            tasks: BinaryHeap::new(),
            order: 0,
            credit: vec![50; steps],
            resource_version: 4_200,
            random: Random::new(seed),
            crowd: Crowd::new(profile, seed),
            log,
        };
        play.deal();
        play
    }

    /// Writes the next event or events, or starts the next flow.
    pub(super) fn advance(&mut self) -> io::Result<()> {
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
            Task::Complete(open) => self.write(&open, 1, at),
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
        let growth = Growth::after(self.log.events, self.profile);
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
                        let growth = Growth::after(self.log.events, self.profile);
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
        let growth = Growth::after(self.log.events, self.profile);
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
            caller: self.crowd.draw(send.events.caller),
            resource_version: running.resource_version,
            next_resource_version: self.resource_version,
            random: Random::new(self.random.next()),
            received: at - latency as i64,
        };
        if writes {
            running.resource_version = self.resource_version;
        }
        self.write(&open, 0, at)?;
        if send.events.stages.len() > 1 {
            let hold = send.hold * 0.9 + self.random.exponential(send.hold * 0.1);
            self.schedule(at + hold as i64, Task::Complete(open));
        }
        Ok(())
    }

    fn write(&mut self, open: &Open<'a>, stage: usize, at: i64) -> io::Result<()> {
        let moment = Moment {
            objects: &open.objects,
            caller: &open.caller,
            random: open.random,
            received: open.received,
            stage: at,
            resource_version: open.resource_version,
            next_resource_version: open.next_resource_version,
        };
        self.log.write(&open.send.events.stages[stage], moment)
    }
}
