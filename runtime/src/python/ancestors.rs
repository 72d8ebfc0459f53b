//! Borrows of ancestors: a call borrows every ancestor of its handles, from the outermost one inwards.
//!
//! An ancestor is borrowed shared. Two annotations change that: `mut_parent` (a call that borrows the child exclusively
//! borrows the parent exclusively, too) and `parent = &mut P` (nothing but the child uses the parent while the child
//! lives; the child is then the parent's *holder*).

use std::ptr;
use std::sync::atomic::Ordering;

use pyo3::prelude::*;

use super::borrow_request::{BorrowRequest, Mode};
use super::handle_class::HandleClass;
use super::state::ResourceState;
use crate::borrow_state::BorrowError;
use crate::error::Error;
use crate::interpreter::attach_if_running;

/// The reason why a handle cannot be borrowed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The handle is closed, or about to be.
    Closed,
    /// Other calls use the handle.
    Busy,
    /// A child borrows the handle exclusively for as long as the child lives.
    Held,
}

impl From<BorrowError> for Refused {
    fn from(refusal: BorrowError) -> Self {
        match refusal {
            BorrowError::Closed => Refused::Closed,
            BorrowError::Busy => Refused::Busy,
        }
    }
}

/// A borrow of a handle, or the handle that refused and why.
pub(super) type Borrow<'a> = Result<(), (&'a ResourceState, Refused)>;

