//! The state of a Python handle. A handle ends in one of three ways: its `close()`, its parent's `close()`, its drop.
//!
//! Children are linked into their parent, newest first. A call borrows its handle and, shared, every ancestor. So a
//! thread that borrows the parent exclusively knows that no descendant is in use, and closing the parent waits for no
//! other call. If another thread borrows an ancestor exclusively, the release of a closed or dropped descendant is
//! deferred to that ancestor. The release runs when the exclusive borrow ends, before another call can borrow the
//! ancestor. So closing never competes for a turn.
//!
//! A view has a state of its own, which is small (`view`). The borrows of a view are counted in the resource that it is
//! part of (`resource`).

mod close;
mod deferred;
pub(super) mod quick;
mod resource;
mod tree;
mod view;

use std::ptr;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

pub(super) use self::resource::{ResourceState, Special};
use self::view::{Boxed, WatchedView};
pub(super) use self::view::{View, adoptions, left_fields, lock_fields, note_adoption, view_of};
use super::handle_class::HandleClass;
use super::py_box::PyBox;
use super::thread_bound;
use super::waiting::wait_for;
use crate::error::Error;
use crate::handle::kind::HandleKind;
use crate::panics::Caught;

/// The data of a Python handle: three words, those of a view. A view without an owner is none, and has a box.
pub struct HandleState(View);

