//! The GIL for calls that need it, in sections without it.

use pyo3::ffi;

use super::attach::{has_thread_state, is_detached, is_ending, is_traversing, mark_detached};
use super::thread_exit::Hang;
use crate::restore_guard::RestoreGuard;

/// The GIL, which a call takes that is not marked `detach` and finds its thread without it.
#[derive(Debug)]
pub(crate) struct Attached {
    state: ffi::PyGILState_STATE,
    _flag: RestoreGuard<bool>,
    _hang: Hang,
}

impl Attached {
    /// Takes the GIL if this thread runs a section that gave it up: a `#[detach]` body, or a callback of a detached
    /// call.
    #[inline]
    pub(crate) fn reattach() -> Option<Self> {
        match is_detached() {
            false => None,
            true => Attached::begin(),
        }
    }

    /// Takes the GIL if this thread does not have it. Returns `None` where there is none to take: the interpreter ends,
    /// or the garbage collector runs.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin() -> Option<Self> {
        // SAFETY: CPython: the function may be called at any time, by any thread.
        if is_traversing() || is_ending() || unsafe { has_thread_state() } {
            return None;
        }
        // If the interpreter begins to end now, Python never gives the GIL to this thread.
        let hang = Hang::begin();
        Some(Attached {
            // SAFETY: CPython: the interpreter runs, and this thread is not attached.
            state: unsafe { ffi::PyGILState_Ensure() },
            _flag: mark_detached(false),
            _hang: hang,
        })
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // SAFETY: CPython: `begin` got the state on this thread, since a guard with a raw handle of the thread stays
        // there, and guards are dropped in the opposite order.
        unsafe { ffi::PyGILState_Release(self.state) };
    }
}
