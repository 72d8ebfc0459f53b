//! Python objects that writing needs. They are found once, so that a later call fails with `MemoryError` where memory
//! lacks: PyO3 panics if it can't make the string of a name.

use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::inspect::{PyStaticConstant, PyStaticExpr};
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyErr, PyResult, PyTypeMethods};
use leakproof::pyo3::sync::PyOnceLock;
use leakproof::pyo3::types::PyString;
use leakproof::pyo3::{self, PyTypeInfo, Python};

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
        self.found.import(py, self.module, self.name)
    }
}

/// Makes an exception, or the `MemoryError` for it.
pub(super) fn exception<E: PyTypeInfo>(py: Python<'_>, message: &str) -> PyErr {
    let message = PyString::from_bytes(py, message.as_bytes());
    let made = message.and_then(|message| py.get_type::<E>().call1((message,)));
    made.map_or_else(|error| error, PyErr::from_value)
}

/// Returns the argument as a str.
pub(super) fn string<'a, 'py>(
    object: pyo3::Borrowed<'a, 'py, PyAny>,
) -> PyResult<pyo3::Borrowed<'a, 'py, PyString>> {
    object.cast::<PyString>().map_err(|_| {
        let class = object.get_type().name().map(|name| name.to_string());
        let message = format!("a str expected, not {}", class.unwrap_or_default());
        exception::<PyTypeError>(object.py(), &message)
    })
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
