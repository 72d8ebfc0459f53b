//! Quick borrows: the borrow of a handle for a direct entry, or of the one handle of another call, where nothing is in
//! the way.
//!
//! A handle without parents, and a view of such a handle, are borrowed by one look at one word. All others are borrowed
//! by [`call`](crate::python::call).

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use super::{HandleState, QuickBorrow};
use crate::fork::gate;
use crate::interpreter::apart_from_pending;

impl HandleState {
    /// Lets [`HandleState::enter_quick`] borrow the handle from now on, if it can: a handle that any thread may use, and
    /// that has no parents or is a view of one that has none. `self` must not move any more: it is inside its Python object.
    pub(in crate::python) fn allow_quick_borrows(&self) {
        let is_plain = self.thread() == 0 && !self.kind.is_counted() && !self.until_mut;
        let counted = match self.parent() {
            _ if !is_plain || self.has_more_parents() => return,
            None => self,
            Some(parent) if self.kind.is_view() => {
                let counted = parent.borrow_owner();
                if counted.quick.load(Ordering::Relaxed).is_null() {
                    return;
                }
                counted
            }
            Some(_) => return,
        };
        let counted = ptr::from_ref(counted).cast_mut();
        self.counted.store(counted, Ordering::Relaxed);
        self.quick.store(self.entered_raw(), Ordering::Relaxed);
    }

    /// Ends [`HandleState::allow_quick_borrows`], for a view that is closed: its own word does not count its borrows.
    pub(super) fn bar_quick_borrows(&self) {
        self.quick.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// Borrows the handle. Returns `None` if that takes more than a glance: a handle that is closed or busy, or whose
    /// ancestors, holder, thread or process have to be asked, or if a release waits for its thread.
    #[inline(always)]
    pub(in crate::python) fn enter_quick<const EXCLUSIVE: bool>(
        &self,
    ) -> Option<QuickBorrow<'_, EXCLUSIVE>> {
        let raw = NonNull::new(self.quick.load(Ordering::Relaxed))?;
        // SAFETY: guarantee 5: `allow_quick_borrows` has set it to the handle's own state, or to that of the owner of the
        // view, which `parent` keeps.
        let counted = unsafe { &*self.counted.load(Ordering::Relaxed) };
        // The word says whether the handle is closed, in use exclusively, or held by a child.
        if counted.forks != gate() || !counted.borrow_state.try_borrow_quick(EXCLUSIVE) {
            return None;
        }
        if EXCLUSIVE {
            counted.begin_generation();
        }
        Some(QuickBorrow { counted, raw })
    }

    /// Releases a quick borrow that somebody waits for, or to which releases were deferred. The call may have raised
    /// already.
    #[cold]
    pub(super) fn release_slow(&self, exclusive: bool) {
        apart_from_pending(|| match exclusive {
            true => self.release_borrow_mut(),
            false => self.release_borrow(),
        });
    }
}
