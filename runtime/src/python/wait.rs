//! Waiting until another thread's call ends, with the GIL released.
//!
//! Waiting is rare, so all handles of a module share one condition variable. Whoever ends a use that is waited for
//! changes the word first and then takes the lock, so no wake-up is lost; the time limit is only there to look for
//! signals.
//!
//! In a forked child the other threads are gone, and whatever they held stays held: the lock is made anew there, and a
//! handle from before the fork is never waited for.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::depth::MayRunPython;
use crate::forks::forks;

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

struct Waiters {
    lock: Mutex<()>,
    changed: Condvar,
    forks: u32,
}

static WAITERS: AtomicPtr<Waiters> = AtomicPtr::new(ptr::null_mut());

/// This process's lock. The one of before a fork may be held for ever, so it is left behind.
fn waiters() -> &'static Waiters {
    loop {
        let present = WAITERS.load(Ordering::Acquire);
        // SAFETY: null, or made below and never freed.
        if let Some(waiters) = unsafe { present.as_ref() }
            && waiters.forks == forks()
        {
            return waiters;
        }
        let fresh = Box::into_raw(Box::new(Waiters {
            lock: Mutex::new(()),
            changed: Condvar::new(),
            forks: forks(),
        }));
        let swapped = WAITERS.compare_exchange(present, fresh, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            // SAFETY: another thread was faster, so nobody has seen this one.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }
}

/// Wait until `ready`, or for a while; the caller looks again in any case.
///
/// # Errors
///
/// What a Python signal handler raised meanwhile, such as `KeyboardInterrupt`.
pub(super) fn wait_for(py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
    py.detach(|| {
        let waiters = waiters();
        let lock = waiters.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready() {
            drop(waiters.changed.wait_timeout(lock, SIGNALS_EVERY));
        }
    });
    // A handler that uses what is being waited for would wait for this very thread.
    let _python = MayRunPython::begin();
    py.check_signals()
}

/// Wake all who wait.
pub(super) fn wake() {
    let waiters = waiters();
    drop(waiters.lock.lock().unwrap_or_else(PoisonError::into_inner));
    waiters.changed.notify_all();
}
