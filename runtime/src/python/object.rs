//! The base class of all Python handles, and how a handle becomes a Python object.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ptr;

use pyo3::exceptions::{PyBaseException, PyException, PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyType;
use pyo3::types::PyWeakrefReference;
use pyo3::{PyClass, PyClassInitializer, PyTraverseError, PyVisit};

use super::call::CallContext;
use super::exceptions::to_pyerr;
use super::into_py::{SelfType, TypedResult};
use super::state::HandleState;
use super::trace::trace;
use crate::children::{self, Id};
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::handle::{Borrowed, Handle, Owned, Part, RefCounted, Resource};

/// A native resource. Closing the handle, closing its parent or dropping the last reference releases the resource.
///
/// A handle is a context manager: the end of the `with` block closes it. Using a closed handle raises ClosedError, but
/// `closed`, `repr()`, `==` and `hash()` always work.
#[pyclass(name = "Handle", subclass, frozen, immutable_type, weakref)]
pub struct HandleClass(HandleState);

impl HandleClass {
    pub(super) fn new(state: HandleState) -> Self {
        HandleClass(state)
    }

    pub(super) fn state(&self) -> &HandleState {
        &self.0
    }

    /// Returns the address of the state that the handles of one native object share. An object that C makes later at
    /// the address of a released one does not share the state.
    fn owner_address(&self) -> usize {
        let core = self
            .0
            .parent_object()
            .filter(|_| self.0.kind().is_counted());
        match core {
            Some(core) => ptr::from_ref(core.get()).addr(),
            None => ptr::from_ref(self.0.borrow_owner().lock_owner()).addr(),
        }
    }
}

#[pymethods]
impl HandleClass {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.clear();
    }

    /// Releases the native resource, after the handles that live in it. Closing twice is allowed.
    ///
    /// New calls raise ClosedError at once. Calls that other threads are running are waited for, with the GIL released.
    /// Closing a view, such as a node, ends only the view.
    ///
    /// Raises BusyError where waiting would never end: inside a call that uses this handle. A signal handler that
    /// raises an exception ends the wait. If the wait was for another thread's call on the parent, the handle is closed
    /// all the same, and its resource is released when that call ends. If the C library's release function fails,
    /// raises the library's error.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().0.close(slf.py())
    }

    /// True if the handle is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<TypedResult<'py, SelfType>> {
        if slf.get().0.is_closed() {
            return Err(to_pyerr(slf.py(), Error::Closed(slf.get().0.kind().name())));
        }
        Ok(slf.into_any().into())
    }

    #[pyo3(signature = (r#type, exception, traceback, /))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        r#type: Option<Bound<'_, PyType>>,
        exception: Option<Bound<'_, PyBaseException>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (r#type, traceback);
        let closed = slf.get().0.close(slf.py());
        // The exception of the body says more than that of the close.
        match closed {
            Err(error) if exception.is_some() && error.is_instance_of::<PyException>(slf.py()) => {
                Ok(())
            }
            closed => closed,
        }
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().fully_qualified_name()?;
        let state = &slf.get().0;
        Ok(if state.is_closed() {
            format!("<{class} (closed)>")
        } else {
            match state.kind().number(state.raw()) {
                Some(number) => format!("<{class} {number}>"),
                None => format!("<{class} at {:p}>", state.raw()),
            }
        })
    }

    /// Raises TypeError: a handle cannot be pickled or copied.
    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().fully_qualified_name()?;
        Err(PyTypeError::new_err(format!(
            "cannot pickle or copy a {class}: it owns a native resource of this process. Pass on what it was made from"
        )))
    }

    fn __eq__(&self, other: &Bound<'_, Self>) -> bool {
        let other = other.get();
        ptr::eq(self, other)
            || (self.0.kind().is_view() || self.0.kind().is_counted())
                && ptr::eq(self.0.kind(), other.0.kind())
                && self.0.identity() == other.0.identity()
                && self.owner_address() == other.owner_address()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.owner_address().hash(&mut hasher);
        self.0.identity().hash(&mut hasher);
        hasher.finish()
    }
}

/// A handle type that has a Python class. Implemented by `#[handle]`.
///
/// # Safety
///
/// Every object of `Class` holds a pointer to this type's own raw type, or a null pointer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no Python class",
    note = "what is `callback_only` cannot reach Python: mark the method `#[rust_only]`"
)]
pub unsafe trait PyHandle: Handle {
    /// The class; it has methods and no data.
    type Class: PyClass<BaseType = HandleClass, Frozen = pyo3::pyclass::boolean_struct::True>;

    /// The class's part of a new object.
    #[doc(hidden)]
    fn class() -> Self::Class;

    /// Converts a borrowed handle, which another handle or C owns, to a Python object.
    #[doc(hidden)]
    fn lend<'a, 'py>(
        handle: Borrowed<'a, Self>,
        context: &CallContext<'a, 'py>,
    ) -> PyResult<Bound<'py, PyAny>>;
}

/// Returns the `MemoryError` for an object that cannot be made.
pub(super) fn no_memory() -> PyErr {
    PyMemoryError::new_err(())
}

