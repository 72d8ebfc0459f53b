//! `close()`, the end of a borrow, and the transfer of a resource to C: what closes first, what is waited for, and what
//! is restored after C refuses a release.

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use pyo3::prelude::*;

use crate::borrow_state::BorrowError;
use crate::children::{self, Id};
use crate::error::Error;
use crate::fork::forks;
use crate::handle::ReleaseError;
use crate::handle::TreeOps;
use crate::interpreter::is_ending;
use crate::interpreter::{ReentrancyGuard, inside_python};
use crate::python::ancestors::Refused;
use crate::python::borrow_request::Mode;
use crate::python::exceptions::to_pyerr;
use crate::python::pending_release::{ParentLease, PendingRelease};
use crate::python::ref_counted;
use crate::python::thread_bound;
use crate::python::waiting::{Place, notify_waiters, wait_for};
use crate::side_table;
use crate::tree;

use super::resource::ResourceState;
use super::view::{left_fields, lock_fields, set_witness};
use super::{never_queued, wait_until};

impl ResourceState {
    pub(super) fn has_closing_ended(&self) -> bool {
        self.borrow_state.is_closed() || !self.borrow_state.is_closing()
    }

    /// Ends an exclusive borrow of this handle, after running the releases that were deferred to it.
    pub(in crate::python) fn release_borrow_mut(&self) {
        self.settle_parts();
        loop {
            let children = self.children();
            let waiting = children.waiting.as_ref();
            if waiting.is_none_or(|waiting| waiting.orphans.is_empty()) {
                // Under the lock, so that no one leaves an orphan to a handle that is just being left.
                if self.borrow_state.release_borrow_mut() {
                    notify_waiters();
                }
                return;
            }
            drop(children);
            self.release_orphans();
        }
    }

    /// Runs the releases that were deferred to this handle. Keeps the resources whose release C refuses.
    pub(super) fn release_orphans(&self) {
        let orphans = self.children().take_orphans();
        for orphan in orphans {
            if let Some(kept) = orphan.release_for_others() {
                self.children().waiting().kept.push(kept);
            }
        }
    }

    #[inline]
    pub(in crate::python) fn release_borrow(&self) {
        if self.borrow_state.release_borrow() {
            notify_waiters();
            if tree::is_any_unsettled() {
                self.settle_parts_if_free();
            }
        }
    }

    /// Releases the unlinked parts without Python objects. This thread borrows the handle exclusively.
    #[inline]
    fn settle_parts(&self) {
        if tree::is_any_unsettled() && !self.raw().is_null() {
            let id = Id::new(self.kind, self.raw());
            // SAFETY: guarantee 4: the handle is open, and this thread borrows it exclusively. guarantee 26: the field
            // of a part refers to an object that was not dropped.
            unsafe { tree::settle(id, |field| set_witness(field)) };
        }
    }

    /// Releases the unlinked parts without Python objects, unless somebody uses the handle.
    #[cold]
    fn settle_parts_if_free(&self) {
        if self.borrow_for_release() {
            self.end_borrow_for_release();
        }
    }

    /// Borrows the handle exclusively and its ancestors shared, if nobody is in the way.
    pub(super) fn borrow_for_release(&self) -> bool {
        if self.raw().is_null()
            || self.other_owner().is_some()
            || self.borrow_ancestors(Mode::Shared, never_queued).is_err()
        {
            return false;
        }
        if self.borrow_state.try_borrow_mut(true).is_ok() {
            return true;
        }
        self.release_ancestors(Mode::Shared);
        false
    }

    /// Ends [`borrow_for_release`](Self::borrow_for_release).
    pub(super) fn end_borrow_for_release(&self) {
        self.release_borrow_mut();
        self.release_ancestors(Mode::Shared);
    }

    /// Finds another witness for the unlinked subtree whose witness, the object of the part at `raw`, is gone, or
    /// releases the subtree. This thread borrows the handle exclusively.
    pub(super) fn lose_witness(&self, ops: &TreeOps, raw: *mut ()) {
        let id = Id::new(self.kind, self.raw());
        // SAFETY: guarantee 4: the handle is open, and this thread borrows it exclusively. guarantee 26: nobody has
        // released the part, and the field of a part refers to an object that was not dropped.
        unsafe {
            tree::settle_around(ops, raw, id, |field| set_witness(field));
        }
    }

