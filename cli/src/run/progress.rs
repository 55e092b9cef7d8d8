//! A progress bar on stderr while a run reads its input, on a terminal only.

use std::time::Duration;

use auditql_engine::Account;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::settings::Settings;

/// A progress bar, which disappears when this is dropped.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// Shorter runs show no bar.
const DELAY: Duration = Duration::from_millis(500);
/// The time between two looks at the account.
const INTERVAL: Duration = Duration::from_millis(100);

impl Progress {
    /// Follows what is read on this account.
    pub(crate) fn start(account: &Account, settings: &Settings) -> Self {
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
        let task = tokio::spawn(follow(bar.clone(), account.clone()));
        Self {
            bar: Some(bar),
            task: Some(task),
        }
    }
}

async fn follow(bar: ProgressBar, account: Account) {
    tokio::time::sleep(DELAY).await;
    bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
    loop {
        if let Some((done, all)) = account.progress() {
            bar.set_length(all);
            bar.set_position(done);
        }
        let (requests, bytes) = account.traffic();
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
