//! Python's signal handlers: the thread that runs them, and calls of them while C works for long.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::reentrancy::ReentrancyGuard;
use crate::error::Result;
use crate::fork::{forks, watch_forks};

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

thread_local! {
    /// The time at which this thread last looked for signals.
    static LOOKED: Cell<Option<Instant>> = const { Cell::new(None) };
    /// The number of forks at the last check, and whether this thread runs Python's signal handlers.
    static HANDLES: Cell<Option<(u32, bool)>> = const { Cell::new(None) };
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
    match HANDLES.get() {
        Some((before, handles)) if before == forks() => handles,
        _ => find_out_who_handles(),
    }
}

#[cold]
fn find_out_who_handles() -> bool {
    // A forked child may have another main thread.
    watch_forks();
    let main = Python::try_attach(|py| {
        let _python = ReentrancyGuard::begin();
        is_main_thread(py).ok()
    });
    let Some(main) = main.flatten() else {
        return false;
    };
    HANDLES.set(Some((forks(), main)));
    main
}

fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    main.eq(threading.call_method0("get_ident")?)
}