    /// Looks for new witnesses of the unlinked subtrees when the use of the handle that is in the way ends.
    pub(super) fn settle_parts_later(&self) {
        tree::settle_later(Id::new(self.kind, self.raw()));
        self.borrow_state.register_waiter();
    }

    /// Closes this handle and its descendants. Returns when the native resource is released.
    pub(in crate::python) fn close(&self, py: Python<'_>) -> PyResult<()> {
        thread_bound::run_deferred();
        if self.is_from_parent_process() {
            self.abandon();
            return Ok(());
        }
        if !self.is_closed() {
            self.check_owner().map_err(|error| to_pyerr(py, error))?;
            self.check_dependents_first(py)?;
            self.close_dependents(py)?;
        }
        loop {
            match self.borrow_state.begin_close() {
                Ok(()) => break,
                Err(BorrowError::Closed) => return self.wait_for_closing_ancestor(py),
                Err(BorrowError::Busy) => self.wait(py, || self.has_closing_ended())?,
            }
        }
        let _marked = ClosingGuard(self);
        let mut place = None;
        loop {
            match self.borrow_ancestors(Mode::Shared, never_queued) {
                Ok(()) => match self.borrow_state.try_finish_close() {
                    Ok(()) => {
                        let released = self.check_descendants().and_then(|()| self.release_all());
                        self.release_ancestors(Mode::Shared);
                        return released.map_err(|error| to_pyerr(py, error));
                    }
                    Err(refusal) => {
                        let waits = refusal == BorrowError::Busy && !self.is_exported();
                        if waits && self.allow_wait(py).is_ok() {
                            self.interrupt();
                        }
                        self.release_ancestors(Mode::Shared);
                        if refusal == BorrowError::Closed {
                            return self.wait_for_closing_ancestor(py);
                        }
                        if self.is_exported() {
                            return Err(to_pyerr(py, Error::Exported(self.kind.name())));
                        }
                        self.wait(py, || !self.borrow_state.is_borrowed())?;
                    }
                },
                Err(_) if self.borrow_state.is_closed() => {
                    return self.wait_for_closing_ancestor(py);
                }
                Err((ancestor, Refused::Held)) => {
                    return Err(to_pyerr(py, ancestor.held_error()));
                }
                Err((ancestor, Refused::Closed)) => {
                    ancestor.wait(py, || ancestor.has_closing_ended())?;
                }
                Err((ancestor, Refused::Busy)) => {
                    ancestor.allow_wait(py)?;
                    if self.raw().is_null() && self.borrow_state.is_borrowed() {
                        // A call was given it, and may give it back.
                        self.wait(py, || !self.borrow_state.is_borrowed())?;
                    } else if self.thread() != 0 || self.has_more_parents() {
                        // What is left to the ancestor would be released on another thread, or after a parent.
                        ancestor.queue(py, &mut place, false)?;
                    } else if let Some(ending) = self.defer_release_to(ancestor) {
                        let waited = wait_until(py, || ending.has_come());
                        // Also if a signal ended the wait: it is out of this thread's hands.
                        self.become_closed();
                        waited?;
                        return ending
                            .error()
                            .map_or(Ok(()), |error| Err(to_pyerr(py, error)));
                    }
                }
            }
        }
    }

    /// Closes a handle of the parent process without a release: abandons its resource and those of its descendants.
    pub(super) fn abandon(&self) {
        let mut left = Vec::new();
        self.take_descendants(&mut left);
        left.extend(self.take());
        left.into_iter().for_each(PendingRelease::abandon);
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        self.become_closed();
    }

    /// Releases the descendants of this handle, which this thread borrows exclusively, then the handle. If C refuses a
    /// release, that resource and all that were to follow are kept, and this handle stays open.
    pub(super) fn release_all(&self) -> Result<(), Error> {
        let mut first = match self.release_descendants() {
            Err(ReleaseError {
                error, kept: true, ..
            }) => return Err(self.abort_close(error)),
            released => released.map_err(|unreleased| unreleased.error),
        };
        if let Some(mut resource) = self.take()
            && let Err(ReleaseError { error, kept, lost }) = resource.close()
        {
            if lost {
                // It may be there for ever, and so are its parents.
                std::mem::forget(ParentLease::begin(self.clone_parents(self.parent.as_ref())));
            }
            first = first.and(Err(error));
            if kept {
                self.take_back(&mut resource);
                return first.map_err(|error| self.abort_close(error));
            }
        }
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        self.become_closed();
        first
    }

