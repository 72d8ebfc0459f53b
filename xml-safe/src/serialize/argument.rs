//! Arguments that are converted in the body of a method. PyO3 itself converts an argument by value before that, and
//! ends the process if it finds no memory for the exception.

use std::convert::Infallible;
use std::marker::PhantomData;

use leakproof::prelude::*;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{Bound, FromPyObject, Py, PyAny, PyResult};
use leakproof::pyo3::{self, Python};

/// A type of arguments.
pub(super) trait FromArgument: Sized {
    /// The Python type, for the stubs.
    const TYPE: PyStaticExpr;

    /// The value of an argument that is left out.
    fn omitted() -> Self;

    /// Converts the argument.
    fn from_argument(object: &Bound<'_, PyAny>) -> PyResult<Self>;
}

/// An argument as it was passed.
pub(super) struct Argument<T>(Option<Py<PyAny>>, PhantomData<T>);

impl<T: FromArgument> Argument<T> {
    /// An argument that is left out.
    pub(super) const OMITTED: Self = Argument(None, PhantomData);

    /// Converts the argument.
    pub(super) fn get(&self) -> Result<T> {
        match &self.0 {
            None => Ok(T::omitted()),
            Some(object) => Ok(Python::attach(|py| T::from_argument(object.bind(py)))?),
        }
    }
}

impl<'py, T: FromArgument> FromPyObject<'_, 'py> for Argument<T> {
    type Error = Infallible;

    const INPUT_TYPE: PyStaticExpr = T::TYPE;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> Result<Self, Infallible> {
        Ok(Argument(Some(object.to_owned().unbind()), PhantomData))
    }
}
