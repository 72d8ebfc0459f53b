//! The trivial C library of the benchmarks, wrapped with leakproof.

use std::ffi::c_int;

use leakproof::prelude::*;

#[allow(warnings, clippy::all, reason = "generated from the header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/counter.rs"));
}

/// A counter.
#[handle(raw = ffi::counter, release = ffi::counter_free, fork_safe)]
pub struct Counter;

#[methods(unsafe)]
impl Counter {
    /// Creates a counter.
    #[new]
    #[calls(ffi::counter_new, fails = null)]
    fn new(start: c_int) -> Result<Owned<Counter>>;

    /// The value.
    #[getter]
    #[field(value)]
    fn value(&self) -> c_int;

    /// Returns the value.
    #[calls(ffi::counter_get)]
    fn get(&self) -> c_int;

    /// Returns the sum of the value and `n`.
    #[calls(ffi::counter_plus)]
    fn plus(&self, n: c_int) -> c_int;

    /// Returns the value times `factor` plus `offset`.
    #[calls(ffi::counter_scaled)]
    fn scaled(&self, factor: c_int, offset: c_int) -> c_int;

    /// Returns the sum of the value and `n`, which is passed by position only.
    #[pyo3(signature = (n, /))]
    #[calls(ffi::counter_plus)]
    fn plus_by_position(&self, n: c_int) -> c_int;

    /// Returns the value times `factor` plus `offset`, both of which are passed by position only.
    #[pyo3(signature = (factor, offset, /))]
    #[calls(ffi::counter_scaled)]
    fn scaled_by_position(&self, factor: c_int, offset: c_int) -> c_int;

    /// Compares the first character of `text`, which is passed by position only, with that of the name.
    #[pyo3(signature = (text, /))]
    #[calls(ffi::counter_matches)]
    fn matches_by_position(&self, text: &CStr) -> c_int;

    /// Compares the first character of `text` with that of the name.
    #[calls(ffi::counter_matches)]
    fn matches(&self, text: &CStr) -> c_int;

    /// Returns the name.
    #[calls(ffi::counter_name, borrowed)]
    fn name(&self) -> Result<Option<String>>;

    /// Returns the dial.
    #[calls(ffi::counter_dial)]
    fn dial(&self) -> Option<Borrowed<Dial>>;

    /// Returns the sum of two numbers.
    #[staticmethod]
    #[calls(ffi::counter_sum)]
    fn sum(a: c_int, b: c_int) -> c_int;

    /// Adds `n`, and returns the sum.
    #[calls(ffi::counter_add)]
    fn add(&mut self, n: c_int) -> c_int;
}

/// A part of a counter.
#[handle(raw = ffi::dial, part_of = Counter)]
pub struct Dial;

#[methods(unsafe)]
impl Dial {
    /// Returns the position.
    #[calls(ffi::dial_get)]
    fn get(&self) -> c_int;
}

#[leakproof::module]
mod counter_leakproof {
    #[pymodule_export]
    use super::{Counter, Dial};
}
