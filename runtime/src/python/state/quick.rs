//! Quick borrows: the borrow of a handle for a direct entry, or of the one handle of another call, where nothing is in
//! the way.
//!
//! A handle without parents, and a view of such a handle, are borrowed by one look at one word. All others are borrowed
//! by [`call`](crate::python::call).

use std::ptr::NonNull;

use super::{HandleState, ResourceState, State};
use crate::fork::gate;
use crate::interpreter::apart_from_pending;
use crate::tree;

/// A quick borrow, until this is dropped.
pub(crate) struct QuickBorrow<'a, const EXCLUSIVE: bool> {
    counted: &'a ResourceState,
    raw: NonNull<()>,
}

impl<const EXCLUSIVE: bool> QuickBorrow<'_, EXCLUSIVE> {
    /// The native pointer of the handle.
    #[inline(always)]
    pub(crate) fn raw(&self) -> NonNull<()> {
        self.raw
    }
}

impl<const EXCLUSIVE: bool> Drop for QuickBorrow<'_, EXCLUSIVE> {
    #[inline(always)]
    fn drop(&mut self) {
        // The call may have unlinked parts.
        let is_unsettled = EXCLUSIVE && tree::is_any_unsettled();
        if is_unsettled || !self.counted.borrow_state.release_quick(EXCLUSIVE) {
            self.counted.release_slow(EXCLUSIVE);
        }
    }
}

impl HandleState {
    /// Borrows the handle. Returns `None` if one load of the borrow state does not suffice: a handle that is closed or
    /// busy, or whose ancestors, holder, thread or process have to be asked, or if a release waits for its thread.
    #[inline(always)]
    pub(crate) fn enter_quick<const EXCLUSIVE: bool>(&self) -> Option<QuickBorrow<'_, EXCLUSIVE>> {
        let (counted, raw) = match self.get() {
            State::Resource(resource) => (resource, resource.raw()),
            State::View(view) => {
                let owner = view.owner().get().state();
                match (owner.get(), view.plain_raw()) {
                    (State::Resource(resource), Some(raw)) => (resource, raw),
                    _ if view.is_closed() => return None,
                    _ => (owner.resource(), view.raw()),
                }
            }
            State::Watched(_) => return None,
        };
        let raw = NonNull::new(raw)?;
        // The word says whether the handle is closed, in use exclusively, or held by a child.
        if counted.quick_gate != gate() || !counted.borrow_state.try_borrow_quick(EXCLUSIVE) {
            return None;
        }
        if EXCLUSIVE {
            counted.begin_generation();
        }
        Some(QuickBorrow { counted, raw })
    }
}

impl ResourceState {
    /// Releases a shared borrow of a handle without parents, if one load of the borrow state suffices.
    #[inline(always)]
    pub(crate) fn release_quick(&self) -> bool {
        self.is_quick() && self.borrow_state.release_quick(false)
    }

    /// Releases a quick borrow that somebody waits for, or to which releases were deferred. The call may have raised
    /// already.
    #[cold]
    fn release_slow(&self, exclusive: bool) {
        apart_from_pending(|| match exclusive {
            true => self.release_borrow_mut(),
            false => self.release_borrow(),
        });
    }
}
