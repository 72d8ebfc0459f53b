//! The values that direct entries read from Python objects and make into Python objects.

use std::ffi::{CStr, c_int};
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;

use super::method::{Argument, Receiver, Reply};
use crate::error::Error;
use crate::handle::{Borrowed, Handle, Owned, Part, Resource};
use crate::interpreter::{ReentrancyGuard, known_to_pyo3};
use crate::panics::Payload;
use crate::python::call::no_ancestor;
use crate::python::exceptions::{of_panic, to_pyerr};
use crate::python::object::{PyHandle, check_owner, find_tree_part, new_owned, new_view};
use crate::short_text;

/// A value that an entry reads from a Python object of the one type that holds such values. It runs no Python code.
pub trait PlainArgument<'a>: Sized {
    /// Returns the value; `None` if PyO3 has to convert the object.
    fn read(argument: Argument<'a>) -> Option<Self>;
}

macro_rules! integer_arguments {
    ($($type:ty)+) => {$(
        impl PlainArgument<'_> for $type {
            #[inline(always)]
            fn read(Argument(object, _): Argument<'_>) -> Option<Self> {
                let mut overflow: c_int = 0;
                // SAFETY: CPython: the object is an `int`, so that the function calls nothing and sets no exception.
                let value = unsafe {
                    if ffi::PyLong_CheckExact(object) == 0 {
                        return None;
                    }
                    ffi::PyLong_AsLongAndOverflow(object, &raw mut overflow)
                };
                // What overflows is read as -1.
                if value == -1 && overflow != 0 {
                    return None;
                }
                value.try_into().ok()
            }
        }
    )+};
}

integer_arguments! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

impl PlainArgument<'_> for f64 {
    #[inline(always)]
    fn read(Argument(object, _): Argument<'_>) -> Option<Self> {
        // SAFETY: CPython: the object is a `float`, whose value is read.
        unsafe { (ffi::PyFloat_CheckExact(object) != 0).then(|| ffi::PyFloat_AS_DOUBLE(object)) }
    }
}

impl PlainArgument<'_> for bool {
    #[inline(always)]
    fn read(Argument(object, _): Argument<'_>) -> Option<Self> {
        // SAFETY: CPython: the two objects live as long as the interpreter.
        let (yes, no) = unsafe { (ffi::Py_True(), ffi::Py_False()) };
        match object {
            object if ptr::eq(object, yes) => Some(true),
            object if ptr::eq(object, no) => Some(false),
            _ => None,
        }
    }
}

/// Text as Python keeps it: UTF-8 with a NUL behind it, which stays as long as the `str`.
impl<'a> PlainArgument<'a> for &'a CStr {
    #[inline(always)]
    fn read(argument: Argument<'a>) -> Option<Self> {
        short_text::c_str(utf8_with_end(argument)?)
    }
}

impl<'a> PlainArgument<'a> for &'a str {
    #[inline(always)]
    fn read(argument: Argument<'a>) -> Option<Self> {
        let (_end, text) = utf8_with_end(argument)?.split_last()?;
        // SAFETY: CPython: the UTF-8 form of a `str` is valid UTF-8.
        Some(unsafe { std::str::from_utf8_unchecked(text) })
    }
}

/// The UTF-8 form of a `str`, with the NUL behind it.
#[inline(always)]
fn utf8_with_end<'a>(Argument(object, _): Argument<'a>) -> Option<&'a [u8]> {
    let mut count = 0;
    // SAFETY: CPython: the object is a `str`, as is asked first. Its UTF-8 form ends with a NUL that the length does
    // not count, and stays as long as the object, which the caller holds during the call. For text that has no UTF-8
    // form the result is null, with an exception, which PyO3's function will raise again.
    unsafe {
        if ffi::PyUnicode_CheckExact(object) == 0 {
            return None;
        }
        let start = ffi::PyUnicode_AsUTF8AndSize(object, &raw mut count);
        if start.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::slice::from_raw_parts(
            start.cast(),
            count.cast_unsigned() + 1,
        ))
    }
}

/// A result that becomes a Python object without a container, so that no Python code runs.
pub trait PlainResult: Sized {
    /// Set if making the object never runs Python code.
    const IS_PLAIN: bool = true;

