//! Callbacks during which nobody may use the handle that they belong to.

use std::sync::atomic::Ordering;

use super::state::HandleState;
use crate::attachment::{SideData, with_python};

/// A callback that has its handle alone: nobody else may use that, the Python code that is called included.
pub(crate) struct Alone<'a>(&'a SideData);

impl<'a> Alone<'a> {
    /// Begin, unless there is no Python object, or the call that called back has it alone anyway.
    pub(crate) fn begin(attached: &'a SideData) -> Option<Self> {
        let begun = with_header(attached, |state| {
            if attached.alone.load(Ordering::Acquire) == 0
                && state.borrow_state.try_exclude_new().is_err()
            {
                return None;
            }
            attached.alone.fetch_add(1, Ordering::AcqRel);
            Some(())
        });
        begun.flatten().map(|()| Alone(attached))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if self.0.alone.fetch_sub(1, Ordering::AcqRel) == 1 {
            with_header(self.0, HandleState::release_borrow_mut);
        }
    }
}

/// Calls `f` with the state of the handle's Python object, while there is one. C may call back on a thread of its own, so
/// this thread attaches first: the object, which takes its pointer away before it goes, goes on a thread that is attached.
fn with_header<R>(attached: &SideData, f: impl FnOnce(&HandleState) -> R) -> Option<R> {
    let state = || attached.state.load(Ordering::Acquire).cast::<HandleState>();
    if state().is_null() {
        return None;
    }
    // SAFETY: CPython: no other thread is attached meanwhile, so none drops the object; a call of this thread holds it.
    with_python(|| unsafe { state().as_ref() }.map(f))
}
