//! The request of a call to borrow a handle, and how the handle is borrowed with its ancestors.

use std::mem::forget;
use std::ptr;

use pyo3::prelude::*;

use super::ancestors::{Borrow, Refused};
use super::handle_class::HandleClass;
use super::state::{HandleState, ResourceState, View};
use crate::interpreter::new_text;

/// The kind of borrow by which a call uses a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// `&T`: a shared borrow.
    Shared,
    /// `&mut T`: an exclusive borrow. A handle with `mut_parent` also borrows its parent exclusively.
    Exclusive,
    /// `&mut T` of a method with `#[reads_parent]`: an exclusive borrow of the handle, and a shared one of its parent.
    ExclusiveReading,
}

/// A request of a call to borrow a handle.
#[derive(Clone, Copy)]
pub struct BorrowRequest<'a> {
    pub(super) state: &'a HandleState,
    /// The resource that the handle is, or is part of: the one that is borrowed. Another one may adopt a part before it
    /// is borrowed ([`BorrowRequest::was_adopted`]), or in the call.
    pub(super) resource: &'a ResourceState,
    pub(super) mode: Mode,
    /// The Python object; null if the request does not know it.
    pub(super) object: *mut pyo3::ffi::PyObject,
    /// The child whose exclusive borrow includes this borrow of its parent; `None` for other requests.
    pub(super) child: Option<&'a ResourceState>,
    /// The mode in which the handle's group is borrowed, for all handles of the call that belong to the group.
    pub(super) group_mode: Mode,
    /// Set if another request of the call borrows the group for this handle.
    pub(super) joined: bool,
    /// Set if the call gives the handle to C.
    pub(super) given: bool,
    /// Set if another request of the call borrows the first parent for this handle.
    leaves_parent: bool,
}

impl<'a> BorrowRequest<'a> {
    #[inline]
    pub(super) fn new(object: &'a HandleClass, mode: Mode) -> Self {
        BorrowRequest {
            state: object.state(),
            resource: object.state().resource(),
            mode,
            object: ptr::null_mut(),
            child: None,
            group_mode: mode,
            joined: false,
            given: false,
            leaves_parent: false,
        }
    }

    /// Returns the request for the exclusive borrow of the first parent that is part of an exclusive borrow of `child`.
    pub(super) fn for_child(child: &'a ResourceState) -> Option<Self> {
        let parent = child.parent_object()?;
        Some(BorrowRequest {
            child: Some(child),
            ..BorrowRequest::new(parent.get(), Mode::Exclusive)
        })
    }

    /// Returns a request that knows the Python object.
    #[inline]
    pub(super) fn of(object: &'a Bound<'_, HandleClass>, mode: Mode) -> Self {
        BorrowRequest {
            object: object.as_ptr(),
            ..BorrowRequest::new(object.get(), mode)
        }
    }

    /// Returns the request for a handle that the call gives to C.
    pub(super) fn giving(self) -> Self {
        BorrowRequest {
            given: true,
            ..self
        }
    }

