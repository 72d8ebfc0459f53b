//! Values that `#[record]` makes of C structs, in Python.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyClass, PyClassInitializer};

use super::call::CallContext;
use super::extract::wrong_type;
use super::py_box::no_memory;
use crate::failpoint::FailPoint;

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
        parts.push(format!("{field}={}", record.getattr(*field)?.repr()?));
    }
    Ok(format!(
        "{}({})",
        record.get_type().name()?,
        parts.join(", ")
    ))
}
