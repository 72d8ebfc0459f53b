//! Waiting until another thread's call ends, with the GIL released.
//!
//! Waiting is rare, so all handles of a module share one condition variable. Whoever ends a use that is waited for
//! changes the word first and then takes the lock, so no wake-up is lost; the time limit is only there to look for
//! signals.
//!
//! Calls that wait for a handle stand in its queue ([`Place`]), which exists only while somebody does. While it exists
//! the handle's word refuses newcomers, so each call comes to its turn.
//!
//! In a forked child the other threads are gone, and whatever they held stays held: the lock is made anew there, and a
//! handle from before the fork is never waited for.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;

use super::state::HandleState;
use crate::borrow_state::Queue;
use crate::fork::forks;
use crate::interpreter::ReentrancyGuard;

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

struct Waiters {
    lock: Mutex<Queues>,
    changed: Condvar,
    forks: u32,
}

/// The queues of all handles that calls wait for, by the state's address.
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

/// This process's lock. The one of before a fork may be held for ever, so it is left behind.
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

/// Wait until `ready`, or for a while; the caller looks again in any case.
///
/// # Errors
///
/// What a Python signal handler raised meanwhile, such as `KeyboardInterrupt`.
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

/// Wake all who wait.
pub(super) fn wake() {
    let waiters = waiters();
    drop(waiters.queues());
    waiters.changed.notify_all();
}

/// A call's place in the queue for one handle, which it gives up when this is dropped.
pub(super) struct Place<'a> {
    state: &'a HandleState,
    exclusive: bool,
    ticket: u64,
}

impl<'a> Place<'a> {
    /// The last place.
    pub(super) fn take(state: &'a HandleState, exclusive: bool) -> Self {
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

    /// Whether this is a place in that queue, for that way of using the handle.
    pub(super) fn is_for(&self, state: &HandleState, exclusive: bool) -> bool {
        ptr::eq(self.state, state) && self.exclusive == exclusive
    }

    /// Whether the call may pass by those who wait for `state`, as it waits there itself and is the next.
    pub(super) fn passes(&self, state: &HandleState) -> bool {
        ptr::eq(self.state, state) && self.is_turn(&waiters().queues())
    }

    fn is_turn(&self, queues: &Queues) -> bool {
        let queue = queues.queues.get(&ptr::from_ref(self.state).addr());
        // In a forked child there is none: its other callers are gone.
        queue.is_none_or(|queue| queue.is_turn(self.ticket))
    }

    /// Wait for a while, or until it is this call's turn and nobody is in its way.
    ///
    /// # Errors
    ///
    /// As [`wait_for`].
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
