//! Values that `#[record]` makes of C structs, in Python.

use std::ffi::CString;

use pyo3::exceptions::PyUnicodeDecodeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyClass, PyClassInitializer};

use super::call::CallContext;
use super::exceptions::to_pyerr;
use super::extract::wrong_type;
use super::into_py::TypedResult;
use super::new_copy::new_fs_string;
use super::py_box::no_memory;
use crate::convert::characters::{self, Characters};
use crate::failpoint::FailPoint;
use crate::interpreter::new_text;

/// Extracts a record from an argument.
#[doc(hidden)]
pub fn extract<'a, 'py, T: PyClass>(
    object: Borrowed<'a, 'py, PyAny>,
) -> PyResult<Borrowed<'a, 'py, T>> {
    object
        .cast::<T>()
        .map_err(|_| wrong_type(<T as PyClass>::NAME, object))
}

/// Converts a record that a call returns.
#[doc(hidden)]
pub fn into_py<'py, T: PyClass + Into<PyClassInitializer<T>>>(
    value: T,
    context: &CallContext<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    if context.site().should_fail(FailPoint::Object) {
        return Err(no_memory());
    }
    Ok(Bound::new(context.py(), value)?.into_any())
}

/// Returns the text of an array of characters, decoded from UTF-8.
#[doc(hidden)]
pub fn string<'py>(
    py: Python<'py>,
    field: &impl Characters,
    place: &'static str,
    lossy: bool,
) -> PyResult<TypedResult<'py, String>> {
    let bytes = field.text();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => new_text(py, text),
        Err(_) if lossy => new_text(py, &String::from_utf8_lossy(bytes)),
        Err(_) => {
            let error = characters::string(field, place).map(drop);
            return Err(error.map_or_else(|error| to_pyerr(py, error), |()| no_memory()));
        }
    };
    Ok(text?.into_any().into())
}

/// Returns the text of an array of characters as `os.fsdecode` does: bytes that are not UTF-8 become lone surrogates.
#[doc(hidden)]
pub fn fs_string<'py>(
    py: Python<'py>,
    field: &impl Characters,
) -> PyResult<TypedResult<'py, CString>> {
    // SAFETY: CPython: this thread is attached, as the token shows; the function returns a new object, or null with an
    // exception.
    let text = unsafe { Bound::from_owned_ptr_or_err(py, new_fs_string(field.text())) };
    Ok(text?.into())
}

/// Hashes the values of the fields as Python does, so that equal records have equal hashes.
///
/// A NaN is unequal to itself, and each read of the field makes a new `float` object. So the record's own address
/// stands for a NaN, as the address of a `float` does in its hash.
#[doc(hidden)]
pub fn hash(record: &Bound<'_, PyAny>, fields: &[&str]) -> PyResult<isize> {
    let mut values = Vec::new();
    for field in fields {
        let value = record.getattr(*field)?;
        values.push(match value.eq(&value)? {
            true => value,
            false => record
                .as_ptr()
                .addr()
                .into_pyobject(record.py())?
                .into_any(),
        });
    }
    PyTuple::new(record.py(), values)?.hash()
}

/// Formats a record as `Name(x=1.0, y=2.0)`.
#[doc(hidden)]
pub fn repr(record: &Bound<'_, PyAny>, fields: &[&str]) -> PyResult<String> {
    let mut parts = Vec::new();
    for field in fields {
        parts.push(match record.getattr(*field) {
            Ok(value) => format!("{field}={}", value.repr()?),
            // A repr never fails because of the text of C.
            Err(error) if error.is_instance_of::<PyUnicodeDecodeError>(record.py()) => {
                format!("{field}=<no UTF-8>")
            }
            Err(error) => return Err(error),
        });
    }
    Ok(format!(
        "{}({})",
        record.get_type().name()?,
        parts.join(", ")
    ))
}
