//! Python's signal handlers: the thread that runs them, and calls of them while C works for long.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pyo3::ffi;
use pyo3::prelude::*;

use super::reentrancy::ReentrancyGuard;
use crate::error::Result;
use crate::fork::InChild;

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

thread_local! {
    /// The time at which this thread last looked for signals.
    static LOOKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The number of Python's main thread, which runs the signal handlers; 0 until a module was initialized.
static MAIN_THREAD: AtomicUsize = AtomicUsize::new(0);

// The thread that forked is the main thread of the child.
inventory::submit! {
    InChild(|| {
        if MAIN_THREAD.load(Ordering::Relaxed) != 0 {
            MAIN_THREAD.store(current_thread(), Ordering::Relaxed);
        }
    })
}

/// Returns the number of this thread. It is not larger than a pointer.
fn current_thread() -> usize {
    // SAFETY: CPython: the function may be called at any time, by any thread.
    let number = unsafe { ffi::PyThread_get_thread_ident() };
    usize::try_from(number).unwrap_or(0)
}

/// Finds out which thread is Python's main thread, so that no call has to: a call that asks may find no memory.
pub(crate) fn note_main_thread(py: Python<'_>) -> PyResult<()> {
    let main = py.import("threading")?.call_method0("main_thread")?;
    MAIN_THREAD.store(main.getattr("ident")?.extract()?, Ordering::Relaxed);
    Ok(())
}

/// Runs Python's handlers of the signals that came meanwhile, where this thread is the one that does; see
/// [`check_signals`](crate::check_signals).
pub(crate) fn check_signals() -> Result<()> {
    let now = Instant::now();
    if LOOKED
        .get()
        .is_some_and(|last| now.duration_since(last) < SIGNALS_EVERY)
    {
        return Ok(());
    }
    LOOKED.set(Some(now));
    match handles_signals() {
        true => run_signal_handlers(),
        false => Ok(()),
    }
}

/// Runs Python's handlers of the signals that came meanwhile, on the thread that does so; on others, nothing.
pub(crate) fn run_signal_handlers() -> Result<()> {
    let checked = Python::try_attach(|py| {
        // A handler that uses what the running call uses would wait for this very thread.
        let _python = ReentrancyGuard::begin();
        py.check_signals()
    });
    checked.unwrap_or(Ok(())).map_err(Into::into)
}

/// Returns whether this thread runs Python's signal handlers.
pub(crate) fn handles_signals() -> bool {
    MAIN_THREAD.load(Ordering::Relaxed) == current_thread()
}
