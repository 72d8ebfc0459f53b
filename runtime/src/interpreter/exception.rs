//! Exceptions of the runtime, which are made at once.
//!
//! PyO3 makes the message of a `new_err` where Python gets the exception, and ends the process if there is no memory
//! for the message. PyO3's own strings panic then, and so does `format!`. Here the exception becomes a `MemoryError`.

use std::fmt::{self, Write};

use pyo3::exceptions::PyMemoryError;
use pyo3::panic::PanicException;
use pyo3::types::{PyString, PyType};
use pyo3::{PyTypeInfo, ffi, prelude::*};
use smallvec::SmallVec;

/// Converts an exception object to a `PyErr`, which Python chains to the exception that is being handled. Allocates
/// nothing.
pub(crate) fn raised(exception: Bound<'_, PyAny>) -> PyErr {
    // PyO3 resumes a panic that it fetches.
    if exception.is_exact_instance_of::<PanicException>() {
        return PyErr::from_type(exception.get_type(), exception.unbind());
    }
    // SAFETY: CPython: this thread is attached, as the object shows. The function sets an exception of its class.
    unsafe { ffi::PyErr_SetObject(exception.get_type().as_ptr(), exception.as_ptr()) };
    PyErr::fetch(exception.py())
}

/// A message that is being written. Most need no memory but this.
#[derive(Default)]
struct Message {
    bytes: SmallVec<[u8; 256]>,
    is_cut: bool,
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.bytes.try_reserve(text.len()).is_err() {
            self.is_cut = true;
            return Err(fmt::Error);
        }
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Makes a Python string of what a value shows.
fn new_message<'py>(py: Python<'py>, shown: &dyn fmt::Display) -> PyResult<Bound<'py, PyString>> {
    let mut message = Message::default();
    // A value that cannot be shown has shown a part.
    let _ = write!(message, "{shown}");
    match std::str::from_utf8(&message.bytes) {
        Ok(text) if !message.is_cut => new_text(py, text),
        _ => Err(PyMemoryError::new_err(())),
    }
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
pub(crate) fn new_exception_of(class: &Bound<'_, PyType>, message: &dyn fmt::Display) -> PyErr {
    let made = new_message(class.py(), message).and_then(|message| class.call1((message,)));
    made.map_or_else(|error| error, raised)
}

/// Makes an exception of a built-in class, or the `MemoryError` for it.
#[cold]
pub(crate) fn new_exception<E: PyTypeInfo>(py: Python<'_>, message: impl fmt::Display) -> PyErr {
    new_exception_of(&py.get_type::<E>(), &message)
}
