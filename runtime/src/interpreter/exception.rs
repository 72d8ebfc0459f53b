//! Exceptions of the runtime, which are made at once.
//!
//! PyO3 makes the message of a `new_err` where Python gets the exception, and ends the process if there is no memory
//! for the message. PyO3's own strings panic then. Here the exception becomes a `MemoryError`.

use pyo3::types::{PyString, PyType};
use pyo3::{PyTypeInfo, ffi, prelude::*};

/// Converts an exception object to a `PyErr`, so that Python chains it to the exception that is being handled
/// (`PyErr_SetObject`).
pub(crate) fn raised(exception: Bound<'_, PyAny>) -> PyErr {
    PyErr::from_type(exception.get_type(), exception.unbind())
}

/// Makes a Python string.
///
/// # Errors
///
/// `MemoryError`.
pub(crate) fn new_text<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyString>> {
    let (start, count) = (text.as_ptr().cast(), text.len().cast_signed());
    // SAFETY: CPython: this thread is attached, as the token shows. The function copies so many bytes, and returns a
    // new string, or null with an exception.
    let object =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_FromStringAndSize(start, count)) };
    Ok(object?.cast_into()?)
}

/// Makes an exception of a class, or the `MemoryError` for it.
#[cold]
pub(crate) fn new_exception_of(class: &Bound<'_, PyType>, message: &str) -> PyErr {
    let made = new_text(class.py(), message).and_then(|message| class.call1((message,)));
    made.map_or_else(|error| error, raised)
}

/// Makes an exception of a built-in class, or the `MemoryError` for it.
#[cold]
pub(crate) fn new_exception<E: PyTypeInfo>(py: Python<'_>, message: impl AsRef<str>) -> PyErr {
    new_exception_of(&py.get_type::<E>(), message.as_ref())
}
