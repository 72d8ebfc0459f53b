//! Calls of this thread that may run Python code. A thread inside of one never waits for a handle: the call that it would
//! wait for might wait for it.

use std::cell::Cell;

use super::attach::{is_attached, is_ending};
use super::thread_exit::Hang;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

pub(crate) fn inside_python() -> bool {
    DEPTH.get() > 0
}

/// Returns whether this thread may wait for other threads: not within Python code that a call runs, and not while the
/// interpreter ends.
pub(crate) fn may_wait() -> bool {
    is_attached() && !inside_python() && !is_ending()
}

/// A stretch of a call that may run Python code: a body, a conversion that allocates containers.
pub(crate) struct ReentrancyGuard {
    _hang: Hang,
}

impl ReentrancyGuard {
    pub(crate) fn begin() -> Self {
        DEPTH.set(DEPTH.get() + 1);
        ReentrancyGuard {
            _hang: Hang::begin(),
        }
    }
}

impl Drop for ReentrancyGuard {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}
