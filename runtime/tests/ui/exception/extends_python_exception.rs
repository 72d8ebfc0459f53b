//! An exception has built-in ones as bases that hold nothing but a message, and extends one other exception.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyConnectionError, PyKeyError};

#[exception(extends = PyKeyError)]
pub struct Missing {
    pub message: String,
}

#[exception(extends = (Missing, leakproof::pyo3::exceptions::PyValueError))]
pub struct Wrong {
    pub base: Missing,
}

#[exception(extends = leakproof::pyo3::exceptions::PyStopIteration)]
pub struct Lost {
    pub message: String,
}

#[exception(extends = PyConnectionError)]
pub struct Cut {
    pub message: String,
    pub errno: i32,
}

#[exception(extends = (Missing, Wrong))]
pub struct Both {
    pub base: Missing,
}

fn main() {}