    /// Returns the parent that the handle borrows exclusively (`mut_parent`, `parent = &mut P`), if the call gives the
    /// handle to C.
    pub(super) fn parent_of_given(&self) -> Option<&'a ResourceState> {
        let state = self.resource;
        let sharing = state.kind().sharing();
        let is_exclusive = sharing.mut_parent || sharing.holds_parent;
        state.parent().filter(|_| self.given && is_exclusive)
    }

    /// Borrows `parent` for `given` too, if this request borrows `parent` exclusively, or borrows the handle `parent`
    /// itself, which is then borrowed exclusively. Returns whether this request does.
    pub(super) fn borrow_parent_for(
        &mut self,
        parent: &ResourceState,
        given: &'a ResourceState,
    ) -> bool {
        if ptr::eq(self.resource, parent) && !self.joined {
            (self.group_mode, self.child) = (Mode::Exclusive, Some(given));
            return true;
        }
        self.wants_exclusively(parent)
    }

    /// Leaves the first parent to another request of the call ([`BorrowRequest::borrow_parent_for`]).
    pub(super) fn leave_parent(&mut self) {
        self.leaves_parent = true;
    }

    /// Returns whether this request borrows `at` in any mode.
    pub(super) fn uses(&self, at: &ResourceState) -> bool {
        fn reaches(state: &ResourceState, at: &ResourceState) -> bool {
            ptr::eq(state, at) || state.parents().any(|parent| reaches(parent, at))
        }
        let state = self.resource;
        let mut parents = state.parents().skip(usize::from(self.leaves_parent));
        ptr::eq(state, at) || parents.any(|parent| reaches(parent, at))
    }

    /// Borrows the handle and its ancestors. On refusal, returns the handle that refused, and the reason. `passes`
    /// returns whether the caller may pass the queue of a handle.
    #[inline]
    pub(super) fn enter(&self, passes: impl Fn(&ResourceState) -> bool + Copy) -> Borrow<'a> {
        let base = self.resource;
        let locked = base.lock_owner();
        // From the top: who borrows an ancestor exclusively has all that lives in it, and need not look at its words.
        if self.joined {
            return self.enter_joined(base, passes);
        }
        match self.leaves_parent {
            false => locked.borrow_ancestors(self.group_mode, passes)?,
            true => locked.borrow_other_parents(passes)?,
        }
        let entered = match self.group_mode {
            Mode::Shared => locked.borrow_state.try_borrow(passes(locked)),
            Mode::Exclusive | Mode::ExclusiveReading => {
                locked.borrow_state.try_borrow_mut(passes(locked))
            }
        };
        let entered = entered.map_err(|refusal| (locked, refusal.into()));
        entered.inspect_err(|_| self.release_ancestors(locked))?;
        if !base.may_be_used_by(self.child) {
            self.release_locked(locked);
            return Err((base, Refused::Held));
        }
        if !ptr::eq(locked, base) {
            let shared = base.borrow_state.try_borrow(passes(base));
            let shared = shared.map_err(|refusal| (base, refusal.into()));
            shared.inspect_err(|_| self.release_locked(locked))?;
        }
        if self.state.raw().is_null() {
            self.release();
            return Err((base, Refused::Closed));
        }
        if self.group_mode != Mode::Shared {
            locked.begin_generation();
        }
        Ok(())
    }

    /// Borrows the handle, if one load of the borrow state suffices. `enter` does what this refuses.
    #[inline(always)]
    pub(super) fn enter_quick(&self) -> bool {
        if self.joined {
            // The request that borrows the group comes before this one.
            return ptr::eq(self.resource.lock_owner(), self.resource)
                && !self.state.raw().is_null();
        }
        // As `release` ends it: a handle that is borrowed shared may be borrowed exclusively for another one of the
        // call.
        match self.group_mode {
            Mode::Shared => self.state.enter_quick::<false>().map(forget).is_some(),
            _ if self.child.is_some() || self.leaves_parent => false,
            Mode::Exclusive | Mode::ExclusiveReading => {
                self.state.enter_quick::<true>().map(forget).is_some()
            }
        }
    }

    /// Borrows a handle whose group another request of the call has borrowed.
    fn enter_joined(
        &self,
        base: &'a ResourceState,
        passes: impl Fn(&ResourceState) -> bool + Copy,
    ) -> Borrow<'a> {
        // Parts of a tree have no borrow of their own.
        if !ptr::eq(base.lock_owner(), base) {
            let shared = base.borrow_state.try_borrow(passes(base));
            shared.map_err(|refusal| (base, refusal.into()))?;
        }
        if self.state.raw().is_null() {
            self.release();
            return Err((base, Refused::Closed));
        }
        Ok(())
    }

    /// Returns whether the handle is part of another resource than when the request was made.
    pub(super) fn was_adopted(&self) -> bool {
        !ptr::eq(self.resource, self.state.resource())
    }

    /// Returns the Python object of the resource; `None` if the request does not know that.
    pub(super) fn resource_object<'py>(&self, py: Python<'py>) -> Option<Bound<'py, HandleClass>> {
        let mut object = self.state.as_view().map(View::owner);
        while let Some(owner) = object {
            match owner.get().state().as_view() {
                Some(view) => object = Some(view.owner()),
                None => return Some(owner.bind(py).clone()),
            }
        }
        // SAFETY: CPython: null, or the object that the caller of this call holds.
        let object = unsafe { Bound::from_borrowed_ptr_or_opt(py, self.object) }?;
        object.cast_into::<HandleClass>().ok()
    }

    /// Returns whether the handle is a part that moves.
    pub(super) fn is_tree_part(&self) -> bool {
        self.is_view() && self.state.kind().tree().is_some()
    }

    /// Returns whether the handle is a part that moves, or a view of one, such as the list of its children. A change of
    /// the tree ends neither such a view, nor what it lends.
    pub(super) fn is_in_tree(&self) -> bool {
        let mut state = self.state;
        while let Some(view) = state.as_view() {
            let kind = state.kind();
            if kind.tree().is_some() {
                return true;
            }
            if kind.is_until_mut() || kind.sharing().lends {
                return false;
            }
            state = view.owner().get().state();
        }
        false
    }

    /// Returns whether the handle is a part of another one.
    pub(super) fn is_view(&self) -> bool {
        self.state.as_view().is_some()
    }

    #[inline]
    fn release_locked(&self, locked: &ResourceState) {
        // Before the ancestors: what was left to it is released now.
        match self.group_mode {
            Mode::Shared => locked.release_borrow(),
            Mode::Exclusive | Mode::ExclusiveReading => locked.release_borrow_mut(),
        }
        self.release_ancestors(locked);
    }

    #[inline]
    fn release_ancestors(&self, locked: &ResourceState) {
        match self.leaves_parent {
            false => locked.release_ancestors(self.group_mode),
            true => locked.release_other_parents(),
        }
    }

    #[inline]
    pub(super) fn release(&self) {
        let is_quick = self.group_mode == Mode::Shared && !self.joined;
        if !(is_quick && self.resource.release_quick()) {
            self.release_all();
        }
    }

    fn release_all(&self) {
        let base = self.resource;
        let locked = base.lock_owner();
        if !ptr::eq(locked, base) {
            base.release_borrow();
        }
        if !self.joined {
            self.release_locked(locked);
        }
    }

    /// Returns whether any thread of this process may use the handle. If `false`, `check_owner` decides.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        !self.resource.may_be_on_wrong_thread()
    }

    /// The handle.
    pub(super) fn state(&self) -> &'a HandleState {
        self.state
    }

    /// Returns the outermost ancestor by first parents, or the handle's own object.
    #[cfg(Py_GIL_DISABLED)]
    pub(super) fn root<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let mut root = self.state.parent_object();
        while let Some(above) = root.and_then(|up| up.get().state().parent_object()) {
            root = Some(above);
        }
        match root {
            Some(root) => Some(root.bind(py).clone().into_any()),
            // SAFETY: CPython: null, or the object that the caller of this call holds.
            None => unsafe { Bound::from_borrowed_ptr_or_opt(py, self.object) },
        }
    }

    /// Returns whether this request borrows `at` exclusively: as the handle itself, or as an ancestor by `mut_parent`.
    pub(super) fn wants_exclusively(&self, at: &ResourceState) -> bool {
        let mut next =
            (self.group_mode != Mode::Shared && !self.joined).then(|| self.resource.lock_owner());
        while let Some(state) = next {
            if ptr::eq(state, at) {
                return true;
            }
            let parent = state
                .parent()
                .filter(|_| state.borrows_mut(self.group_mode) && !self.leaves_parent);
            next = parent.map(ResourceState::lock_owner);
        }
        false
    }
}