    /// Returns a new reference, or null with an exception set.
    fn into_object(self, receiver: &Receiver<'_>) -> *mut ffi::PyObject;
}

impl PlainResult for () {
    #[inline(always)]
    fn into_object(self, _: &Receiver<'_>) -> *mut ffi::PyObject {
        // SAFETY: CPython: the object lives as long as the interpreter, and is given out as a new reference.
        unsafe { ffi::Py_NewRef(ffi::Py_None()) }
    }
}

impl PlainResult for bool {
    #[inline(always)]
    fn into_object(self, _: &Receiver<'_>) -> *mut ffi::PyObject {
        // SAFETY: CPython: the object lives as long as the interpreter, and is given out as a new reference.
        unsafe {
            ffi::Py_NewRef(match self {
                true => ffi::Py_True(),
                false => ffi::Py_False(),
            })
        }
    }
}

impl<T: PlainResult> PlainResult for Option<T> {
    const IS_PLAIN: bool = T::IS_PLAIN;

    #[inline(always)]
    fn into_object(self, receiver: &Receiver<'_>) -> *mut ffi::PyObject {
        match self {
            Some(value) => value.into_object(receiver),
            None => ().into_object(receiver),
        }
    }
}

impl<T: PlainResult> PlainResult for Result<T, Error> {
    const IS_PLAIN: bool = T::IS_PLAIN;

    #[inline(always)]
    fn into_object(self, receiver: &Receiver<'_>) -> *mut ffi::PyObject {
        match self {
            Ok(value) => value.into_object(receiver),
            Err(error) => raise(receiver.py(), error),
        }
    }
}

/// A view of a part.
impl<T: PyHandle + Part> PlainResult for Borrowed<'_, T> {
    #[inline(always)]
    fn into_object(self, receiver: &Receiver<'_>) -> *mut ffi::PyObject {
        if const { T::SPEC.is_tree_part() }
            && let Some(object) = find_tree_part(receiver.py(), self)
        {
            return object.into_ptr();
        }
        let Some(owner) = receiver.find_ancestor(T::Owner::kind()) else {
            return raise(receiver.py(), no_ancestor(T::Owner::kind()));
        };
        if let Err(error) = check_owner(self, owner.get()) {
            return raise(receiver.py(), error);
        }
        match new_view(receiver.py(), self, &owner) {
            Ok(object) => object.into_ptr(),
            Err(error) => restore(receiver.py(), error),
        }
    }
}

/// A new handle that lives in nothing.
impl<T: PyHandle + Resource> PlainResult for Owned<'_, T> {
    const IS_PLAIN: bool = T::SPEC.is_made_alone() && !T::SPEC.may_be_in_cycle();

    #[inline(always)]
    fn into_object(self, receiver: &Receiver<'_>) -> *mut ffi::PyObject {
        match new_owned(receiver.py(), self) {
            Ok(object) => object.into_ptr(),
            Err(error) => restore(receiver.py(), error),
        }
    }
}

/// The result of a generated wrapper.
pub trait WrappedResult {
    /// Returns a new reference, or null with an exception set.
    fn into_reply(self) -> Reply;
}

impl WrappedResult for PyResult<()> {
    #[inline(always)]
    fn into_reply(self) -> Reply {
        // SAFETY: CPython: the object lives as long as the interpreter, and is given out as a new reference.
        Reply::of(self.map(|()| unsafe { ffi::Py_NewRef(ffi::Py_None()) }))
    }
}

/// The result of a constructor.
impl<C> WrappedResult for PyResult<Bound<'_, C>> {
    #[inline(always)]
    fn into_reply(self) -> Reply {
        Reply::of(self.map(Bound::into_ptr))
    }
}

impl Reply {
    /// The reply with a new reference.
    #[inline(always)]
    pub(crate) fn of(result: PyResult<*mut ffi::PyObject>) -> Self {
        // SAFETY: CPython: the result was just made by a call of Python's, so this thread is attached.
        let py = unsafe { Python::assume_attached() };
        Reply(result.unwrap_or_else(|error| restore(py, error)))
    }
}

/// Sets an exception. Returns null.
#[cold]
fn restore(py: Python<'_>, error: PyErr) -> *mut ffi::PyObject {
    // Dropping objects may run Python code, while the call borrows the handle.
    let _python = ReentrancyGuard::begin();
    known_to_pyo3(py, |py| error.restore(py));
    ptr::null_mut()
}

/// Sets the exception of an error. Returns null.
#[cold]
fn raise(py: Python<'_>, error: Error) -> *mut ffi::PyObject {
    // Making an exception may run the garbage collector, while the call borrows the handle.
    let _python = ReentrancyGuard::begin();
    known_to_pyo3(py, |py| to_pyerr(py, error).restore(py));
    ptr::null_mut()
}

/// Sets the exception of a panic. Returns null.
#[cold]
pub(super) fn raise_panic(py: Python<'_>, payload: Payload) -> *mut ffi::PyObject {
    // Making an exception may run the garbage collector, while the call borrows the handle.
    let _python = ReentrancyGuard::begin();
    restore(py, of_panic(py, payload))
}
