//! The Python object of a handle.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use super::adopt::has_adopted_parts;
use super::allocation;
use super::call::{CallContext, refusal};
use super::exceptions::to_pyerr;
pub use super::handle_class::HandleClass;
use super::parts;
use super::py_box::no_memory;
use super::state::{HandleState, Special};
use super::trace::trace;
use crate::body_arguments;
use crate::children::{self, Id};
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::handle::{Borrowed, Handle, Owned, Part, RefCounted, Resource};

/// A handle type that has a Python class. Implemented by `#[handle]`.
///
/// # Safety
///
/// Every object of `Class`, and of a class that derives from it, holds a pointer to this type's own raw type, or a null
/// pointer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no Python class",
    note = "annotate `{Self}` with `#[handle(raw = …, release = …)]`"
)]
pub unsafe trait PyHandle: Handle {
    /// The class. It has methods and no data, or [`Distinct`](allocation::Distinct) where others derive from it.
    type Class: PyClass<BaseType = HandleClass, Frozen = pyo3::pyclass::boolean_struct::True>;

    /// The class's part of a new object.
    #[doc(hidden)]
    fn class() -> Self::Class;

    /// Converts a borrowed handle, which another handle or C owns, to a Python object.
    #[doc(hidden)]
    fn wrap_borrowed<'a, 'py>(
        handle: Borrowed<'a, Self>,
        context: &CallContext<'a, 'py>,
    ) -> PyResult<Bound<'py, PyAny>>;
}

/// A handle whose class has a constructor. Implemented by `#[methods]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no constructor, which makes the instances of derived classes",
    label = "`subclass` requires a constructor",
    note = "add a method with `#[new]` that returns `Result<Owned<{Self}>>`, or remove `subclass`"
)]
pub trait HasConstructor: PyHandle {}

/// Refuses, while compiling, a class without a constructor that other classes may derive from.
#[doc(hidden)]
pub const fn check_constructor<T: HasConstructor>() {}

fn new_object<'py, T: PyHandle>(
    context: &CallContext<'_, 'py>,
    state: HandleState,
) -> PyResult<Bound<'py, T::Class>> {
    // Until the object exists, the state is what releases.
    if context.site().should_fail(FailPoint::Object) {
        return Err(no_memory());
    }
    match context.derived_from::<T::Class>() {
        // SAFETY: trait `PyHandle`: this is the class of `T`; the callers made the state for a `T`. Rust:
        // `derived_from` has just compared the classes.
        Some(derived) => unsafe { allocation::new_object_of(&derived, T::class(), state) },
        None => new_object_of::<T>(context.py(), state),
    }
}