/// An argument that a method takes by reference: it may be a handle, and it may be the error of its conversion.
pub trait BorrowTarget {
    /// Returns the request for the handle; `None` if the argument is no handle.
    #[doc(hidden)]
    fn borrow_request(&self) -> Option<BorrowRequest<'_>>;

    /// Returns the error of the conversion.
    #[doc(hidden)]
    fn error(&self) -> Option<&PyErr>;
}

/// An argument and its name.
#[derive(Clone, Copy)]
pub struct NamedArgument<'a>(pub &'a dyn BorrowTarget, pub &'static str);

impl<'a> NamedArgument<'a> {
    /// Returns the request for the handle, if the argument is one.
    ///
    /// # Errors
    ///
    /// The error of the conversion, with the note that PyO3 adds to the errors of other arguments.
    pub(super) fn borrow_request(self, py: Python<'_>) -> PyResult<Option<BorrowRequest<'a>>> {
        match self.0.error() {
            None => Ok(self.0.borrow_request()),
            Some(error) => Err(with_note(py, error, self.1)),
        }
    }
}

/// Returns the error with a note that names the argument. Without memory for a note, and on Python before 3.11, there
/// is none.
#[cold]
fn with_note(py: Python<'_>, error: &PyErr, name: &str) -> PyErr {
    let error = error.clone_ref(py);
    let note = || {
        let method = new_text(py, "add_note")?;
        let text = new_text(py, &format!("while processing '{name}'"))?;
        error.value(py).call_method1(&method, (text,))
    };
    // An error without a note is still the error.
    drop(note());
    error
}
