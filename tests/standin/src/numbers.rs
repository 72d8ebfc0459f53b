//! A handle in memory that the caller allocates, and handles that are numbers.

use std::ffi::c_int;

use leakproof::IntegerHandle;
use leakproof::prelude::*;
use leakproof::pyo3::types::PyTuple;
use leakproof::pyo3::{Py, PyAny, PyResult, Python};

use crate::ffi;

/// A tally, made in memory of ours.
#[handle(caller_allocates = ffi::tally, release = ffi::tally_clear, fork_safe)]
pub struct Tally;

#[methods(unsafe)]
impl Tally {
    /// Starts a tally. Fails for a negative number.
    #[new]
    #[calls(ffi::tally_init, args = (out, start), fails = negative, on_failure = null)]
    fn new(start: c_int) -> Result<Owned<Tally>>;

    /// Adds a number. Returns the sum.
    #[calls(ffi::tally_add)]
    fn add(&mut self, n: c_int) -> c_int;

    /// Adds a number, which is passed by position only. Returns the sum.
    #[pyo3(signature = (n, /))]
    #[calls(ffi::tally_add)]
    fn add_one(&mut self, n: c_int) -> c_int;

    /// Adds two numbers, which are passed by position only. Returns the sum.
    #[pyo3(signature = (first, second, /))]
    fn add_two(&mut self, first: c_int, second: c_int) -> c_int {
        self.add(first);
        self.add(second)
    }

    /// Adds a number, which is passed by position only, or 1. Returns the sum.
    #[pyo3(signature = (n = None, /))]
    fn add_some(&mut self, n: Option<c_int>) -> c_int {
        self.add(n.unwrap_or(1))
    }

    /// Adds numbers, the first of which is passed by position only. Returns the sum.
    #[pyo3(signature = (first, /, second))]
    fn add_first(&mut self, first: c_int, second: c_int) -> c_int {
        self.add_two(first, second)
    }

    /// Makes another tally with the same sum.
    fn __copy__(&mut self) -> Result<Owned<'static, Tally>> {
        Tally::new(self.add(0))
    }

    /// The class and the sum, for pickling.
    fn __reduce__(&mut self, py: Python<'_>) -> PyResult<(Py<PyAny>, Py<PyAny>)> {
        let class = py.get_type::<TallyClass>().into_any().unbind();
        let arguments = PyTuple::new(py, [self.add(0)])?;
        Ok((class, arguments.into_any().unbind()))
    }
}

/// A number.
#[handle(integer = c_int, invalid = -2, release = ffi::number_close, interrupt = Numeral::wake)]
pub struct Numeral;

#[methods(unsafe)]
impl Numeral {
    /// Opens the lowest number that is free, of four.
    #[new]
    #[calls(ffi::number_open, fails = when(|number| number == -2))]
    fn new() -> Result<Owned<Numeral>>;

    /// Opens a number that C returns through a pointer.
    #[staticmethod]
    #[calls(ffi::number_open_at, args = (out), fails = nonzero, on_failure = null)]
    fn another() -> Result<Owned<Numeral>>;

    /// The value of the number.
    #[getter]
    fn value(&self) -> c_int {
        self.number()
    }

    /// Waits until the number is woken.
    #[calls(ffi::number_wait, detach)]
    fn wait(&self) -> c_int;

    #[rust_only]
    #[calls(ffi::number_wake)]
    fn wake(&self);
}
