//! The Python objects of parts that move: at most one of each part, which a field of the part refers to.
//!
//! The field does not own the object. A call that makes an object has borrowed the owner of the part, so nobody
//! releases the part meanwhile. With a GIL, nobody else looks at the field meanwhile either. On free-threaded Python a
//! lock protects all such fields.
//!
//! The field may refer to an object that nobody else refers to: one that another thread of free-threaded Python drops
//! now, or one whose drop CPython 3.14 and newer puts off because the stack is nearly full. Such an object is not given
//! out again. A new one takes its place.

use std::ffi::c_void;
use std::ptr;

use pyo3::prelude::*;

use super::handle_class::HandleClass;
use super::state::{lock_fields, view_of};
use crate::error::Error;
use crate::handle::kind::HandleKind;
use crate::handle::{Borrowed, TreeOps};
use crate::tree::TreePart;

/// Returns the object that the field of a part refers to, if there is one.
///
/// # Errors
///
/// [`Error::Value`] if the object is of another class.
///
/// # Safety
///
/// `field` is that of a valid part of this kind, and the owner of the part is borrowed.
#[inline(always)]
pub(super) unsafe fn find<'py>(
    py: Python<'py>,
    kind: &'static HandleKind,
    field: *mut *mut c_void,
) -> Result<Option<Bound<'py, HandleClass>>, Error> {
    let _fields = lock_fields();
    // SAFETY: the caller's promise.
    unsafe { find_locked(py, kind, field) }
}

/// Does what [`find`] does. The thread has the lock of the fields.
///
/// # Safety
///
/// As for [`find`].
#[inline(always)]
unsafe fn find_locked<'py>(
    py: Python<'py>,
    kind: &'static HandleKind,
    field: *mut *mut c_void,
) -> Result<Option<Bound<'py, HandleClass>>, Error> {
    // SAFETY: the caller's promise. CPython: the memory of the object is there (`View::unregister`).
    let object = unsafe {
        let Some(object) = existing(py, (*field).cast()) else {
            return Ok(None);
        };
        object.cast_into_unchecked::<HandleClass>()
    };
    match ptr::eq(object.get().state().kind(), kind) {
        true => Ok(Some(object)),
        false => Err(other_class(kind)),
    }
}

#[cold]
fn other_class(kind: &HandleKind) -> Error {
    Error::Value(format!(
        "this {} has a Python object of another class",
        kind.name()
    ))
}

#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
unsafe fn existing(py: Python<'_>, object: *mut pyo3::ffi::PyObject) -> Option<Bound<'_, PyAny>> {
    // SAFETY: the caller's promise: null, or an object whose memory is there.
    unsafe {
        let is_alive = !object.is_null() && pyo3::ffi::Py_REFCNT(object) > 0;
        is_alive.then(|| Bound::from_borrowed_ptr(py, object))
    }
}

#[cfg(Py_GIL_DISABLED)]
unsafe fn existing(py: Python<'_>, object: *mut pyo3::ffi::PyObject) -> Option<Bound<'_, PyAny>> {
    // SAFETY: the caller's promise: null, or an object whose memory is there until `View::unregister` took the lock.
    // CPython: `register` has prepared the object.
    unsafe {
        let is_alive = !object.is_null() && pyo3::ffi::PyUnstable_TryIncRef(object) != 0;
        is_alive.then(|| Bound::from_owned_ptr(py, object))
    }
}

impl<T: TreePart> Borrowed<'_, T> {
    /// Returns whether a Python object is the one of this part.
    #[inline]
    pub fn is_object(self, object: &Bound<'_, PyAny>) -> bool {
        let _fields = lock_fields();
        // SAFETY: guarantee 14: the part is valid, as it is borrowed. CPython: this thread is attached, as the object
        // shows, and nobody else writes the field meanwhile.
        let there = unsafe { *T::object(self.raw().as_ptr()) };
        ptr::eq(there.cast(), object.as_ptr())
    }
}

/// Makes the field of the part refer to the new object, and returns the object; or the one that came first.
///
/// # Errors
///
/// As for [`find`].
///
/// # Safety
///
/// As for [`find`]; `object` is of the part.
#[inline(always)]
pub(super) unsafe fn register<'py>(
    object: Bound<'py, HandleClass>,
    kind: &'static HandleKind,
    field: *mut *mut c_void,
) -> Result<Bound<'py, HandleClass>, Error> {
    #[cfg(Py_GIL_DISABLED)]
    // SAFETY: CPython: the object is new, and only this thread knows it.
    unsafe {
        pyo3::ffi::PyUnstable_EnableTryIncRef(object.as_ptr());
    }
    let _fields = lock_fields();
    // Making the object may have run Python code.
    // SAFETY: the caller's promise.
    if let Some(first) = unsafe { find_locked(object.py(), kind, field) }? {
        return Ok(first);
    }
    if let Some(view) = object.get().state().as_view() {
        // SAFETY: the caller's promise. CPython: the memory of an object that the field refers to is there.
        unsafe {
            view.take_place_of(*field);
            *field = object.as_ptr().cast();
        }
    }
    Ok(object)
}

/// Returns whether the field of a part refers to an object.
///
/// # Safety
///
/// The part is valid, and its owner is borrowed.
pub(super) unsafe fn is_registered(ops: &TreeOps, raw: *mut ()) -> bool {
    let _fields = lock_fields();
    // SAFETY: the caller's promise.
    unsafe { !(*ops.object(raw)).is_null() }
}

/// The address in the field of a part that is about to get an object.
static RESERVED: u8 = 0;

fn reserved() -> *mut c_void {
    (&raw const RESERVED).cast_mut().cast()
}

/// Keeps the field of a part, which refers to no object, for an object.
///
/// # Safety
///
/// As for [`is_registered`]. No Python code runs, and nobody else looks at the field, before [`free_reserved`].
pub(super) unsafe fn reserve(ops: &TreeOps, raw: *mut ()) {
    // SAFETY: the caller's promise.
    unsafe { *ops.object(raw) = reserved() };
}

/// Ends [`reserve`], if the part got no object.
///
/// # Safety
///
/// As for [`reserve`].
pub(super) unsafe fn free_reserved(ops: &TreeOps, raw: *mut ()) {
    // SAFETY: the caller's promise.
    unsafe {
        let field = ops.object(raw);
        if *field == reserved() {
            *field = ptr::null_mut();
        }
    }
}

/// Makes the object of a part, if there is one, the object of the part at `to`, which belongs to `owner`.
///
/// # Safety
///
/// Both parts are valid, the call uses both owners exclusively, the part at `to` has no object but is reserved for one
/// ([`reserve`]), and something else owns the former owner's object until the call has ended.
pub(super) unsafe fn adopt_object(
    py: Python<'_>,
    ops: &TreeOps,
    from: *mut (),
    to: *mut (),
    owner: &Bound<'_, HandleClass>,
) {
    // SAFETY: the caller's promise. CPython: the memory of an object that the field refers to is there.
    unsafe {
        let field = ops.object(from);
        let Some(view) = view_of(*field) else {
            return;
        };
        if existing(py, (*field).cast()).is_none() {
            // It is being dropped.
            view.forget_part();
            *field = ptr::null_mut();
            return;
        }
        drop(view.adopt_into(ops, to, owner.clone().unbind()));
    }
}
