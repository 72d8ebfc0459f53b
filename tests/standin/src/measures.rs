//! A handle with special methods of its own.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyKeyError;
use leakproof::pyo3::prelude::*;
use leakproof::pyo3::types::PyType;

use crate::ffi;

/// A measure, which is equal to others of its length.
#[handle(raw = ffi::measure, release = ffi::measure_free)]
pub struct Measure;

#[methods(unsafe)]
impl Measure {
    /// Makes a measure.
    #[new]
    #[calls(ffi::measure_new, fails = null)]
    fn new(length: c_int) -> Result<Owned<Measure>>;

    /// The length.
    #[getter]
    #[field(length)]
    fn length(&self) -> c_int;

    /// Sets the length.
    #[rust_only]
    #[field(length)]
    fn set_length(&mut self, length: c_int);

    /// Compares both lengths, as C does.
    #[rust_only]
    #[calls(ffi::measure_compare)]
    fn compare(&self, other: &Measure) -> c_int;

    fn __repr__(&self) -> String {
        format!("Measure({})", self.length())
    }

    fn __str__(&self) -> Result<String> {
        match self.length() {
            0 => Err(Error::Value("it has no length".into())),
            length => Ok(format!("{length} mm")),
        }
    }

    #[field(length)]
    fn __hash__(&self) -> c_int;

    fn __eq__(&self, other: &Measure) -> bool {
        self.compare(other) == 0
    }

    /// Fails for a length of 0.
    fn __lt__(&self, other: &Measure) -> Result<bool> {
        match self.length() {
            0 => Err(Error::Value("it has no length".into())),
            _ => Ok(self.compare(other) < 0),
        }
    }

    #[calls(ffi::measure_sum, fails = null)]
    fn __add__(&self, other: &Measure) -> Result<Owned<Measure>>;

    /// Adds the length to a number on the left.
    fn __radd__(&self, other: c_int) -> c_int {
        other + self.length()
    }

    #[calls(ffi::measure_extend)]
    fn __iadd__(&mut self, other: &Measure);

    #[calls(ffi::measure_scale)]
    fn __imul__(&mut self, times: c_int);

    #[pyo3(name = "__or__")]
    fn longer(&self, other: Option<&Measure>) -> c_int {
        self.length().max(other.map_or(0, |other| other.length()))
    }

    /// Returns the unit. A text with a NUL is an error.
    fn __mod__(&self, unit: &CStr) -> CString {
        unit.into()
    }

    fn __bool__(&self) -> bool {
        self.length() != 0
    }

    /// Returns a length that is so many times as long, and longer by a rest.
    #[pyo3(signature = (times, *, rest = 7))]
    fn times(&self, times: c_int, rest: c_int) -> c_int {
        self.length() * times + rest
    }

    fn __setattr__(&mut self, name: &str, value: c_int) -> Result<()> {
        if name != "length" {
            return Err(Error::Value(format!("a measure has no {name}")));
        }
        self.set_length(value);
        Ok(())
    }

    fn __delattr__(&mut self, name: &str) {
        let _ = name;
        self.set_length(0);
    }
}

/// A measure with an `__init__` of its own.
#[handle(raw = ffi::measure, release = ffi::measure_free)]
pub struct Ruler;

#[methods(unsafe)]
impl Ruler {
    /// Makes a ruler.
    #[new]
    #[calls(ffi::measure_new, fails = null)]
    fn new(length: c_int) -> Result<Owned<Ruler>>;

    /// Makes the ruler longer. Fails for a negative number.
    fn __init__(&mut self, length: c_int) -> Result<()> {
        if length < 0 {
            return Err(Error::Value("it is shorter than nothing".into()));
        }
        self.set_length(self.length() + length);
        Ok(())
    }

    /// The length.
    #[getter]
    #[field(length)]
    fn length(&self) -> c_int;

    #[rust_only]
    #[field(length)]
    fn set_length(&mut self, length: c_int);

    /// Makes the ruler longer by one. Fails for a length of 0.
    fn __enter__(&mut self) -> Result<()> {
        match self.length() {
            0 => Err(Error::Value("it has no length".into())),
            length => {
                self.set_length(length + 1);
                Ok(())
            }
        }
    }

    /// Makes the ruler shorter by one. Handles a `KeyError`, and leaves the ruler open.
    fn __exit__(
        &mut self,
        py: Python<'_>,
        kind: Option<Bound<'_, PyType>>,
        error: Option<Py<PyAny>>,
        traceback: Option<Py<PyAny>>,
    ) -> Result<bool> {
        let _ = (error, traceback);
        self.set_length(self.length() - 1);
        let Some(kind) = kind else { return Ok(false) };
        Ok(kind.is_subclass(&py.get_type::<PyKeyError>())?)
    }
}

/// A measure that is compared, and has no hash of its own.
#[handle(raw = ffi::measure, release = ffi::measure_free)]
pub struct Rod;

#[methods(unsafe)]
impl Rod {
    /// Makes a rod.
    #[new]
    #[calls(ffi::measure_new, fails = null)]
    fn new(length: c_int) -> Result<Owned<Rod>>;

    #[rust_only]
    #[calls(ffi::measure_compare)]
    fn compare(&self, other: &Rod) -> c_int;

    fn __eq__(&self, other: &Rod) -> bool {
        self.compare(other) == 0
    }

    #[calls(ffi::measure_marks)]
    fn __len__(&self) -> usize;

    #[calls(ffi::measure_has_mark, args = (self, 0))]
    fn __bool__(&self) -> bool;

    #[calls(ffi::measure_has_mark)]
    fn __contains__(&self, mark: c_int) -> bool;

    #[calls(ffi::measure_mark, args = (self, mark, out), fails = nonzero)]
    fn __getitem__(&self, mark: c_int) -> Result<c_int>;

    #[calls(ffi::measure_size, fails = null)]
    fn __repr__(&self) -> Result<CString>;

    #[calls(ffi::measure_size, fails = null)]
    fn __str__(&self) -> Result<CString>;
}