#[inline(always)]
fn new_object_of<T: PyHandle>(py: Python<'_>, state: HandleState) -> PyResult<Bound<'_, T::Class>> {
    let may_be_in_cycle = const { T::SPEC.may_be_in_cycle() };
    // SAFETY: trait `PyHandle`: this is the class of `T`; the callers made the state for a `T`.
    unsafe { allocation::new_object(py, T::class(), state, may_be_in_cycle) }
}

/// Makes the Python object of a handle that C lends to a callback.
pub(super) fn new_lent<T: PyHandle>(py: Python<'_>, raw: *mut ()) -> PyResult<Bound<'_, T::Class>> {
    let special = Special::of(T::kind(), Vec::new(), trace(py, T::kind()));
    let state = HandleState::resource_at(py, T::kind(), raw, None, special)?;
    new_object_of::<T>(py, state)
}

/// Converts `owned` to a Python object, which takes over the resource: a new one, or the one that a body got the handle
/// from.
pub(super) fn owned_into_py<'py, T: PyHandle + Resource>(
    owned: Owned<'_, T>,
    context: &CallContext<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let id = Id::of(&*owned);
    if T::kind().owns_tree() && body_arguments::is_argument(id) {
        return Err(to_pyerr(context.py(), ended::<T>()));
    }
    if let Some(object) = context.give_back(id) {
        owned.into_raw_for_now();
        return Ok(object);
    }
    let parent = match <T::Parent as crate::handle::Parent>::kind() {
        Some(kind) => Some(context.find_ancestor(kind)?.clone().unbind()),
        None => None,
    };
    let raw = owned.raw().as_ptr().cast();
    let parent = match T::kind().is_counted() {
        true => Some(super::ref_counted::join(context.py(), T::kind(), raw)?),
        false => parent,
    };
    let extra_parents = match T::kind().extra_parents() {
        [] => Vec::new(),
        kinds => context.arguments(Id::of(&*owned), kinds)?,
    };
    check_parent(Id::of(&*owned), parent.as_ref())
        .map_err(|error| to_pyerr(context.py(), error))?;
    let traced = trace(context.py(), T::kind());
    let raw = owned.into_raw().as_ptr().cast();
    let special = Special::of(T::kind(), extra_parents, traced);
    let state = HandleState::resource_at(context.py(), T::kind(), raw, parent, special)?;
    let object = new_object::<T>(context, state)?;
    let state = object.as_super().get().state().resource();
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

/// Returns the error for the owner of a tree that a body took and returns: Python may have objects of its parts, which
/// refer to the former object.
#[cold]
fn ended<T: Handle>() -> Error {
    Error::Value(format!(
        "a body ends a {name} that it takes, because Python may have objects of its parts: take `&self` or `&mut {name}`",
        name = T::NAME
    ))
}

/// Converts `owned`, which lives in no other handle, to a new Python object, as [`owned_into_py`] does.
#[inline]
pub(super) fn new_owned<'py, T: PyHandle + Resource>(
    py: Python<'py>,
    owned: Owned<'_, T>,
) -> PyResult<Bound<'py, PyAny>> {
    debug_assert!(T::SPEC.is_made_alone());
    let traced = trace(py, T::kind());
    let special = Special::of_alone(T::kind(), traced);
    let raw = owned.into_raw().as_ptr().cast();
    let state = HandleState::resource_at(py, T::kind(), raw, None, special)?;
    let object = new_object_of::<T>(py, state)?;
    if const { T::SPEC.attachments } {
        object.as_super().get().state().resource().link();
    }
    Ok(object.into_any())
}

/// Refuses a handle that lives in another parent than its Python object would keep: a method with a body may return a
/// handle that it made in another one than the receiver.
fn check_parent(id: Id, parent: Option<&Py<HandleClass>>) -> Result<(), Error> {
    let Some(parent) = parent.filter(|_| !id.kind().is_counted()) else {
        return Ok(());
    };
    let state = parent.get().state();
    match children::is_made_in(id, Id::new(state.kind(), state.entered_raw())) {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "this {} lives in another {} than the one that the call was made on: return it from a method of that one",
            id.kind().name(),
            state.kind().name()
        ))),
    }
}

/// A view of a part: a new Python object that keeps the owner.
#[doc(hidden)]
pub fn part_into_py<'a, 'py, T: PyHandle + Part>(
    part: Borrowed<'a, T>,
    context: &CallContext<'a, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let owner = context.find_ancestor(T::Owner::kind())?;
    view(context, part, owner)
}

#[inline]
pub(super) fn view<'py, T: PyHandle + Part>(
    context: &CallContext<'_, 'py>,
    part: Borrowed<'_, T>,
    owner: &Bound<'py, HandleClass>,
) -> PyResult<Bound<'py, PyAny>> {
    check_owner(part, owner.get()).map_err(|error| refusal(context.py(), error))?;
    if context.site().should_fail(FailPoint::Object) {
        return Err(no_memory());
    }
    new_view(context.py(), part, owner)
}

/// Makes the Python object of a part of `owner`. Runs no Python code.
#[inline]
pub(super) fn new_view<'py, T: PyHandle + Part>(
    py: Python<'py>,
    part: Borrowed<'_, T>,
    owner: &Bound<'py, HandleClass>,
) -> PyResult<Bound<'py, PyAny>> {
    let raw = part.raw().as_ptr().cast();
    match const { T::SPEC.is_tree_part() } {
        true => tree_part::<T>(py, raw, owner).map(Bound::into_any),
        false => new_part::<T>(py, raw, owner).map(Bound::into_any),
    }
}

