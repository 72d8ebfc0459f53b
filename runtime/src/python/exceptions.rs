//! The exceptions that every package has, each package its own.

use pyo3::exceptions::{
    PyBufferError, PyException, PyOverflowError, PyRuntimeError, PyUnicodeDecodeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyTuple, PyType};
use pyo3::{PyClass, PyClassInitializer};

use crate::error::Error as RustError;

/// The base of all exceptions of this package.
#[pyclass(extends = PyException, subclass, frozen, name = "Error")]
#[derive(Debug)]
pub struct Error;

#[pymethods]
impl Error {
    #[new]
    #[pyo3(signature = (*args: "object"))]
    fn new(args: &Bound<'_, PyTuple>) -> Self {
        // `BaseException` keeps them.
        let _ = args;
        Error
    }
}

/// `ClosedError`: also a `ValueError`, as using a closed file is.
#[derive(Debug)]
pub struct ClosedError;

/// `BusyError`.
#[derive(Debug)]
pub struct BusyError;

/// `OwnerError`: also a `RuntimeError`.
#[derive(Debug)]
pub struct OwnerError;

static CLOSED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static BUSY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static OWNER: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// An exception class of several bases, which PyO3 can't declare.
fn class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    name: &str,
    doc: &str,
    other: Option<Bound<'py, PyType>>,
) -> PyResult<&'py Bound<'py, PyType>> {
    let create = || {
        let base = py.get_type::<Error>();
        let bases = PyTuple::new(py, [&base].into_iter().chain(&other).collect::<Vec<_>>())?;
        let namespace = PyDict::new(py);
        namespace.set_item("__doc__", doc)?;
        namespace.set_item("__module__", base.getattr("__module__")?)?;
        let class = py.get_type::<PyType>().call1((name, bases, namespace))?;
        PyResult::Ok(class.cast_into::<PyType>()?.unbind())
    };
    cell.get_or_try_init(py, create).map(|class| class.bind(py))
}

impl ClosedError {
    /// The class.
    ///
    /// # Errors
    ///
    /// `MemoryError`, the first time.
    pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        let value_error = Some(py.get_type::<PyValueError>());
        class(py, &CLOSED, "ClosedError", Self::DOC, value_error)
    }

    pub(crate) const DOC: &'static str = "A handle was used after it was closed.";
}

impl BusyError {
    /// The class.
    ///
    /// # Errors
    ///
    /// `MemoryError`, the first time.
    pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        class(py, &BUSY, "BusyError", Self::DOC, None)
    }

    pub(crate) const DOC: &'static str = "A handle is in use by a call that cannot be waited for.";
}

impl OwnerError {
    /// The class.
    ///
    /// # Errors
    ///
    /// `MemoryError`, the first time.
    pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        let runtime_error = Some(py.get_type::<PyRuntimeError>());
        class(py, &OWNER, "OwnerError", Self::DOC, runtime_error)
    }

    pub(crate) const DOC: &'static str =
        "A handle was used by a thread, or in a forked process, that it does not belong to.";
}

/// Raise `exception`, so that Python chains it to the one that is being handled (`PyErr_SetObject`).
fn raised(exception: Bound<'_, PyAny>) -> PyErr {
    PyErr::from_type(exception.get_type(), exception.unbind())
}

/// The exception for `error`.
#[cold]
pub(crate) fn to_pyerr(py: Python<'_>, error: RustError) -> PyErr {
    let message = error.to_string();
    let of_class = |class: PyResult<&Bound<'_, PyType>>| match class
        .and_then(|class| class.call1((message.as_str(),)))
    {
        Ok(exception) => raised(exception),
        Err(error) => error,
    };
    match error {
        RustError::Closed(_) | RustError::Stale(_) => of_class(ClosedError::class(py)),
        RustError::Busy(_) | RustError::Held(..) => of_class(BusyError::class(py)),
        RustError::Owner(..) => of_class(OwnerError::class(py)),
        RustError::Failed(_) => of_class(Ok(&py.get_type::<Error>())),
        RustError::Exported(_) => PyBufferError::new_err(message),
        RustError::Value(_) => PyValueError::new_err(message),
        RustError::Overflow(_) => PyOverflowError::new_err(message),
        RustError::NotUtf8(function, error) => not_utf8(py, function, &error),
        RustError::Os(error, path) => os_error(py, &error, path),
        RustError::Library(error) => error.raise(py),
        RustError::Python(error) => error,
    }
}

fn not_utf8(py: Python<'_>, function: &str, error: &std::string::FromUtf8Error) -> PyErr {
    let (bytes, start) = (error.as_bytes(), error.utf8_error().valid_up_to());
    let end = error.utf8_error().error_len();
    let end = end.map_or(bytes.len(), |length| start + length);
    let reason = format!("text of {function} is not UTF-8");
    let class = py.get_type::<PyUnicodeDecodeError>();
    let made = class.call1(("utf-8", PyBytes::new(py, bytes), start, end, reason));
    made.map_or_else(|error| error, raised)
}

fn os_error(py: Python<'_>, error: &std::io::Error, path: Option<std::path::PathBuf>) -> PyErr {
    let make = || {
        let os_error = py.get_type::<pyo3::exceptions::PyOSError>();
        let Some(number) = error.raw_os_error() else {
            return os_error.call1((error.to_string(),));
        };
        let message = py.import("os")?.getattr("strerror")?.call1((number,))?;
        os_error.call1((
            number,
            message,
            path.map(std::path::PathBuf::into_os_string),
        ))
    };
    make().map_or_else(|error| error, raised)
}

impl From<RustError> for PyErr {
    fn from(error: RustError) -> Self {
        Python::attach(|py| to_pyerr(py, error))
    }
}

/// What `#[exception]` makes of a struct: the Python class, and the object's content with what it extends.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no exception that another one can extend",
    note = "annotate it with `#[exception]`"
)]
pub trait Exception: std::fmt::Display {
    /// The class.
    type Class: PyClass;
    /// What an object of it is made from.
    fn initializer(self) -> PyClassInitializer<Self::Class>;
}

/// Make the exception object of a library's error: called by what `#[exception]` generates.
#[doc(hidden)]
pub fn raise<T: Exception>(py: Python<'_>, exception: T) -> PyErr {
    let message = exception.to_string();
    let make = || {
        let exception = Bound::new(py, exception.initializer())?.into_any();
        exception.setattr("args", (message,))?;
        PyResult::Ok(exception)
    };
    make().map_or_else(|error| error, raised)
}
