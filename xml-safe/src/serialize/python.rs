//! Python objects that writing needs. They are made by functions that report a failed allocation: PyO3 panics if it
//! can't make the string of a name, and ends the process if it can't make the exception for that.

use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::inspect::{PyStaticConstant, PyStaticExpr};
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyErr, PyResult};
use leakproof::pyo3::sync::PyOnceLock;
use leakproof::pyo3::types::PyString;
use leakproof::pyo3::{PyTypeInfo, Python};

/// An attribute of a module of the standard library.
pub(super) struct Library {
    module: &'static str,
    name: &'static str,
    found: PyOnceLock<Py<PyAny>>,
}

/// Looks up a codec.
pub(super) static LOOKUP: Library = Library::new("codecs", "lookup");
/// A file of the operating system, without a buffer.
pub(super) static FILE: Library = Library::new("io", "FileIO");
/// The base class of files whose `write` returns `None` where it would block.
pub(super) static RAW: Library = Library::new("io", "RawIOBase");
/// The base class of files that are open for text.
pub(super) static TEXT: Library = Library::new("io", "TextIOBase");

impl Library {
    const fn new(module: &'static str, name: &'static str) -> Self {
        Library {
            module,
            name,
            found: PyOnceLock::new(),
        }
    }

    pub(super) fn get<'py>(&self, py: Python<'py>) -> PyResult<&Bound<'py, PyAny>> {
        let found = self.found.get_or_try_init(py, || {
            let module = py.import(name(py, self.module)?)?;
            let found = module.getattr(name(py, self.name)?)?;
            PyResult::Ok(found.unbind())
        });
        found.map(|found| found.bind(py))
    }
}

/// Makes the string of a name.
pub(crate) fn name<'py>(py: Python<'py>, text: &'static str) -> PyResult<Bound<'py, PyString>> {
    PyString::from_bytes(py, text.as_bytes())
}

/// Makes an exception, or the `MemoryError` for it.
pub(crate) fn exception<E: PyTypeInfo>(py: Python<'_>, message: &str) -> PyErr {
    let message = PyString::from_bytes(py, message.as_bytes());
    let made = message.and_then(|message| py.get_type::<E>().call1((message,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Returns the argument `what` as a str.
pub(crate) fn string<'a, 'py>(
    what: &str,
    object: &'a Bound<'py, PyAny>,
) -> PyResult<&'a Bound<'py, PyString>> {
    if let Ok(string) = object.cast::<PyString>() {
        return Ok(string);
    }
    let message = format!("{what} must be a str, not {}", class_name(object)?);
    Err(exception::<PyTypeError>(object.py(), &message))
}

/// Returns the name of an object's class.
pub(super) fn class_name(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let class = object.get_type();
    class.getattr(name(object.py(), "__name__")?)?.extract()
}

/// The generic type of literals, for the stubs.
pub(super) const LITERAL: PyStaticExpr = PyStaticExpr::Attribute {
    value: &PyStaticExpr::Name { id: "typing" },
    attr: "Literal",
};

/// Returns a literal, for the stubs.
pub(super) const fn word(text: &'static str) -> PyStaticExpr {
    PyStaticExpr::Constant {
        value: PyStaticConstant::Str(text),
    }
}
