//! Integers as arguments. Those of Python have no limits: what fits into no integer of C is a ValueError that names the
//! argument, or stands for an end.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyOverflowError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{FromPyObject, PyAny, PyAnyMethods, PyErr};
use leakproof::pyo3::{self};

/// A number of something; `None` if it is below zero or too large.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count(Option<usize>);

impl Count {
    pub(crate) const fn of(count: usize) -> Self {
        Count(Some(count))
    }

    /// Returns the number. `least` is the least that is allowed, and `advice` ends the message of the error.
    pub(crate) fn get(self, argument: &str, least: usize, advice: &str) -> Result<usize> {
        self.0.filter(|count| *count >= least).ok_or_else(|| {
            let most = usize::MAX;
            Error::Value(format!(
                "{argument} is an integer from {least} to {most}{advice}"
            ))
        })
    }
}

impl<'py> FromPyObject<'_, 'py> for Count {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = <usize as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> Result<Self, PyErr> {
        match object.extract() {
            Ok(count) => Ok(Count(Some(count))),
            Err(error) if is_overflow(&object, &error) => Ok(Count(None)),
            Err(error) => Err(error),
        }
    }
}

/// A position in a list: one beyond an end stands for that end, as in a slice. `list.insert` refuses those that are too
/// large for C.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Index(pub(crate) isize);

impl<'py> FromPyObject<'_, 'py> for Index {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = <isize as FromPyObject<'_, '_>>::INPUT_TYPE;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> Result<Self, PyErr> {
        match object.extract() {
            Ok(index) => Ok(Index(index)),
            Err(error) if is_overflow(&object, &error) => {
                let is_negative = object.call_method0("__index__")?.lt(0)?;
                Ok(Index(if is_negative { isize::MIN } else { isize::MAX }))
            }
            Err(error) => Err(error),
        }
    }
}

fn is_overflow(object: &pyo3::Borrowed<'_, '_, PyAny>, error: &PyErr) -> bool {
    error.is_instance_of::<PyOverflowError>(object.py())
}
