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
pub(super) use self::view::lock_fields;
use self::view::{View, WatchedView};
use super::handle_class::HandleClass;
use super::py_box::PyBox;
use super::thread_bound;
use super::waiting::wait_for;
use crate::error::Error;
use crate::handle::kind::HandleKind;

/// The data of a Python handle.
pub struct HandleState(State);

/// The state of a handle: three words for a view, a box for another.
enum State {
    View(View),
    Boxed(Boxed),
}

enum Boxed {
    Watched(PyBox<WatchedView>),
    Resource(PyBox<ResourceState>),
}

// A program may hold a view for each node of a large tree.
const _: () = assert!(size_of::<HandleState>() == 3 * size_of::<usize>());

impl HandleState {
    /// Returns the state of a new handle that owns the resource at `raw`.
    ///
    /// # Errors
    ///
    /// `MemoryError`. The resource is released then.
    pub(super) fn resource_at(
        py: Python<'_>,
        kind: &'static HandleKind,
        raw: *mut (),
        parent: Option<Py<HandleClass>>,
        special: Option<Box<Special>>,
    ) -> PyResult<Self> {
        let state = ResourceState::new(kind, raw, parent, special);
        let state = PyBox::new(py, state)?;
        Ok(HandleState(State::Boxed(Boxed::Resource(state))))
    }

    /// Returns the state of a new view of `owner`.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    #[inline]
    pub(super) fn view(
        py: Python<'_>,
        kind: &'static HandleKind,
        raw: *mut (),
        owner: Py<HandleClass>,
    ) -> PyResult<Self> {
        let state = owner.get().state();
        if !kind.is_until_mut() && !matches!(state.0, State::Boxed(Boxed::Watched(_))) {
            return Ok(HandleState(State::View(View::new(kind, raw, owner))));
        }
        let generation = state.generation_with_ancestors();
        let view = View::new(kind, raw, owner);
        let watched = PyBox::new(py, WatchedView { view, generation })?;
        Ok(HandleState(State::Boxed(Boxed::Watched(watched))))
    }

    /// Returns the view's state, if the handle is a view.
    #[inline]
    pub(super) fn as_view(&self) -> Option<&View> {
        match &self.0 {
            State::View(view) => Some(view),
            State::Boxed(Boxed::Watched(watched)) => Some(&watched.view),
            State::Boxed(Boxed::Resource(_)) => None,
        }
    }

    /// Returns the owner of a view that is not watched, of which nothing else is to be dropped.
    #[inline(always)]
    pub(super) fn take_view_owner(&self) -> Option<*mut pyo3::ffi::PyObject> {
        match &self.0 {
            State::View(view) => {
                view.unregister();
                Some(view.owner.as_ptr())
            }
            State::Boxed(_) => None,
        }
    }

    /// Returns whether the drop of this state drops no Python object, except for the owner of a view.
    #[inline(always)]
    pub(super) fn is_dropped_alone(&mut self) -> bool {
        match &mut self.0 {
            State::View(_) => true,
            State::Boxed(Boxed::Watched(_)) => false,
            State::Boxed(Boxed::Resource(resource)) => resource.is_dropped_alone(),
        }
    }

    /// Returns the state of the resource that the handle owns or is part of. It counts the borrows of the handle.
    #[inline]
    pub(super) fn resource(&self) -> &ResourceState {
        let mut state = self;
        loop {
            state = match &state.0 {
                State::View(view) => view.owner.get().state(),
                State::Boxed(Boxed::Watched(watched)) => watched.view.owner.get().state(),
                State::Boxed(Boxed::Resource(resource)) => return resource,
            };
        }
    }

    pub(super) fn kind(&self) -> &'static HandleKind {
        match self.as_view() {
            Some(view) => view.kind(),
            None => self.resource().kind(),
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
        match self.as_view() {
            Some(view) => view.raw,
            None => self.resource().raw(),
        }
    }

    /// Returns the address that the native object had when the handle was made. `==` and `hash()` compare it, also
    /// after `close()`.
    pub(super) fn identity(&self) -> usize {
        match self.as_view() {
            Some(view) => view.raw.addr(),
            None => self.resource().identity(),
        }
    }

    /// Returns the object of the first parent: of a view its owner, of a reference-counted object its core.
    pub(super) fn parent_object(&self) -> Option<&Py<HandleClass>> {
        match self.as_view() {
            Some(view) => Some(&view.owner),
            None => self.resource().parent_object(),
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

    /// Returns whether this is an `until_mut` view whose owner, or an ancestor of the owner, was borrowed exclusively
    /// since.
    pub(super) fn is_stale(&self) -> bool {
        match &self.0 {
            State::Boxed(Boxed::Watched(watched)) => {
                watched.generation != self.generation_with_ancestors()
            }
            _ => false,
        }
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
            Some(view) => visit.call(&view.owner),
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
