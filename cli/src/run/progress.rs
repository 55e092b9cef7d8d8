//! A progress bar on stderr while a run reads its input, on a terminal only.

use std::{sync::Arc, time::Duration};

use auditql_engine::Engine;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::settings::Settings;

/// A progress bar, which disappears when this is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// Shorter runs show no bar.
const DELAY: Duration = Duration::from_millis(500);
/// The time between two looks at the engine.
const INTERVAL: Duration = Duration::from_millis(100);

impl Progress {
    /// Follows what the engine reads.
    pub(crate) fn start(engine: &Arc<Engine>, settings: &Settings) -> Self {
        if settings.quiet || !settings.terminal.stderr {
            return Self {
                bar: None,
                task: None,
            };
        }
        let bar = ProgressBar::hidden();
        if let Ok(style) = ProgressStyle::with_template(
            "{spinner} {elapsed} [{bar:30}] {pos}/{len} pieces of the input{msg}",
        ) {
            bar.set_style(style.progress_chars("=> "));
        }
        let task = tokio::spawn(follow(bar.clone(), Arc::clone(engine)));
        Self {
            bar: Some(bar),
            task: Some(task),
        }
    }
}

async fn follow(bar: ProgressBar, engine: Arc<Engine>) {
    tokio::time::sleep(DELAY).await;
    bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
    loop {
        if let Some((done, all)) = engine.progress() {
            bar.set_length(all);
            bar.set_position(done);
        }
        let (requests, bytes) = engine.traffic();
        if requests > 0 {
            bar.set_message(format!(", {} in {requests} requests", HumanBytes(bytes)));
        }
        bar.tick();
        tokio::time::sleep(INTERVAL).await;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