impl ResourceState {
    /// Borrows every ancestor for a borrow of this handle in `mode`. On refusal, returns the ancestor that refused, and
    /// the reason. `passes` returns whether the caller may pass the queue of a handle.
    #[inline]
    pub(super) fn borrow_ancestors(
        &self,
        mode: Mode,
        passes: impl Fn(&ResourceState) -> bool + Copy,
    ) -> Borrow<'_> {
        match self.parent() {
            None => Ok(()),
            Some(parent) if !self.has_more_parents() && !self.borrows_mut(mode) => {
                parent.borrow_with_ancestors(passes)?;
                self.check_holder(parent)
            }
            Some(_) => self.borrow_all_parents(mode, passes),
        }
    }

    /// Ends [`ResourceState::borrow_ancestors`].
    #[inline]
    pub(super) fn release_ancestors(&self, mode: Mode) {
        match self.parent() {
            None => {}
            Some(parent) if !self.has_more_parents() && !self.borrows_mut(mode) => {
                parent.release_with_ancestors();
            }
            Some(_) => self.release_all_parents(mode),
        }
    }

    #[inline(never)]
    fn release_all_parents(&self, mode: Mode) {
        let mut parents = self.parents();
        if self.borrows_mut(mode)
            && let Some(request) = BorrowRequest::for_child(self)
        {
            parents.next();
            request.release();
        }
        for parent in parents {
            parent.release_with_ancestors();
        }
    }

    /// Borrows this handle, shared, with every ancestor.
    pub(super) fn borrow_with_ancestors(
        &self,
        passes: impl Fn(&ResourceState) -> bool + Copy,
    ) -> Borrow<'_> {
        self.borrow_ancestors(Mode::Shared, passes)?;
        let shared = self
            .borrow_state
            .try_borrow(passes(self))
            .map_err(|refusal| (self, refusal.into()));
        shared.inspect_err(|_| self.release_ancestors(Mode::Shared))
    }

    /// Ends [`ResourceState::borrow_with_ancestors`].
    pub(super) fn release_with_ancestors(&self) {
        self.release_borrow();
        self.release_ancestors(Mode::Shared);
    }

    /// Returns whether a borrow of this handle in `mode` borrows the first parent exclusively.
    #[inline]
    pub(super) fn borrows_mut(&self, mode: Mode) -> bool {
        mode == Mode::Exclusive && self.kind().sharing().mut_parent
    }

    #[inline(never)]
    fn borrow_all_parents(
        &self,
        mode: Mode,
        passes: impl Fn(&ResourceState) -> bool + Copy,
    ) -> Borrow<'_> {
        let exclusive = BorrowRequest::for_child(self).filter(|_| self.borrows_mut(mode));
        for (index, parent) in self.parents().enumerate() {
            let borrowed = match exclusive.filter(|_| index == 0) {
                Some(request) => request.enter(passes),
                None => parent
                    .borrow_with_ancestors(passes)
                    .and_then(|()| self.check_holder(parent)),
            };
            if let Err(refusal) = borrowed {
                for (index, borrowed) in self.parents().take(index).enumerate() {
                    match exclusive.filter(|_| index == 0) {
                        Some(request) => request.release(),
                        None => borrowed.release_with_ancestors(),
                    }
                }
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Borrows every ancestor by the other parents, shared. Another request of the call has borrowed the first parent.
    pub(super) fn borrow_other_parents(
        &self,
        passes: impl Fn(&ResourceState) -> bool + Copy,
    ) -> Borrow<'_> {
        for (index, parent) in self.parents().enumerate().skip(1) {
            let borrowed = parent.borrow_with_ancestors(passes);
            if let Err(refusal) = borrowed.and_then(|()| self.check_holder(parent)) {
                let before = self.parents().take(index).skip(1);
                before.for_each(ResourceState::release_with_ancestors);
                return Err(refusal);
            }
        }
        Ok(())
    }

    /// Ends [`ResourceState::borrow_other_parents`].
    pub(super) fn release_other_parents(&self) {
        let others = self.parents().skip(1);
        others.for_each(ResourceState::release_with_ancestors);
    }

    /// Checks that no other child holds `parent`, which was just borrowed. If one does, releases the borrow.
    #[inline]
    fn check_holder<'a>(&self, parent: &'a ResourceState) -> Borrow<'a> {
        if parent.may_be_used_by(Some(self)) {
            return Ok(());
        }
        parent.release_with_ancestors();
        Err((parent, Refused::Held))
    }

    /// Returns whether no child holds this handle, or `child` is the holder.
    #[inline]
    pub(super) fn may_be_used_by(&self, child: Option<&ResourceState>) -> bool {
        let holder: *const ResourceState = self.holder.load(Ordering::Acquire);
        holder.is_null() || child.is_some_and(|child| ptr::eq(child, holder))
    }

    /// Returns whether a child holds this handle.
    pub(super) fn is_held(&self) -> bool {
        !self.may_be_used_by(None)
    }

    /// The error for a use of this handle while a child holds it.
    pub(super) fn held_error(&self) -> Error {
        // SAFETY: Rust: null, or the type of the child that held the handle last, which is `'static`.
        match unsafe { self.holder_kind.load(Ordering::Acquire).as_ref() } {
            Some(child) => Error::Held(self.kind().name(), child.name()),
            None => Error::Busy(self.kind().name()),
        }
    }

    fn set_holder(&self, holder: *mut ResourceState) {
        self.holder.store(holder, Ordering::Release);
        self.borrow_state.set_held(!holder.is_null());
    }

    /// Makes this handle the holder of its parent, which the running call borrows exclusively.
    pub(super) fn hold_parent(&self) {
        if let Some(parent) = self.parent()
            && self.kind().sharing().holds_parent
        {
            let kind = ptr::from_ref(self.kind()).cast_mut();
            parent.holder_kind.store(kind, Ordering::Release);
            let holder = ptr::from_ref(self).cast_mut();
            parent.set_holder(holder);
        }
    }

    /// Takes the hold on the parent, for the code that releases this handle.
    pub(super) fn take_parent_hold(&self) -> Option<ParentHold> {
        if !self.kind().sharing().holds_parent {
            return None;
        }
        let first = self.parent_object()?;
        let parent = first.get().state().resource();
        let held = parent.is_held() && parent.may_be_used_by(Some(self));
        if held {
            // No call can come from this handle any more, and its memory may go before its release has ended.
            let nobody = ptr::dangling_mut();
            parent.set_holder(nobody);
        }
        // SAFETY: CPython: this thread is attached, since resources are taken by Python objects and their calls.
        let py = unsafe { Python::assume_attached() };
        held.then(|| ParentHold(Some(first.clone_ref(py))))
    }
}

/// The hold of a child on its parent, until the child's native resource was released.
pub(super) struct ParentHold(Option<Py<HandleClass>>);

impl ParentHold {
    /// Leaves the hold with the child, whose release C refused.
    pub(super) fn disarm(mut self) {
        drop(self.0.take());
    }
}

impl Drop for ParentHold {
    fn drop(&mut self) {
        let Some(parent) = self.0.take() else { return };
        let state = parent.get().state().resource();
        state.set_holder(ptr::null_mut());
        // Releases of other children were deferred to the parent while it was held.
        state.release_deferred();
        attach_if_running(|| drop(parent));
    }
}
