//! The signals that ask the program to stop: SIGINT (Ctrl-C), SIGTERM and SIGHUP in; an
//! [`Interrupt`] that the program looks at out, and the end of the program if it does not.
//!
//! One thread listens from the start to the end. Work is asked to stop first. If the program still
//! runs after [`PATIENCE`], because its threads compute without pause or wait for the system, or if
//! a second signal comes, the listener removes temporary files and ends the process itself. Not
//! responsible for how work is stopped (`run/`).

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::watch;

/// How long the program may take to stop by itself.
const PATIENCE: Duration = Duration::from_millis(800);

/// A signal that asks the program to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    Interrupt,
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has it"))]
    Terminate,
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has it"))]
    HangUp,
}

impl StopSignal {
    /// The exit code of a program that it ended: 128 and its number, as shells have it.
    pub(crate) const fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }
}

/// Whether the program was asked to stop. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<watch::Sender<Option<StopSignal>>>);

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Self {
        let interrupt = Self(Arc::new(watch::Sender::new(None)));
        let (ready, is_ready) = mpsc::channel();
        let listener = interrupt.clone();
        let started = std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || listener.run(&ready));
        // Without a listener signals end the program as the system has it.
        if started.is_ok() {
            let _ = is_ready.recv();
        }
        interrupt
    }

    /// Nobody listens: for tests.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// The signal that came, if one has.
    pub(crate) fn received(&self) -> Option<StopSignal> {
        *self.0.borrow()
    }

    /// Waits for a signal.
    pub(crate) async fn wait(&self) -> StopSignal {
        let mut signals = self.0.subscribe();
        let found = match signals.wait_for(Option::is_some).await {
            Ok(signal) => *signal,
            Err(_) => None,
        };
        match found {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }

    /// The shell has stopped what Ctrl-C was meant for, and goes on.
    pub(crate) fn settle(&self) {
        self.0.send_if_modified(|signal| {
            let is_settled = *signal == Some(StopSignal::Interrupt);
            if is_settled {
                *signal = None;
            }
            is_settled
        });
    }

    fn run(&self, ready: &mpsc::Sender<()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(mut signals) = Signals::new() else {
                return;
            };
            let _ = ready.send(());
            loop {
                let signal = signals.next().await;
                self.0.send_replace(Some(signal));
                let mut state = self.0.subscribe();
                tokio::select! {
                    signal = signals.next() => end(signal),
                    () = tokio::time::sleep(PATIENCE) => end(signal),
                    _ = state.wait_for(Option::is_none) => {}
                }
            }
        });
    }
}

/// Ends the process here and now, without what is temporary.
#[expect(
    clippy::exit,
    reason = "the threads of the program do not end by themselves"
)]
fn end(signal: StopSignal) -> ! {
    auditql_engine::remove_temporary_files();
    std::process::exit(signal.exit_code().into())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` if it is ignored, as under `nohup`.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hang_up = (!ignores_hang_up()).then(|| signal(SignalKind::hangup()));
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: hang_up.transpose()?,
        })
    }

    async fn next(&mut self) -> StopSignal {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = hang_up => StopSignal::HangUp,
        }
    }
}

/// Was the program started under `nohup`? Linux tells; elsewhere it counts as not.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    const HANG_UP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & HANG_UP != 0)
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> StopSignal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => StopSignal::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ctrl_c_can_be_settled_and_the_end_cannot() {
        let interrupt = Interrupt::never();
        interrupt.0.send_replace(Some(StopSignal::Interrupt));
        assert_eq!(interrupt.wait().await, StopSignal::Interrupt);
        interrupt.settle();
        assert_eq!(interrupt.received(), None);
        interrupt.0.send_replace(Some(StopSignal::Terminate));
        interrupt.settle();
        assert_eq!(interrupt.wait().await, StopSignal::Terminate);
    }
}
