//! The threads that a command runs on.

use anyhow::Result;

use crate::settings::Settings;

/// The stack of the thread that plans: an expression of thousands of terms is walked recursively.
const STACK: usize = 512 << 20;
/// The stack of each worker.
const WORKER_STACK: usize = STACK / 8;

/// Runs the work on a thread with a large stack.
///
/// # Errors
///
/// When the work fails, or panics.
pub(crate) fn on_large_stack(work: impl FnOnce() -> Result<u8> + Send + 'static) -> Result<u8> {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work)?;
    thread.join().map_err(|_| {
        anyhow::anyhow!("internal error in auditql; please report the command that caused it")
    })?
}

/// Runs the work on an asynchronous runtime with as many threads as the settings say.
pub(crate) fn block_on(settings: &Settings, work: impl Future<Output = Result<u8>>) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.options.threads)
        .thread_stack_size(WORKER_STACK)
        .enable_all()
        .build()?;
    let done = runtime.block_on(work);
    // After Ctrl-C a step of the query may still run; it is not waited for.
    runtime.shutdown_background();
    done
}
