//! Waiting until another thread's call ends, with the GIL released.
//!
//! Waiting is rare, so all handles of a module share one condition variable. Whoever ends a use that is waited for
//! changes the word first and then takes the lock, so no wake-up is lost; the time limit is only there to look for
//! signals.
//!
//! In a forked child the other threads are gone, and whatever they held stays held: the lock is made anew there, and a
//! handle from before the fork is never waited for.

use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, Once, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::depth::MayRunPython;

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

struct Waiters {
    lock: Mutex<()>,
    changed: Condvar,
    forks: u32,
}

static WAITERS: AtomicPtr<Waiters> = AtomicPtr::new(ptr::null_mut());
static FORKS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

extern "C" fn in_forked_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Take notice of forks from now on.
pub(super) fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handler only adds to a number, which is allowed in a forked child. Where there is no memory to
        // remember it, forks go unnoticed.
        let _ = unsafe { pthread_atfork(None, None, Some(in_forked_child)) };
    });
}

/// How many forks lie between this process and the one that imported the module.
pub(super) fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

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