fn new_object<'py, T: PyHandle>(
    context: &CallContext<'_, 'py>,
    state: HandleState,
) -> PyResult<Bound<'py, T::Class>> {
    // Until the object exists, the state in it is what releases.
    let object = PyClassInitializer::from(HandleClass(state)).add_subclass(T::class());
    if context.site().should_fail(FailPoint::Object) {
        return Err(no_memory());
    }
    Bound::new(context.py(), object)
}

/// Converts `owned` to a new Python object, which takes over the resource.
pub(super) fn owned_into_py<'py, T: PyHandle + Resource>(
    owned: Owned<'_, T>,
    context: &CallContext<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let parent = match <T::Parent as crate::handle::Parent>::kind() {
        Some(kind) => Some(context.nearest(kind)?.unbind()),
        None => None,
    };
    let raw = owned.raw().as_ptr().cast();
    let parent = match T::kind().is_counted() {
        true => Some(super::ref_counted::join(context.py(), T::kind(), raw)?),
        false => parent,
    };
    let extra_parents = match T::kind().extra_parents() {
        [] => Vec::new(),
        kinds => context.arguments(kinds)?,
    };
    check_parents(Id::of(&*owned), parent.iter().chain(&extra_parents))
        .map_err(|error| to_pyerr(context.py(), error))?;
    let traced = trace(context.py(), T::kind());
    let raw = owned.into_raw().as_ptr().cast();
    let state = HandleState::new(T::kind(), raw, parent, traced).extra_parents(extra_parents);
    let object = new_object::<T>(context, state)?;
    let state = object.as_super().get().state();
    state.link();
    state.hold_parent();
    if state.has_more_parents() {
        state.depend(&PyWeakrefReference::new(object.as_any())?);
    }
    if T::kind().is_thread_bound() {
        super::thread_bound::opened(state, PyWeakrefReference::new(object.as_any())?.unbind());
    }
    Ok(object.into_any())
}

/// Refuses a handle that lives in others than its Python object would keep: a method with a body may return a handle that it
/// made in another one than the receiver.
fn check_parents<'a>(id: Id, kept: impl Iterator<Item = &'a Py<HandleClass>>) -> Result<(), Error> {
    if id.kind().is_counted() {
        return Ok(());
    }
    for parent in kept {
        let state = parent.get().state();
        if !children::is_made_in(id, Id::new(state.kind(), state.entered_raw())) {
            return Err(Error::Value(format!(
                "this {} lives in another {} than the one that the call was made on: return it from a method of that one",
                id.kind().name(),
                state.kind().name()
            )));
        }
    }
    Ok(())
}

/// A view of a part: a new Python object that keeps the owner.
#[doc(hidden)]
pub fn part_into_py<'a, 'py, T: PyHandle + Part>(
    part: Borrowed<'a, T>,
    context: &CallContext<'a, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let owner = context.nearest(T::Owner::kind())?;
    view(context, part, owner)
}

pub(super) fn view<'py, T: PyHandle + Part>(
    context: &CallContext<'_, 'py>,
    part: Borrowed<'_, T>,
    owner: Bound<'py, HandleClass>,
) -> PyResult<Bound<'py, PyAny>> {
    check_owner(part, owner.get()).map_err(|error| to_pyerr(context.py(), error))?;
    let state = HandleState::new(
        T::kind(),
        part.raw().as_ptr().cast(),
        Some(owner.unbind()),
        None,
    );
    Ok(new_object::<T>(context, state)?.into_any())
}

/// Refuses a part whose owner is another handle than `owner`, which the part's view would keep. A part that does not
/// know its owner passes.
pub(super) fn check_owner<T: Part>(
    part: Borrowed<'_, T>,
    owner: &HandleClass,
) -> Result<(), Error> {
    let raw = part.raw().as_ptr().cast();
    // SAFETY: guarantee 14: the part is valid, as it is borrowed.
    let actual = unsafe { T::kind().owner(raw) };
    let here = Id::new(T::Owner::kind(), owner.state().entered_raw());
    match actual.is_none_or(|actual| actual == here) {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "this {} is part of another {} than the one that the call was made on",
            T::NAME,
            T::Owner::NAME
        ))),
    }
}

/// Converts a reference-counted object that C lends to a handle that owns a new reference.
#[doc(hidden)]
pub fn counted_into_py<'a, 'py, T: PyHandle + RefCounted>(
    handle: Borrowed<'a, T>,
    context: &CallContext<'a, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    owned_into_py(handle.retain(), context)
}

/// Converts a resource that C lends to its existing Python object. The resource is the receiver's or an ancestor's.
#[doc(hidden)]
pub fn resource_into_py<'a, 'py, T: PyHandle + Resource>(
    handle: Borrowed<'a, T>,
    context: &CallContext<'a, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let object = context.nearest(T::kind())?;
    if object.get().state().raw() == handle.raw().as_ptr().cast() {
        return Ok(object.into_any());
    }
    let message = format!(
        "this {} is not owned by the one that the call was made on",
        T::NAME
    );
    Err(to_pyerr(context.py(), Error::Value(message)))
}
