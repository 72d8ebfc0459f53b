//! Waiting until another thread's call ends, with the GIL released.
//!
//! Waiting is rare, so all handles of a module share one condition variable. Whoever ends a use that is waited for
//! changes the word first and then takes the lock, so no wake-up is lost; the time limit is only there to look for
//! signals.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

static LOCK: Mutex<()> = Mutex::new(());
static CHANGED: Condvar = Condvar::new();
const SIGNALS_EVERY: Duration = Duration::from_millis(20);

/// Wait until `ready`, or for a while; the caller looks again in any case.
///
/// # Errors
///
/// What a Python signal handler raised meanwhile, such as `KeyboardInterrupt`.
pub(super) fn wait_for(py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
    py.detach(|| {
        let lock = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready() {
            drop(CHANGED.wait_timeout(lock, SIGNALS_EVERY));
        }
    });
    py.check_signals()
}

/// Wake all who wait.
pub(super) fn wake() {
    drop(LOCK.lock().unwrap_or_else(PoisonError::into_inner));
    CHANGED.notify_all();
}