/// The state of a handle.
enum State<'a> {
    View(&'a View),
    /// In a box.
    Watched(&'a WatchedView),
    /// In a box.
    Resource(&'a ResourceState),
}

/// The end of a state whose drop drops no Python object, except for the owner of a view.
pub(super) enum PlainEnd {
    /// That of a view that is not watched.
    View,
    /// That of a resource, in a box.
    Resource(*mut ResourceState),
}

/// A handle is used on several threads, with what its box has.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<ResourceState>();
    is_shared::<WatchedView>();
    is_shared::<HandleState>();
};

// A program may hold a view for each node of a large tree.
const _: () = assert!(size_of::<HandleState>() == 3 * size_of::<usize>());

impl HandleState {
    /// Returns the state of a new handle that owns the resource at `raw`.
    ///
    /// # Errors
    ///
    /// `MemoryError`. The resource is released then.
    #[inline(always)]
    pub(super) fn resource_at(
        py: Python<'_>,
        kind: &'static HandleKind,
        raw: *mut (),
        parent: Option<Py<HandleClass>>,
        special: Option<Box<Special>>,
    ) -> PyResult<Self> {
        let state = || ResourceState::new(kind, raw, parent, special);
        let state = PyBox::new(py, state)?.into_raw();
        Ok(HandleState(View::of_box(state.cast(), Boxed::Resource)))
    }

    /// Returns the state of a new view of `owner`.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub(super) fn view(
        py: Python<'_>,
        kind: &'static HandleKind,
        raw: *mut (),
        owner: Py<HandleClass>,
    ) -> PyResult<Self> {
        let state = owner.get().state();
        let is_adoptable = state.as_view().is_some_and(View::is_adoptable);
        let is_watched = match state.get() {
            State::Watched(_) => true,
            State::View(view) => is_adoptable && view.raw() != raw,
            State::Resource(_) => false,
        };
        if !is_watched && !kind.is_until_mut() {
            let view = View::new(kind, raw, owner);
            let view = match is_adoptable {
                true => view.at_owner(),
                false => view,
            };
            return Ok(HandleState(view));
        }
        let ends_with_mut = match state.get() {
            State::Watched(watched) => watched.generation().is_some(),
            State::View(_) | State::Resource(_) => false,
        };
        let generation =
            (kind.is_until_mut() || ends_with_mut).then(|| state.generation_with_ancestors());
        let watched = || WatchedView::new(View::new(kind, raw, owner), generation);
        let watched = PyBox::new(py, watched)?.into_raw();
        Ok(HandleState(View::of_box(watched.cast(), Boxed::Watched)))
    }

    /// Returns the state of a new view of `owner`, which is no view. The part ends with its owner.
    #[inline(always)]
    pub(super) fn plain_view(
        kind: &'static HandleKind,
        raw: *mut (),
        owner: Py<HandleClass>,
    ) -> Self {
        HandleState(View::new(kind, raw, owner))
    }

    /// Returns whether this is no view.
    #[inline(always)]
    pub(super) fn is_resource(&self) -> bool {
        matches!(self.get(), State::Resource(_))
    }

    #[inline(always)]
    fn get(&self) -> State<'_> {
        match self.0.boxed() {
            None => State::View(&self.0),
            // SAFETY: Rust: the box is there until this is dropped.
            Some((state, Boxed::Resource)) => State::Resource(unsafe { &*state.cast() }),
            // SAFETY: Rust: as above.
            Some((state, Boxed::Watched)) => State::Watched(unsafe { &*state.cast() }),
        }
    }

    /// Returns the view's state, if the handle is a view.
    #[inline]
    pub(super) fn as_view(&self) -> Option<&View> {
        match self.get() {
            State::View(view) => Some(view),
            State::Watched(watched) => Some(&watched.view),
            State::Resource(_) => None,
        }
    }

    /// Returns how the state ends: `None` if its drop drops Python objects besides the owner of a view.
    #[inline(always)]
    pub(super) fn plain_end(&mut self) -> Option<PlainEnd> {
        match self.0.boxed() {
            None => Some(PlainEnd::View),
            Some((_, Boxed::Watched)) => None,
            Some((state, Boxed::Resource)) => {
                let state = state.cast::<ResourceState>();
                // SAFETY: Rust: the box is there until this is dropped, and this is borrowed exclusively.
                let is_plain = unsafe { &mut *state }.drops_no_objects();
                is_plain.then_some(PlainEnd::Resource(state))
            }
        }
    }

    /// Ends the state, which is not dropped any more. Returns the owner of a view, for the caller to release.
    ///
    /// # Safety
    ///
    /// `end` is that of [`plain_end`](Self::plain_end), and nothing has used the state since. This thread is attached
    /// to the interpreter, with the GIL.
    #[inline(always)]
    pub(super) unsafe fn end_plain(&mut self, end: PlainEnd) -> Option<*mut pyo3::ffi::PyObject> {
        match end {
            PlainEnd::View => {
                self.0.unregister();
                Some(self.0.owner().as_ptr())
            }
            PlainEnd::Resource(state) => {
                // SAFETY: Rust: the box is there, and this is its only owner. the caller's promise: the drop of its
                // fields would do nothing (`drops_no_objects`).
                unsafe {
                    // A panic that gets here was reported by the panic hook.
                    Caught::new().run(|| (*state).release_dropped_plain());
                    PyBox::free(state);
                }
                None
            }
        }
    }

    /// Returns the state of the resource that the handle owns or is part of. It counts the borrows of the handle.
    #[inline]
    pub(super) fn resource(&self) -> &ResourceState {
        let mut state = self;
        loop {
            state = match state.get() {
                State::View(view) => view.owner().get().state(),
                State::Watched(watched) => watched.view.owner().get().state(),
                State::Resource(resource) => return resource,
            };
        }
    }

    #[inline]
    pub(super) fn kind(&self) -> &'static HandleKind {
        match self.get() {
            State::View(view) => view.kind(),
            State::Watched(watched) => watched.view.kind(),
            State::Resource(resource) => resource.kind(),
        }
    }

    /// Returns the native pointer; null if the handle is closed.
    pub(super) fn raw(&self) -> *mut () {
        match self.as_view() {
            Some(view) if view.is_closed() || self.is_stale() => ptr::null_mut(),
            _ => self.entered_raw(),
        }
    }

    /// Returns the native pointer of a borrowed handle. A view's pointer stays valid if another thread closes the view,
    /// because the call has borrowed the owner.
    #[inline]
    pub(super) fn entered_raw(&self) -> *mut () {
        match self.get() {
            State::View(view) => view.raw(),
            State::Watched(watched) => watched.view.raw(),
            State::Resource(resource) => resource.raw(),
        }
    }

    /// Returns the native pointer of a part of `owner` that is open: `None` if that takes more than a glance.
    #[inline(always)]
    pub(super) fn raw_of_part(&self, owner: &HandleClass) -> Option<*mut ()> {
        match self.get() {
            State::View(view) if ptr::eq(view.owner().get(), owner) => view.plain_raw(),
            _ => None,
        }
    }

    /// Returns the address that the native object had when the handle was made. `==` and `hash()` compare it, also
    /// after `close()`.
    pub(super) fn identity(&self) -> usize {
        match self.as_view() {
            Some(view) => view.raw().addr(),
            None => self.resource().identity(),
        }
    }

    /// Returns the object of the first parent: of a view its owner, of a reference-counted object its core.
    #[inline]
    pub(super) fn parent_object(&self) -> Option<&Py<HandleClass>> {
        match self.get() {
            State::View(view) => Some(view.owner()),
            State::Watched(watched) => Some(watched.view.owner()),
            State::Resource(resource) => resource.parent_object(),
        }
    }

    /// Returns the states of the parents.
    pub(super) fn parents(&self) -> impl Iterator<Item = &HandleState> {
        let extra_parents = match self.as_view() {
            Some(_) => &[],
            None => self.resource().extra_parents(),
        };
        let parents = self.parent_object().into_iter().chain(extra_parents);
        parents.map(|parent| parent.get().state())
    }

    /// Returns the sum of the generations of the resource and its ancestors.
    pub(super) fn generation_with_ancestors(&self) -> u64 {
        self.resource().lock_owner().generation_with_ancestors()
    }

    /// Returns whether this is a view that has ended before its owner, or part of such a view: an `until_mut` view
    /// whose owner, or an ancestor of the owner, was borrowed exclusively since, or one of a part that was adopted.
    pub(super) fn is_stale(&self) -> bool {
        match self.get() {
            State::Watched(watched) => watched.is_stale(),
            State::View(_) | State::Resource(_) => false,
        }
    }

    /// Returns whether the handle is an adopted part, or part of one, and the number of adoptions is no longer
    /// `adoptions_then`. The pointer of the part may have changed since.
    #[inline]
    pub(super) fn is_adopted_since(&self, adoptions_then: usize) -> bool {
        self.is_adopted() && adoptions_then != adoptions()
    }

    /// Returns whether the handle is a part that was adopted, or part of one.
    #[inline]
    pub(super) fn is_adopted(&self) -> bool {
        self.as_view().is_some_and(View::is_adopted)
    }

    /// Returns whether the handle is closed. Never blocks, and never calls C.
    pub(super) fn is_closed(&self) -> bool {
        match self.as_view() {
            Some(_) => self.raw().is_null() || self.resource().borrow_state.is_closed(),
            None => self.resource().is_closed(),
        }
    }

    /// Refuses a handle that is bound to another thread or to a parent process. A closed handle passes, because its use
    /// raises `ClosedError`.
    pub(super) fn check_owner(&self) -> Result<(), Error> {
        match self.resource().other_owner().filter(|_| !self.is_closed()) {
            Some(owner) => Err(Error::Owner(self.kind().name(), owner)),
            None => Ok(()),
        }
    }

    /// Closes the handle. Returns when the native resource is released. A view releases nothing, and no other handle
    /// lives in a view.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        thread_bound::run_deferred();
        match self.as_view() {
            Some(view) => {
                view.close();
                Ok(())
            }
            None => self.resource().close(py),
        }
    }

    /// Shows the parents, and the Python objects in the side data, to the garbage collector.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self.as_view() {
            Some(view) => visit.call(view.owner()),
            None => self.resource().traverse(visit),
        }
    }

    /// Drops the Python objects in the side data. The garbage collector calls this when nothing reaches the handle any
    /// more.
    pub(super) fn clear(&self) {
        if self.as_view().is_none() {
            self.resource().clear();
        }
    }
}

impl Drop for HandleState {
    #[inline]
    fn drop(&mut self) {
        match self.0.boxed() {
            None => {}
            Some((state, Boxed::Resource)) => {
                // SAFETY: Rust: `resource_at` gave the box up, and this is its only owner.
                drop(unsafe { PyBox::from_raw(state.cast::<ResourceState>()) });
            }
            Some((state, Boxed::Watched)) => {
                // SAFETY: Rust: `view` gave the box up, and this is its only owner.
                drop(unsafe { PyBox::from_raw(state.cast::<WatchedView>()) });
            }
        }
    }
}

/// Returns `true`: closing and dropping pass the queue of every handle.
pub(super) fn never_queued(_: &ResourceState) -> bool {
    true
}

/// Waits until `ready` returns `true`. The thread that changes the answer calls
/// [`notify_waiters`](super::waiting::notify_waiters).
fn wait_until(py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
    while !ready() {
        wait_for(py, &ready)?;
    }
    Ok(())
}
