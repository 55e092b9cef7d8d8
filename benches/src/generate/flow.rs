//! Flows, sequences of requests that make up what happens in the cluster. `flows/*.txt` in, steps
//! with compiled events out.
//!
//! ```text
//! [NAME] RUNS pace=9ms ns=web           a flow, how often it is started among the model's events, and where
//! CLIENT VERB URI CODE OPTION...        a request; `~` is `/namespaces/<ns>`, `{a,b}` and `a+b` are two requests
//! start FLOW                            starts another flow with the same objects, beside this one
//! new pod node                          goes on with other objects
//! ns web  |  pods bare  |  wait 2s
//! repeat 3 ... end
//! ```
//!
//! Options of a request: `named=` (of what it creates), `body=`, `request=`, `response=`,
//! `+ANNOTATIONS`, `as=` (impersonation), `why=` (the grant), `hold=` (between two stages), `slow=`
//! (its latency), `stage=`, `bare` (a failure without a Status), `noannotations`, and at the end `
//! :: MESSAGE`. `33%` lets every third run have the line, exactly; the same for `start`.

use std::collections::HashMap;
use std::io;

use super::body::Bodies;
use super::client::{Client, Clients};
use super::cluster::{Place, PodKind};
use super::event::{Events, Request, events};
use super::malformed;
use super::profile::Profile;

const FLOWS: &[&str] = &[
    include_str!("flows/workloads.txt"),
    include_str!("flows/clients.txt"),
    include_str!("flows/control-plane.txt"),
    include_str!("flows/refusals.txt"),
];

/// A sequence of steps.
pub(super) struct Flow {
    /// How often it is started among the model's events.
    pub(super) runs: usize,
    pub(super) place: Place,
    /// The usual time between two steps, in microseconds.
    pub(super) pace: f64,
    pub(super) steps: Vec<Step>,
}

pub(super) struct Step {
    pub(super) action: Action,
    /// How often it happens in a hundred runs; it may be more often than that.
    pub(super) percent: u32,
    /// Its place among all steps.
    pub(super) index: usize,
}

pub(super) enum Action {
    Send(Exchange),
    /// The flow of this index.
    Start(usize),
    Renew(Renewal),
    Enter(Place),
    Pods(PodKind),
    /// Microseconds.
    Wait(f64),
}

/// A request and when its events are logged.
pub(super) struct Exchange {
    pub(super) events: Events,
    /// Between two stages, in microseconds.
    pub(super) hold: f64,
    /// From receipt to the first stage, in microseconds, where it is not the usual time.
    pub(super) slow: Option<f64>,
}

/// Which objects a flow exchanges for others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Renewal {
    pub(super) revision: bool,
    pub(super) pod: bool,
    pub(super) node: bool,
    pub(super) name: bool,
    pub(super) namespace: bool,
}

pub(super) fn load(profile: Profile, seed: u64) -> io::Result<Vec<Flow>> {
    let lines = || {
        FLOWS
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
    };
    let names = lines()
        .filter_map(|line| line.strip_prefix('[')?.split_once(']'))
        .map(|(name, _)| name);
    let mut parser = Parser {
        bodies: Bodies::load()?,
        profile,
        clients: Clients::load(profile, seed)?,
        flows: names
            .enumerate()
            .map(|(index, name)| (name, index))
            .collect(),
        steps: 0,
    };
    let mut flows: Vec<Flow> = Vec::new();
    let mut lines = lines();
    while let Some(line) = lines.next() {
        if line.starts_with('[') {
            flows.push(header(line)?);
            continue;
        }
        let flow = flows.last_mut().ok_or_else(|| malformed("no flow", line))?;
        match line.strip_prefix("repeat ") {
            None => parser.step(line, &mut flow.steps)?,
            Some(times) => {
                let block: Vec<_> = lines.by_ref().take_while(|line| *line != "end").collect();
                for _ in 0..number(times)? {
                    block
                        .iter()
                        .try_for_each(|line| parser.step(line, &mut flow.steps))?;
                }
            }
        }
    }
    Ok(flows)
}

fn header(line: &'static str) -> io::Result<Flow> {
    let (_, options) = line
        .split_once(']')
        .ok_or_else(|| malformed("not a flow", line))?;
    let mut flow = Flow {
        runs: 0,
        place: Place::Team,
        pace: 5_000.0,
        steps: Vec::new(),
    };
    for option in options.split_whitespace() {
        match option.split_once('=') {
            Some(("pace", pace)) => flow.pace = micros(pace)?,
            Some(("ns", place)) => {
                flow.place = Place::parse(place).ok_or_else(|| malformed("no such place", line))?
            }
            _ => flow.runs = number(option)?,
        }
    }
    Ok(flow)
}

struct Parser {
    profile: Profile,
    bodies: Bodies,
    clients: Clients,
    flows: HashMap<&'static str, usize>,
    steps: usize,
}