    /// Takes the resource back after C refused its release, with the lease and the hold on the parents.
    pub(super) fn take_back(&self, resource: &mut PendingRelease) {
        if let Some(needs) = resource.needs.take() {
            self.set_dependence(needs.number);
            needs.disarm();
        }
        if let Some(holds) = resource.holds.take() {
            holds.disarm();
            self.hold_parent();
        }
        self.raw.store(resource.raw, Ordering::Release);
        if let Some(attached) = self.attached() {
            let here = ptr::from_ref(self).cast_mut().cast();
            attached.state.store(here, Ordering::Release);
        }
    }

    /// Releases the descendants of this handle, which this thread borrows exclusively, until C refuses a release.
    /// Returns the first error.
    pub(super) fn release_descendants(&self) -> Result<(), ReleaseError> {
        let mut first = Ok(());
        let mut doomed = Vec::new();
        self.take_descendants(&mut doomed);
        let mut doomed = doomed.into_iter();
        while let Some(resource) = doomed.next() {
            let Err(ReleaseError { error, kept, lost }) = resource.close() else {
                continue;
            };
            first = first.and(Err(error));
            if kept {
                let left = [resource].into_iter().chain(doomed);
                self.children().waiting().kept.extend(left);
                return first.map_err(|error| ReleaseError { error, kept, lost });
            }
        }
        first.map_err(ReleaseError::gone)
    }

    /// Takes the native pointer out of this handle, which this call borrows exclusively, to transfer the resource to C.
    /// Releases the descendants first. [`ResourceState::end_transfer`] or [`ResourceState::transferred`] follows.
    pub(in crate::python) fn begin_transfer(&self) -> Result<NonNull<()>, Error> {
        self.release_descendants()
            .map_err(|unreleased| unreleased.error)?;
        let id = Id::new(self.kind, self.raw());
        side_table::release_idle(id);
        children::check_transferable(id)?;
        let raw = self.raw.swap(ptr::null_mut(), Ordering::AcqRel);
        Ok(NonNull::new(raw).unwrap_or_else(|| unreachable!("an entered handle is open")))
    }

    /// Puts the native pointer back, after a call that did not transfer the resource to C. The owner of a tree is
    /// released instead if [`left_fields`] is not `left` any more: a part refers to an object that was dropped, or an
    /// object to a part that was released.
    pub(in crate::python) fn end_transfer(&self, raw: NonNull<()>, left: usize) {
        if self.kind.owns_tree() {
            let _fields = lock_fields();
            if left_fields() == left {
                self.put_back(raw);
                return;
            }
        } else {
            self.put_back(raw);
            return;
        }
        self.release_taken(raw);
    }

    /// Puts the native pointer back, which a call took out of this handle.
    pub(in crate::python) fn put_back(&self, raw: NonNull<()>) {
        self.raw.store(raw.as_ptr(), Ordering::Release);
    }

    /// Closes the handle after its resource was transferred to C.
    pub(in crate::python) fn transferred(&self, raw: NonNull<()>) {
        drop(self.take_dependence());
        drop(self.take_parent_hold());
        self.end_trace();
        if self.kind.is_counted() {
            ref_counted::remove_handle(raw.as_ptr());
        }
        // The call still has it, and leaves it when it ends; its drop takes it out of the parent's list.
        if self.borrow_state.close_while_borrowed() {
            notify_waiters();
        }
    }

    /// Lets nobody borrow the handle exclusively, which C lends shared: until [`ResourceState::end_lent`].
    pub(in crate::python) fn bar_exclusive_borrows(&self) {
        let barred = self.borrow_state.try_borrow(true);
        debug_assert!(barred.is_ok(), "the object is new");
    }

    /// Closes the handle, which C lent to a callback: C has it again. There is nothing to release, and nobody uses the
    /// handle: it is bound to this thread, whose calls from the callback have all returned.
    pub(in crate::python) fn end_lent(&self) {
        drop(self.take());
        self.become_closed();
    }

    /// Releases the resource that a method took and has dropped. If C refuses the release, the handle stays open.
    pub(in crate::python) fn release_taken(&self, raw: NonNull<()>) {
        self.put_back(raw);
        let refused = self.take().and_then(PendingRelease::release_for_others);
        match refused {
            Some(mut resource) => self.take_back(&mut resource),
            // As in `transferred`.
            None if self.borrow_state.close_while_borrowed() => notify_waiters(),
            None => {}
        }
    }

