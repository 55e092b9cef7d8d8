//! A progress bar on stderr while a run reads its input; on a terminal only.

use std::{io::IsTerminal, sync::Arc, time::Duration};

use auditql_engine::Engine;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

/// A bar that is gone when this is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// A run shorter than this needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

impl Progress {
    /// Follows the engine's running scan.
    pub(crate) fn start(engine: &Arc<Engine>, quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
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
    tokio::time::sleep(PATIENCE).await;
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
        tokio::time::sleep(Duration::from_millis(100)).await;
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