impl Parser {
    fn step(&mut self, line: &'static str, steps: &mut Vec<Step>) -> io::Result<()> {
        let (words, message) = match line.split_once(" :: ") {
            Some((words, message)) => (words, Some(message)),
            None => (line, None),
        };
        let mut words: Vec<_> = words.split_whitespace().collect();
        let percent = match words.last().and_then(|word| word.strip_suffix('%')) {
            Some(percent) => {
                words.pop();
                number(percent)? as u32
            }
            None => 100,
        };
        match words[..] {
            ["start", name] => {
                let flow = *self
                    .flows
                    .get(name)
                    .ok_or_else(|| malformed("no such flow", line))?;
                self.push(Action::Start(flow), percent, steps);
            }
            ["wait", time] => self.push(Action::Wait(micros(time)?), percent, steps),
            ["ns", place] => {
                let place = Place::parse(place).ok_or_else(|| malformed("no such place", line))?;
                self.push(Action::Enter(place), percent, steps);
            }
            ["pods", kind] => {
                let kind = match kind {
                    "bare" => PodKind::Bare,
                    "job" => PodKind::Job,
                    "daemonset" => PodKind::DaemonSet,
                    _ => return Err(malformed("no such kind of pod", line)),
                };
                self.push(Action::Pods(kind), percent, steps);
            }
            ["new", ref objects @ ..] => {
                let renewal = Renewal {
                    revision: objects.contains(&"revision"),
                    pod: objects.contains(&"pod"),
                    node: objects.contains(&"node"),
                    name: objects.contains(&"name"),
                    namespace: objects.contains(&"namespace"),
                };
                self.push(Action::Renew(renewal), percent, steps);
            }
            [client, ..] if self.leaves_out(client) => {}
            [client, verbs, uris, code, ref options @ ..] => {
                for uri in alternatives(uris) {
                    for verb in verbs.split('+') {
                        let verb = verb.trim_matches('-');
                        let uri = uri.replace('~', "/namespaces/<ns>");
                        let code = number(code)? as u16;
                        let request = Request {
                            client,
                            verb,
                            uri,
                            code,
                            message,
                            ..Request::default()
                        };
                        let send = self.send(request, options)?;
                        self.push(Action::Send(send), percent, steps);
                    }
                }
            }
            _ => return Err(malformed("not a step", line)),
        }
        Ok(())
    }

    /// Whether the requests of this client are no part of the profile.
    fn leaves_out(&self, client: &str) -> bool {
        self.profile.has_one_event_a_user()
            && self.clients.get(client).is_ok_and(Client::is_unknown)
    }

    fn push(&mut self, action: Action, percent: u32, steps: &mut Vec<Step>) {
        steps.push(Step {
            action,
            percent,
            index: self.steps,
        });
        self.steps += 1;
    }

    fn send(
        &self,
        mut request: Request<'static>,
        options: &[&'static str],
    ) -> io::Result<Exchange> {
        let (mut hold, mut slow) = (250.0, None);
        for option in options {
            match option.split_once('=') {
                Some(("named", name)) => request.named = Some(name),
                Some(("request", name)) => request.request = Some(name.to_owned()),
                Some(("response", name)) => request.response = Some(name.to_owned()),
                Some(("body", name)) => self.set_bodies(&mut request, name)?,
                Some(("as", _)) if self.profile.has_one_event_a_user() => {}
                Some(("as", name)) => request.impersonated = Some(name),
                Some(("why", name)) => request.why = Some(name),
                Some(("stage", stage)) => request.stage = Some(stage),
                Some(("hold", time)) => hold = micros(time)?,
                Some(("slow", time)) => slow = Some(micros(time)?),
                None if *option == "bare" => request.bare = true,
                None if *option == "noannotations" => request.unannotated = true,
                None if option.starts_with('+') => request.annotations = Some(&option[1..]),
                _ => return Err(malformed("no such option", option)),
            }
        }
        // A collection's deletion is logged with options, its list without.
        if matches!(request.verb, "get" | "list" | "watch") {
            request.request = None;
        }
        Ok(Exchange {
            events: events(&request, self.profile, &self.clients, &self.bodies)?,
            hold,
            slow,
        })
    }

    fn set_bodies(&self, request: &mut Request<'_>, name: &str) -> io::Result<()> {
        let [sent, received] = ["request", "response"].map(|side| format!("{name}.{side}"));
        if self.bodies.find(&sent).is_none() {
            request.request = Some(name.to_owned());
            return self.bodies.get(name).map(|_| ());
        }
        request.response = self.bodies.find(&received).map(|_| received);
        request.request = Some(sent);
        Ok(())
    }
}

/// The URIs that one with `{a,b}` stands for.
fn alternatives(uri: &str) -> Vec<String> {
    match uri
        .split_once('{')
        .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        Some((before, (choices, after))) => choices
            .split(',')
            .map(|choice| format!("{before}{choice}{after}"))
            .collect(),
        None => vec![uri.to_owned()],
    }
}

fn number(text: &str) -> io::Result<usize> {
    text.parse().map_err(|_| malformed("not a number", text))
}

fn micros(text: &str) -> io::Result<f64> {
    let (amount, unit) = match text.strip_suffix("ms") {
        Some(amount) => (amount, 1e3),
        None => (text.trim_end_matches('s'), 1e6),
    };
    amount
        .parse::<f64>()
        .map(|amount| amount * unit)
        .map_err(|_| malformed("not a time", text))
}
