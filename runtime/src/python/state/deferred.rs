//! Releases that cannot run now. They are deferred to an ancestor that is in use, or to the thread of the handle.

use std::ffi::CString;
use std::ptr::{self};
use std::sync::{Arc, PoisonError};

use crate::error::{Error, Owner};
use crate::handle::kind::HandleKind;
use crate::interpreter::apart_from_pending;
use crate::interpreter::report;
use crate::python::ancestors::Refused;
use crate::python::borrow_request::Mode;
use crate::python::pending_release::{ParentLease, PendingRelease, ReleaseOutcome};
use crate::python::thread_bound;

use super::never_queued;
use super::resource::ResourceState;
use super::view::lock_fields;

impl ResourceState {
    /// Defers the release of this handle, which is marked as closing, and of its descendants to `ancestor`, which
    /// another thread borrows exclusively. The end of that borrow releases them. Returns the outcome to wait for, or
    /// `None` if that borrow has ended or the close of an ancestor has taken the handle.
    pub(super) fn defer_release_to(&self, ancestor: &ResourceState) -> Option<Arc<ReleaseOutcome>> {
        let parent = self.parent()?;
        let mut above = ancestor.children();
        // It can't be left while its children are locked, and until then no one uses what lives in it.
        if !ancestor.borrow_state.is_borrowed_mut() {
            return None;
        }
        if ptr::eq(ancestor, parent) {
            self.unlink(&mut above);
        } else {
            self.unlink(&mut parent.children());
        }
        let ending = Arc::new(ReleaseOutcome::default());
        let mut doomed = self.take_all();
        // The last one is this handle's own. If there is none, the ancestor's close was faster.
        doomed.last_mut()?.heard = Some(ending.clone());
        above.waiting().orphans.append(&mut doomed);
        ancestor.borrow_state.register_waiter();
        Some(ending)
    }

    /// Releases the resource of a handle whose last reference is gone, or defers the release to an ancestor or a
    /// thread. `has_waiting` says whether something may wait for the handle.
    pub(super) fn drop_resource(&self, has_waiting: bool) {
        if self.is_from_parent_process() {
            return self.abandon();
        }
        if self.is_on_wrong_thread() {
            return self.send_deferred_to_thread();
        }
        let Some(parent) = self.parent() else {
            // What C keeps now is lost, and reported.
            match has_waiting {
                true => drop(self.release_dropped(true)),
                false => drop(self.take().and_then(PendingRelease::release_for_others)),
            }
            return;
        };
        loop {
            let blocked = match self.borrow_ancestors(Mode::Shared, never_queued) {
                Ok(()) => {
                    self.unlink(&mut parent.children());
                    let kept = self.release_dropped(has_waiting);
                    if !kept.is_empty() {
                        parent.children().waiting().kept.extend(kept);
                    }
                    return self.release_ancestors(Mode::Shared);
                }
                Err((holder, Refused::Held)) if self.thread() == 0 && self.has_more_parents() => {
                    return self.defer_release_to_held(holder);
                }
                Err((blocked, _)) => blocked,
            };
            if self.thread() != 0 || self.has_more_parents() {
                // Whoever has the ancestor is another thread, and does not keep the other parents.
                return self.send_deferred_to_thread();
            }
            let mut above = blocked.children();
            if blocked.borrow_state.is_borrowed_mut()
                || blocked.borrow_state.is_closing()
                || blocked.is_held()
            {
                if ptr::eq(blocked, parent) {
                    self.unlink(&mut above);
                } else {
                    self.unlink(&mut parent.children());
                }
                let orphans = &mut above.waiting().orphans;
                // With those whose release C refused: C is asked once more.
                orphans.extend(self.take_deferred());
                orphans.extend(self.take());
                blocked.borrow_state.register_waiter();
                return;
            }
        }
    }

    /// Defers the release of a dropped handle to `ancestor`, which another child holds. The release leases all parents,
    /// and runs when that child's hold ends.
    pub(super) fn defer_release_to_held(&self, ancestor: &ResourceState) {
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        let mut left = self.take_deferred();
        left.extend(self.take());
        for resource in &mut left {
            let needs = ParentLease::begin(self.clone_parents(self.parent.as_ref()));
            drop(resource.needs.replace(needs));
        }
        ancestor.children().waiting().orphans.append(&mut left);
        ancestor.borrow_state.register_waiter();
        if !ancestor.is_held() {
            ancestor.release_deferred();
        }
    }

