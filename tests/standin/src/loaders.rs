//! Loaders: calls that explain their failures through a parameter.

use std::ffi::c_int;

use leakproof::Handle;
use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyFileNotFoundError, PyKeyError, PyTimeoutError};
use leakproof::pyo3::{Py, PyAny, PyErr, Python};

use crate::ffi;

/// A loader. Each call fails for a negative number.
#[handle(raw = ffi::loader, release = ffi::loader_free, errors = LoadErrors, fork_safe)]
pub struct Loader;

/// The failure that C makes.
#[handle(raw = ffi::failure, release = ffi::failure_free, fork_safe)]
pub struct Failure;

#[methods(unsafe)]
impl Failure {
    /// Makes a failure.
    #[new]
    #[calls(ffi::failure_new, fails = null)]
    fn new(code: c_int) -> Result<Owned<Failure>>;

    /// The code.
    #[field(code)]
    #[getter]
    fn code(&self) -> c_int;
}

/// A place in the input.
#[record(ffi::place)]
pub struct Origin {
    line: c_int,
    column: c_int,
}

#[methods(unsafe)]
impl Loader {
    /// Makes a loader.
    #[new]
    #[calls(ffi::load_numbers, args = (n, details, details), details = (c_int, usize), fails = null)]
    fn new(n: c_int) -> Result<Owned<Loader>>;

    /// Fails at a place.
    #[calls(ffi::load_place, args = (self, n, details), details = Origin, fails = negative)]
    fn place(&self, n: c_int) -> Result<()>;

    /// Fails with a text that the caller frees.
    #[calls(ffi::load_text, args = (self, n, details), details(String, free = ffi::message_free), fails = negative)]
    fn text(&self, n: c_int) -> Result<()>;

    /// Fails with an object that the caller releases.
    #[calls(ffi::load_failure, args = (self, n, details), details = Owned<'_, Failure>, fails = negative, detach)]
    fn failure(&self, n: c_int) -> Result<()>;

    /// Fails with a text in the caller's memory.
    #[calls(ffi::load_buffer, args = (self, n, details, 16), details = TextBuffer<16>, fails = negative)]
    fn buffer(&self, n: c_int) -> Result<()>;
}

/// A call of a loader failed.
#[exception(extends = PyKeyError)]
pub(crate) struct LoadError {
    /// What was wrong.
    pub message: String,
    /// The line.
    pub line: Option<c_int>,
}

/// A loader was not made.
#[exception(extends = (LoadError, leakproof::pyo3::exceptions::PyValueError))]
pub(crate) struct NotMadeError {
    base: LoadError,
    /// The code.
    pub code: c_int,
}

/// A file of the library is not there.
#[exception(extends = PyFileNotFoundError)]
pub(crate) struct NoFileError {
    /// The message.
    pub message: String,
    /// The number of the system.
    pub errno: c_int,
    /// The file.
    pub filename: Option<String>,
}

/// A file of the library is not there, and will not be.
#[exception(extends = NoFileError)]
pub(crate) struct GoneError {
    base: NoFileError,
    /// The number of tries.
    pub tries: c_int,
}

/// The library waited too long.
#[exception(extends = (LoadError, PyTimeoutError))]
pub(crate) struct SlowError {
    base: LoadError,
    /// The number of the system.
    pub errno: c_int,
}

fn no_file(message: &str) -> NoFileError {
    NoFileError {
        message: message.into(),
        errno: 2,
        filename: Some("a.txt".into()),
    }
}

/// Raises an exception that is an `OSError`.
#[leakproof::function]
pub(crate) fn miss_file(tries: c_int) -> Result<()> {
    let base = no_file("no such file of ours");
    match tries {
        0 => Err(base.into()),
        tries => Err(GoneError { base, tries }.into()),
    }
}

/// Raises an exception with the notes, caused by others if there is a `cause`.
#[leakproof::function]
pub(crate) fn fail_with(notes: Vec<String>, cause: Option<Py<PyAny>>) -> Result<()> {
    let error: Error = no_file("noted").into();
    let error = notes.into_iter().fold(error, Error::with_note);
    Err(match cause {
        None => error,
        Some(cause) => {
            let cause = Python::attach(|py| PyErr::from_value(cause.into_bound(py)));
            let base = LoadError {
                message: "between".into(),
                line: Some(7),
            };
            error.caused_by(base.with_note("a note of the cause").caused_by(cause))
        }
    })
}

/// Raises an exception with so many causes, one of the other.
#[leakproof::function]
pub(crate) fn fail_deep(causes: u32) -> Result<()> {
    let numbered = |number: u32| Error::Value(number.to_string());
    Err((1..=causes).fold(numbered(0), |cause, number| {
        numbered(number).caused_by(cause)
    }))
}

/// Raises the exception with a note.
#[leakproof::function]
pub(crate) fn raise_with_note(exception: Py<PyAny>) -> Result<()> {
    let error = Python::attach(|py| PyErr::from_value(exception.into_bound(py)));
    Err(Error::from(error).with_note("from Rust"))
}

/// What C wrote about a failure.
#[derive(Debug, Default)]
pub struct LoadErrors {
    details: Option<String>,
    line: Option<c_int>,
    code: Option<c_int>,
}

impl FailureDetails<(c_int, usize)> for LoadErrors {
    fn details(&mut self, (code, offset): (c_int, usize)) {
        self.details = Some(format!("code {code} at {offset}"));
        self.code = Some(code);
    }
}

impl FailureDetails<Origin> for LoadErrors {
    fn details(&mut self, origin: Origin) {
        self.line = Some(origin.line());
    }
}

impl FailureDetails<String> for LoadErrors {
    fn details(&mut self, text: String) {
        self.details = Some(text);
    }
}

impl FailureDetails<Owned<'static, Failure>> for LoadErrors {
    fn details(&mut self, failure: Owned<'static, Failure>) {
        self.details = Some(format!("failure {}", failure.code()));
    }
}

impl FailureDetails<TextBuffer<16>> for LoadErrors {
    fn details(&mut self, text: TextBuffer<16>) {
        self.details = Some(text.text());
    }
}

impl<T: Handle> ErrorSource<T> for LoadErrors {
    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        let message = self.details.unwrap_or_else(|| call.function.to_owned());
        let base = LoadError {
            message,
            line: self.line,
        };
        match self.code {
            Some(code) => NotMadeError { base, code }.into(),
            None => base.into(),
        }
    }
}
