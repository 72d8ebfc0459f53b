//! Waiting until another thread's call ends, with the GIL released.
//!
//! Waiting is rare, so all handles of a module share one condition variable. A thread that ends an awaited borrow
//! changes the borrow state first and then takes the lock, so no wake-up is lost. The time limit only serves to check
//! for signals.
//!
//! Calls that wait for a handle stand in its queue ([`Place`]), which exists only while a call waits. While the queue
//! exists, the borrow state refuses newcomers, so each call gets its turn.
//!
//! In a forked child the other threads are gone, and their borrows never end. The child makes a new lock, and never
//! waits for a handle from before the fork.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::state::ResourceState;
use crate::borrow_state::Queue;
use crate::fork::forks;
use crate::interpreter::ReentrancyGuard;

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

struct Waiters {
    lock: Mutex<Queues>,
    changed: Condvar,
    forks: u32,
}

/// The queues of all handles that calls wait for, by the address of the handle's state.
#[derive(Default)]
struct Queues {
    queues: BTreeMap<usize, Queue>,
    tickets: u64,
}

impl Waiters {
    fn queues(&self) -> MutexGuard<'_, Queues> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

static WAITERS: AtomicPtr<Waiters> = AtomicPtr::new(ptr::null_mut());

/// Returns the lock of this process. A lock from before a fork may be held for ever, so it is replaced and never freed.
fn waiters() -> &'static Waiters {
    loop {
        let present = WAITERS.load(Ordering::Acquire);
        // SAFETY: Rust: null, or a box made below, which is never freed.
        if let Some(waiters) = unsafe { present.as_ref() }
            && waiters.forks == forks()
        {
            return waiters;
        }
        let fresh = Box::into_raw(Box::new(Waiters {
            lock: Mutex::default(),
            changed: Condvar::new(),
            forks: forks(),
        }));
        let swapped = WAITERS.compare_exchange(present, fresh, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            // SAFETY: Rust: another thread was faster, so nobody has seen this box.
            drop(unsafe { Box::from_raw(fresh) });
        }
    }
}

/// Waits for a wake-up or the time limit, unless `ready` returns `true` already. The caller checks again in any case.
///
/// # Errors
///
/// The exception of a Python signal handler, such as `KeyboardInterrupt`.
pub(super) fn wait_for(py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
    wait_under_lock(py, |_| ready())
}

fn wait_under_lock(py: Python<'_>, ready: impl Fn(&Queues) -> bool + Sync) -> PyResult<()> {
    py.detach(|| {
        let waiters = waiters();
        let queues = waiters.queues();
        if !ready(&queues) {
            drop(waiters.changed.wait_timeout(queues, SIGNALS_EVERY));
        }
    });
    // A handler that uses what is being waited for would wait for this very thread.
    let _python = ReentrancyGuard::begin();
    py.check_signals()
}

/// Wakes all waiting threads.
pub(super) fn notify_waiters() {
    let waiters = waiters();
    drop(waiters.queues());
    waiters.changed.notify_all();
}

/// A call's place in the queue for one handle. The drop leaves the queue.
pub(super) struct Place<'a> {
    state: &'a ResourceState,
    exclusive: bool,
    ticket: u64,
}

impl<'a> Place<'a> {
    /// Takes the last place in the queue of `state`.
    pub(super) fn take(state: &'a ResourceState, exclusive: bool) -> Self {
        let mut queues = waiters().queues();
        queues.tickets += 1;
        let ticket = queues.tickets;
        let queue = queues.queues.entry(ptr::from_ref(state).addr());
        queue.or_default().join(ticket, exclusive);
        // Under the lock, as whoever leaves last takes the mark away.
        state.borrow_state.set_queued();
        Place {
            state,
            exclusive,
            ticket,
        }
    }

    /// Returns whether this is a place in the queue of `state`, for a borrow that is `exclusive` or not.
    pub(super) fn is_for(&self, state: &ResourceState, exclusive: bool) -> bool {
        ptr::eq(self.state, state) && self.exclusive == exclusive
    }

    /// Returns whether the call may pass the queue of `state`, because it waits there and its turn has come.
    pub(super) fn passes(&self, state: &ResourceState) -> bool {
        ptr::eq(self.state, state) && self.is_turn(&waiters().queues())
    }

    fn is_turn(&self, queues: &Queues) -> bool {
        let queue = queues.queues.get(&ptr::from_ref(self.state).addr());
        // In a forked child there is none: its other callers are gone.
        queue.is_none_or(|queue| queue.is_turn(self.ticket))
    }

    /// Waits for a wake-up or the time limit, unless it is this call's turn and no borrow is in its way.
    ///
    /// # Errors
    ///
    /// The same errors as [`wait_for`].
    pub(super) fn wait(&self, py: Python<'_>) -> PyResult<()> {
        let state = &self.state.borrow_state;
        state.register_waiter();
        wait_under_lock(py, |queues| {
            let in_use = match self.exclusive {
                true => state.is_borrowed(),
                false => state.is_borrowed_mut(),
            };
            // Not expected: somebody woke the others before this call could sleep.
            !state.has_waiter() || state.is_closing() || !in_use && self.is_turn(queues)
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let waiters = waiters();
        let mut queues = waiters.queues();
        let address = ptr::from_ref(self.state).addr();
        let queue = queues.queues.get_mut(&address);
        if queue.is_none_or(|queue| queue.leave(self.ticket)) {
            queues.queues.remove(&address);
            self.state.borrow_state.clear_queued();
        } else {
            // It may be the next one's turn now.
            drop(queues);
            waiters.changed.notify_all();
        }
    }
}
