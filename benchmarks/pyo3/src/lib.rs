//! The trivial C library of the benchmarks, wrapped with PyO3 by hand.

use std::borrow::Cow;
use std::ffi::{CStr, c_char, c_int};
use std::ptr::NonNull;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

#[repr(C)]
struct RawDial {
    position: c_int,
}

#[repr(C)]
struct RawCounter {
    value: c_int,
    name: [c_char; 12],
    dial: RawDial,
}

unsafe extern "C" {
    fn counter_new(start: c_int) -> *mut RawCounter;
    fn counter_free(counter: *mut RawCounter);
    fn counter_get(counter: *const RawCounter) -> c_int;
    fn counter_plus(counter: *const RawCounter, n: c_int) -> c_int;
    fn counter_scaled(counter: *const RawCounter, factor: c_int, offset: c_int) -> c_int;
    fn counter_matches(counter: *const RawCounter, text: *const c_char) -> c_int;
    fn counter_name(counter: *const RawCounter) -> *const c_char;
    fn counter_dial(counter: *const RawCounter) -> *const RawDial;
    fn dial_get(dial: *const RawDial) -> c_int;
    fn counter_sum(a: c_int, b: c_int) -> c_int;
    fn counter_add(counter: *mut RawCounter, n: c_int) -> c_int;
}

/// A counter.
///
/// `frozen` leaves out PyO3's borrow count: no function of the library calls Python or releases the GIL.
#[pyclass(frozen)]
struct Counter(NonNull<RawCounter>);

// SAFETY: the C library has no state besides the counter.
unsafe impl Send for Counter {}
// SAFETY: the GIL is held during all calls.
unsafe impl Sync for Counter {}

#[pymethods]
impl Counter {
    #[new]
    fn new(start: c_int) -> PyResult<Self> {
        // SAFETY: any number may be passed.
        NonNull::new(unsafe { counter_new(start) })
            .map(Counter)
            .ok_or_else(|| PyRuntimeError::new_err("counter_new failed"))
    }

    #[getter]
    fn value(&self) -> c_int {
        // SAFETY: the counter is valid until it is dropped.
        unsafe { self.0.as_ref() }.value
    }

    fn get(&self) -> c_int {
        // SAFETY: as above.
        unsafe { counter_get(self.0.as_ptr()) }
    }

    fn plus(&self, n: c_int) -> c_int {
        // SAFETY: as above.
        unsafe { counter_plus(self.0.as_ptr(), n) }
    }

    fn scaled(&self, factor: c_int, offset: c_int) -> c_int {
        // SAFETY: as above.
        unsafe { counter_scaled(self.0.as_ptr(), factor, offset) }
    }

    fn matches(&self, text: &CStr) -> c_int {
        // SAFETY: as above; the text ends with a NUL.
        unsafe { counter_matches(self.0.as_ptr(), text.as_ptr()) }
    }

    fn name(&self) -> Cow<'_, str> {
        // SAFETY: as above; the name belongs to the counter, and ends with a NUL.
        unsafe { CStr::from_ptr(counter_name(self.0.as_ptr())) }.to_string_lossy()
    }

    fn dial(slf: &Bound<'_, Self>) -> Dial {
        // SAFETY: as above.
        let raw = unsafe { counter_dial(slf.get().0.as_ptr()) };
        let owner = slf.clone().unbind();
        Dial { raw, owner }
    }

    #[staticmethod]
    fn sum(a: c_int, b: c_int) -> c_int {
        // SAFETY: any numbers may be passed.
        unsafe { counter_sum(a, b) }
    }

    fn add(&self, n: c_int) -> c_int {
        // SAFETY: as above, and no other call runs at the same time.
        unsafe { counter_add(self.0.as_ptr(), n) }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        // SAFETY: the counter is valid, and is not used again.
        unsafe { counter_free(self.0.as_ptr()) }
    }
}

/// A part of a counter.
#[pyclass(frozen)]
struct Dial {
    raw: *const RawDial,
    #[expect(dead_code, reason = "keeps the counter alive")]
    owner: Py<Counter>,
}

// SAFETY: as of `Counter`.
unsafe impl Send for Dial {}
// SAFETY: as of `Counter`.
unsafe impl Sync for Dial {}

#[pymethods]
impl Dial {
    fn get(&self) -> c_int {
        // SAFETY: the dial is valid as long as the counter, which `owner` keeps alive.
        unsafe { dial_get(self.raw) }
    }
}

#[pymodule(gil_used = true)]
mod counter_pyo3 {
    #[pymodule_export]
    use super::{Counter, Dial};
}
