//! `extends` names an exception of the package, not one of PyO3.

use leakproof::prelude::*;

#[exception(extends = leakproof::pyo3::exceptions::PyValueError)]
pub struct Special {
    pub message: String,
}

fn main() {}