#[inline(always)]
fn new_part<'py, T: PyHandle>(
    py: Python<'py>,
    raw: *mut (),
    owner: &Bound<'py, HandleClass>,
) -> PyResult<Bound<'py, T::Class>> {
    if !T::kind().is_until_mut() && owner.get().state().is_resource() {
        let state = || HandleState::plain_view(T::kind(), raw, owner.clone().unbind());
        let may_be_in_cycle = const { T::SPEC.may_be_in_cycle() };
        // SAFETY: trait `PyHandle`: this is the class of `T`.
        let object = unsafe { allocation::try_new_object(py, T::class(), state, may_be_in_cycle) };
        if let Some(object) = object? {
            return Ok(object);
        }
    }
    new_part_of_any::<T>(py, raw, owner)
}

#[inline(never)]
fn new_part_of_any<'py, T: PyHandle>(
    py: Python<'py>,
    raw: *mut (),
    owner: &Bound<'py, HandleClass>,
) -> PyResult<Bound<'py, T::Class>> {
    let state = HandleState::view(py, T::kind(), raw, owner.clone().unbind())?;
    new_object_of::<T>(py, state)
}

/// Returns the Python object of a part that moves, if there is one. It keeps its owner, so that need not be looked for.
#[inline(always)]
pub(super) fn find_tree_part<'py, T: PyHandle>(
    py: Python<'py>,
    part: Borrowed<'_, T>,
) -> Option<Bound<'py, HandleClass>> {
    let kind = T::kind();
    let raw = part.raw().as_ptr().cast();
    // SAFETY: guarantee 3: the call has borrowed the owner of the part.
    unsafe { parts::find(py, kind, kind.tree()?.object(raw)) }.ok()?
}

/// Returns the Python object of a part that moves: the one that there is, or a new one.
pub(super) fn tree_part<'py, T: PyHandle>(
    py: Python<'py>,
    raw: *mut (),
    owner: &Bound<'py, HandleClass>,
) -> PyResult<Bound<'py, HandleClass>> {
    let kind = T::kind();
    let Some(ops) = kind.tree() else {
        unreachable!("`SPEC` and `kind` are of one type")
    };
    // SAFETY: guarantee 3: the call has borrowed the owner of the part.
    unsafe {
        let field = ops.object(raw);
        if let Some(object) = parts::find(py, kind, field).map_err(|error| refusal(py, error))? {
            return Ok(object);
        }
        let object = new_part::<T>(py, raw, owner)?.into_super();
        parts::register(object, kind, field).map_err(|error| refusal(py, error))
    }
}

/// Refuses a part whose owner is another handle than `owner`, which the part's view would keep. A part that does not
/// know its owner passes.
#[inline(always)]
pub(super) fn check_owner<T: Part>(
    part: Borrowed<'_, T>,
    owner: &HandleClass,
) -> Result<(), Error> {
    let raw = part.raw().as_ptr().cast();
    // SAFETY: guarantee 14: the part is valid, as it is borrowed.
    let actual = unsafe { T::kind().owner(raw) };
    let here = Id::new(T::Owner::kind(), owner.state().entered_raw());
    let is_part = match actual {
        Some(actual) => actual == here,
        // The body may have found it before the owner was adopted.
        None => !(owner.state().is_adopted() && has_adopted_parts()),
    };
    match is_part {
        true => Ok(()),
        false => Err(part_of_another::<T>()),
    }
}

#[cold]
fn part_of_another<T: Part>() -> Error {
    Error::Value(format!(
        "this {} is part of another {} than the one that the call was made on",
        T::NAME,
        T::Owner::NAME
    ))
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
pub fn resource_into_py<'a, 'py, T: PyHandle>(
    handle: Borrowed<'a, T>,
    context: &CallContext<'a, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let object = context.find_ancestor(T::kind())?;
    if object.get().state().raw() == handle.raw().as_ptr().cast() {
        return Ok(object.clone().into_any());
    }
    let message = format!(
        "this {} is not owned by the one that the call was made on",
        T::NAME
    );
    Err(to_pyerr(context.py(), Error::Value(message)))
}
