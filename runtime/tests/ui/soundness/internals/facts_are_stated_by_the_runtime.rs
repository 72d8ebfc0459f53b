//! A conversion that runs Python code does not say that it runs none.

use leakproof::prelude::*;
use leakproof::pyo3;

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