    /// Runs the releases that were deferred to this handle. If a call is in the way, the end of that call runs them.
    pub(in crate::python) fn release_deferred(&self) {
        if self.borrow_with_ancestors(never_queued).is_ok() {
            self.release_orphans();
            self.release_with_ancestors();
        }
    }

    /// Defers the release of a dropped handle to the thread that made it, which may be this one. The release of a
    /// handle that is not thread-bound is deferred to this thread.
    pub(super) fn send_deferred_to_thread(&self) {
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        // What was left to it goes first.
        let mut left = self.take_deferred();
        left.extend(self.take());
        left.into_iter()
            .for_each(|resource| self.send_to_thread(resource));
    }

    /// Takes the releases that were deferred to this handle, then the resources whose release C refused.
    pub(super) fn take_deferred(&self) -> Vec<PendingRelease> {
        self.children().take_deferred()
    }

    pub(super) fn send_to_thread(&self, mut resource: PendingRelease) {
        // What it had itself ends only now.
        let needs = ParentLease::begin(self.clone_parents(self.parent.as_ref()));
        drop(resource.needs.replace(needs));
        let thread = match self.thread() {
            0 => thread_bound::number(),
            thread => thread,
        };
        if let Err(resource) = thread_bound::defer_to(thread, resource) {
            report(Error::Owner(self.kind.name(), Owner::EndedThread));
            // Its parents stay as they are for ever, as it does.
            std::mem::forget(resource);
        }
    }
}
impl ResourceState {
    /// Runs the deferred releases of a handle whose last reference is gone, then its own. If C refuses a release,
    /// returns that resource and all that were to follow.
    fn release_dropped(&self, has_waiting: bool) -> Vec<PendingRelease> {
        if !has_waiting {
            let kept = self.take().and_then(PendingRelease::release_for_others);
            return kept.into_iter().collect();
        }
        let mut left = self.take_deferred();
        left.extend(self.take());
        let mut left = left.into_iter();
        while let Some(resource) = left.next() {
            if let Some(kept) = resource.release_for_others() {
                return [kept].into_iter().chain(left).collect();
            }
        }
        Vec::new()
    }
}

impl ResourceState {
    /// Releases the resource of a handle whose last reference is gone, as the drop does. The handle has no parents and
    /// keeps nothing, and nothing waits for it (`drops_no_objects`).
    #[inline(always)]
    pub(super) fn release_dropped_plain(&mut self) {
        let raw = *self.raw.get_mut();
        if raw.is_null() {
            return;
        }
        if self.kind.warns_unclosed() || self.is_from_parent_process() {
            return self.release_dropped_any();
        }
        *self.raw.get_mut() = ptr::null_mut();
        // The objects of parts that are being dropped have seen the handle open and are done with it, or see it closed.
        {
            let _fields = lock_fields();
        }
        PendingRelease::release_alone(self.kind, raw);
    }

    /// Releases the resource of a handle whose last reference is gone.
    fn release_dropped_any(&mut self) {
        if self.kind.warns_unclosed() {
            warn_unclosed(self.kind);
        }
        let children = self
            .children
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let has_waiting = children.waiting.is_some();
        self.drop_resource(has_waiting);
    }
}

impl Drop for ResourceState {
    fn drop(&mut self) {
        match self.thread() {
            0 => {}
            thread => thread_bound::dropped(thread, self),
        }
        if self.raw().is_null() {
            // Whoever took it may still be about to unlink it, under the parent's lock.
            if let Some(parent) = self.parent() {
                self.unlink(&mut parent.children());
            }
            return;
        }
        self.release_dropped_any();
    }
}

/// Emits a `ResourceWarning`, as Python does for an unclosed file. The warning never replaces a pending exception.
#[cold]
fn warn_unclosed(kind: &HandleKind) {
    let message = CString::new(format!("unclosed {}", kind.name())).unwrap_or_default();
    // A state is dropped by its Python object, which only goes while this thread is attached.
    apart_from_pending(|| {
        // SAFETY: CPython: a state is dropped by its Python object, on a thread that is attached; no exception is
        // set.
        unsafe {
            if pyo3::ffi::PyErr_WarnEx(pyo3::ffi::PyExc_ResourceWarning, message.as_ptr(), 1) != 0 {
                pyo3::ffi::PyErr_WriteUnraisable(ptr::null_mut());
            }
        }
    });
}