    /// Wakes the calls that block in C on this handle, which this thread closes (`interrupt`).
    pub(super) fn interrupt(&self) {
        let Some(raw) = NonNull::new(self.raw()) else {
            return;
        };
        // What is called may be written in Rust, and use handles.
        let _python = ReentrancyGuard::begin();
        // SAFETY: guarantee 2: who releases the handle is this thread, or one that closes an ancestor; the ancestors
        // are held.
        unsafe { self.kind.interrupt(raw) };
    }

    /// Releases the exclusive borrow after an aborted close, and returns `error`. [`ClosingGuard`] clears the closing
    /// flag.
    pub(super) fn abort_close(&self, error: Error) -> Error {
        if self.borrow_state.release_borrow_mut() {
            notify_waiters();
        }
        error
    }

    pub(super) fn take_all(&self) -> Vec<PendingRelease> {
        let mut doomed = Vec::new();
        self.take_descendants(&mut doomed);
        doomed.extend(self.take());
        doomed
    }

    pub(super) fn become_closed(&self) {
        if self.borrow_state.close() {
            notify_waiters();
        }
    }

    /// Waits until the `close()` of an ancestor has released this handle. The handle counts as closed from the moment
    /// at which that `close()` took its resource.
    pub(super) fn wait_for_closing_ancestor(&self, py: Python<'_>) -> PyResult<()> {
        let mut above = self.parent();
        while let Some(ancestor) = above {
            // Inside of Python code it is perhaps this thread that closes it.
            while !ancestor.has_closing_ended() && ancestor.allow_wait(py).is_ok() {
                ancestor.wait(py, || ancestor.has_closing_ended())?;
            }
            above = ancestor.parent();
        }
        Ok(())
    }

    /// Waits for a short while, at most until the present borrow of this handle ends or `ready` returns `true`.
    pub(in crate::python) fn wait(
        &self,
        py: Python<'_>,
        ready: impl Fn() -> bool + Sync,
    ) -> PyResult<()> {
        self.allow_wait(py)?;
        self.borrow_state.register_waiter();
        // Someone else may have been woken and the handle be in use again: then no one would wake this thread.
        wait_for(py, || !self.borrow_state.has_waiter() || ready())
    }

    /// Waits in this handle's queue for a short while, at most until the handle can be borrowed. Keeps the place in
    /// `place`, or takes the last one.
    pub(in crate::python) fn queue<'a>(
        &'a self,
        py: Python<'_>,
        place: &mut Option<Place<'a>>,
        exclusive: bool,
    ) -> PyResult<()> {
        self.allow_wait(py)?;
        if !place
            .as_ref()
            .is_some_and(|place| place.is_for(self, exclusive))
        {
            // The old one first: a call that stood in two queues could wait for itself.
            *place = None;
            *place = Some(Place::take(self, exclusive));
        }
        place.as_ref().map_or(Ok(()), |place| place.wait(py))
    }

    /// Returns a `BusyError` if this thread must not wait for this handle.
    pub(super) fn allow_wait(&self, py: Python<'_>) -> PyResult<()> {
        match self.may_wait() {
            true => Ok(()),
            false => Err(to_pyerr(py, Error::Busy(self.kind.name()))),
        }
    }

    /// Returns whether this thread may wait for this handle.
    ///
    /// A thread may not wait inside a call that runs Python code. It may not wait for a handle from before a fork,
    /// because the thread that borrows the handle may belong to the parent process. It may not wait while the
    /// interpreter is ending, because the interpreter may have stopped that thread.
    pub(in crate::python) fn may_wait(&self) -> bool {
        !inside_python() && self.forks() == forks() && !is_ending()
    }
}

/// The closing flag of a handle. The drop clears the flag if the handle was not closed.
struct ClosingGuard<'a>(&'a ResourceState);

impl Drop for ClosingGuard<'_> {
    fn drop(&mut self) {
        let state = self.0;
        if state.borrow_state.is_closed() {
            return;
        }
        if state.borrow_state.cancel_close() {
            notify_waiters();
        }
        // What died while the mark kept it from entering. Where this can't enter either, the one in the way will.
        state.release_deferred();
    }
}
