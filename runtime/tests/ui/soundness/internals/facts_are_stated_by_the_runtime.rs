//! Errors that run code do not say that they run none, nor does a conversion that runs Python code.

use leakproof::prelude::*;
use leakproof::{Handle, pyo3};

#[derive(Default)]
pub struct Notes;

impl<T: Handle> ErrorSource<T> for Notes {
    const IS_SILENT: bool = true;

    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        Error::Failed(call.function)
    }
}

pub struct Pair;

impl IntoPython for Pair {
    const TYPE: pyo3::inspect::PyStaticExpr = <i32 as IntoPython>::TYPE;
    const PLAIN: bool = true;

    fn into_python<'a, 'py>(
        self,
        context: &leakproof::CallContext<'a, 'py>,
    ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::PyAny>>
    where
        Self: 'a,
    {
        1_i32.into_python(context)
    }
}

fn main() {}
