//! An exception that is an `OSError` has a number.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTimeoutError;

#[exception(extends = PyTimeoutError)]
pub struct Slow {
    pub message: String,
    pub filename: Option<String>,
}

fn main() {}
