//! The exceptions of a package. Each package has its own classes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::{
    PyBufferError, PyException, PyMemoryError, PyOSError, PyOverflowError, PyRuntimeError,
    PyStopAsyncIteration, PyStopIteration, PySystemError, PyValueError,
};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};
use pyo3::{PyClass, PyClassInitializer};

use super::exception_fields::fields_of;
pub use super::exception_fields::{
    DefaultOf, FieldArgument, FieldOf, NoDefault, field, init, init_base, set_field,
};
use super::py_box::no_memory;
use crate::error::{Error as RustError, Noted};
use crate::fallible_copy::OutOfMemory;
use crate::interpreter::{new_exception, new_exception_of, new_text, raised, try_attach};
use crate::panics::Payload;

/// The base of all exceptions of this package.
#[pyclass(extends = PyException, subclass, frozen, name = "Error")]
#[derive(Debug)]
pub struct Error;

#[pymethods]
impl Error {
    #[new]
    #[pyo3(signature = (*args: "object", **kwargs: "object"))]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        // `__init__` takes them: that of `BaseException`, or a subclass's own.
        let _ = (args, kwargs);
        Error
    }

    /// Returns the class and the attributes, `args` among them, for copying and pickling. The copy is made without
    /// `__init__`, because a subclass may give `__init__` other parameters.
    #[pyo3(signature = () -> "tuple[object, tuple[type], dict[str, object]]")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let make = slf.py().import("copyreg")?.getattr("__newobj__")?;
        let state = fields_of(slf.as_any())?.copy()?;
        state.set_item("args", slf.getattr("args")?)?;
        (make, (slf.get_type(),), state).into_pyobject(slf.py())
    }

    /// Sets the attributes of a copied or unpickled exception.
    #[pyo3(signature = (state: "dict[str, object] | None"))]
    fn __setstate__(slf: &Bound<'_, Self>, state: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let Some(state) = state else { return Ok(()) };
        let fields = fields_of(slf.as_any())?;
        fields.update(state.as_mapping())?;
        match fields.get_item("args")? {
            Some(args) => {
                fields.del_item("args")?;
                slf.setattr("args", args)
            }
            None => Ok(()),
        }
    }
}

/// `ClosedError`. Also a `ValueError`, which Python raises for a closed file.
#[derive(Debug)]
pub struct ClosedError;

/// `BusyError`.
#[derive(Debug)]
pub struct BusyError;

/// `AffinityError`. Also a `RuntimeError`.
#[derive(Debug)]
pub struct AffinityError;

static CLOSED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static BUSY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static OWNER: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Returns an exception class with several bases, which PyO3 cannot declare. Makes the class on first use.
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
    /// Returns the class.
    ///
    /// # Errors
    ///
    /// `MemoryError`, on first use only.
    pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        let value_error = Some(py.get_type::<PyValueError>());
        class(py, &CLOSED, "ClosedError", Self::DOC, value_error)
    }

    pub(crate) const DOC: &'static str = "A handle was used after it was closed.";
}

impl BusyError {
    /// Returns the class.
    ///
    /// # Errors
    ///
    /// `MemoryError`, on first use only.
    pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        class(py, &BUSY, "BusyError", Self::DOC, None)
    }

    pub(crate) const DOC: &'static str = "A handle is in use by a call that cannot be waited for.";
}

impl AffinityError {
    /// Returns the class.
    ///
    /// # Errors
    ///
    /// `MemoryError`, on first use only.
    pub fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        let runtime_error = Some(py.get_type::<PyRuntimeError>());
        class(py, &OWNER, "AffinityError", Self::DOC, runtime_error)
    }

    pub(crate) const DOC: &'static str =
        "A handle was used by a thread, or in a forked process, that it does not belong to.";
}

/// Converts `error` to a Python exception. An exception that Python code raised passes unchanged: its `__str__` does
/// not run.
#[cold]
pub(crate) fn to_pyerr(py: Python<'_>, error: RustError) -> PyErr {
    match error {
        RustError::Python(error) => error,
        RustError::Library(error) => error.raise(py),
        RustError::Noted(noted) => with_notes(py, noted),
        RustError::Os(error, path) => os_error(py, &error, path),
        RustError::NotUtf8(function, error) => not_utf8(py, function, &error),
        error => of_message(py, &error),
    }
}

/// Makes the exception of the error, with its notes and its cause, which may have a cause in turn. Without memory for
/// these, it has none.
fn with_notes(py: Python<'_>, noted: Box<Noted>) -> PyErr {
    let (last, errors) = noted.from_last_cause();
    let mut made = last.map(|last| to_pyerr(py, last));
    for (error, notes) in errors {
        let error = to_pyerr(py, error);
        for note in notes {
            drop(without_panic(py, || add_note(py, &error, &note)));
        }
        if let Some(cause) = made {
            drop(without_panic(py, || {
                error.set_cause(py, Some(cause));
                Ok(())
            }));
        }
        made = Some(error);
    }
    made.unwrap_or_else(|| unreachable!("the chain ends with the first error"))
}

/// Adds a note as `BaseException.add_note` does, which Python has since 3.11.
fn add_note(py: Python<'_>, error: &PyErr, note: &str) -> PyResult<()> {
    let exception = error.value(py);
    let (notes, note) = (new_text(py, "__notes__")?, new_text(py, note)?);
    match exception.getattr(&notes) {
        Ok(list) => list.cast_into::<PyList>()?.append(note),
        Err(_) => exception.setattr(notes, PyList::new(py, [note])?),
    }
}

fn of_message(py: Python<'_>, error: &RustError) -> PyErr {
    let message = error;
    let of_class = |class: PyResult<&Bound<'_, PyType>>| {
        class.map_or_else(|error| error, |class| new_exception_of(class, message))
    };
    match error {
        RustError::Closed(_) | RustError::Stale(_) => of_class(ClosedError::class(py)),
        RustError::Busy(_) | RustError::Held(..) | RustError::Releasing(..) => {
            of_class(BusyError::class(py))
        }
        RustError::Owner(..) => of_class(AffinityError::class(py)),
        RustError::Exported(_) => new_exception::<PyBufferError>(py, message),
        RustError::Value(_) => new_exception::<PyValueError>(py, message),
        RustError::Overflow(_) => new_exception::<PyOverflowError>(py, message),
        RustError::OwnedTwice(..) | RustError::LentChanged(..) | RustError::NotPure(..) => {
            new_exception::<PySystemError>(py, message)
        }
        RustError::OutOfMemory(_) => new_exception::<PyMemoryError>(py, message),
        RustError::Panic(_) => new_exception::<pyo3::panic::PanicException>(py, message),
        _ => of_class(Ok(&py.get_type::<Error>())),
    }
}

/// Replaces a `StopIteration` or a `StopAsyncIteration` that came out of `place` with a `RuntimeError` caused by it, as
/// a generator does (PEP 479). A caller that iterates would take the original for the end. Other exceptions pass
/// unchanged.
pub(super) fn instead_of_stop(py: Python<'_>, error: PyErr, place: &str) -> PyErr {
    if !error.is_instance_of::<PyStopIteration>(py)
        && !error.is_instance_of::<PyStopAsyncIteration>(py)
    {
        return error;
    }
    let name = error.get_type(py).name();
    let name = name.map_or_else(|_| "StopIteration".into(), |name| name.to_string());
    let instead = new_exception::<PyRuntimeError>(py, format_args!("{place} raised {name}"));
    instead.set_cause(py, Some(error));
    instead
}

/// Converts the error of a callback: [`instead_of_stop`] replaces a `StopIteration`, because the callback may run
/// inside an iteration.
pub(crate) fn of_callback(error: RustError) -> RustError {
    if let RustError::Noted(noted) = error {
        return RustError::Noted(noted.map(of_callback));
    }
    let RustError::Python(error) = error else {
        return error;
    };
    let mut error = Some(error);
    let instead = try_attach(|py| {
        let error = error.take()?;
        Some(instead_of_stop(py, error, "a callback"))
    });
    match instead.flatten().or(error) {
        Some(error) => RustError::Python(error),
        None => unreachable!("it is taken once"),
    }
}

fn not_utf8(py: Python<'_>, function: &str, error: &std::string::FromUtf8Error) -> PyErr {
    let (bytes, start) = (error.as_bytes(), error.utf8_error().valid_up_to());
    let end = error.utf8_error().error_len();
    let end = end.map_or(bytes.len(), |length| start + length);
    let reason = format!("text of {function} is not UTF-8\0");
    // SAFETY: CPython: the function copies so many bytes, and the two strings, which end with NUL. It returns a new
    // exception, or null with another one.
    let made = unsafe {
        let exception = ffi::PyUnicodeDecodeError_Create(
            c"utf-8".as_ptr(),
            bytes.as_ptr().cast(),
            bytes.len().cast_signed(),
            start.cast_signed(),
            end.cast_signed(),
            reason.as_ptr().cast(),
        );
        Bound::from_owned_ptr_or_err(py, exception)
    };
    made.map_or_else(|error| error, raised)
}

fn os_error(py: Python<'_>, error: &std::io::Error, path: Option<std::path::PathBuf>) -> PyErr {
    let make = || {
        let os_error = py.get_type::<PyOSError>();
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
        try_attach(|py| to_pyerr(py, error))
            .unwrap_or_else(|| panic!("there is no interpreter any more"))
    }
}

/// The cell that keeps an exception class.
#[doc(hidden)]
pub type ClassCell = PyOnceLock<Py<PyType>>;

/// The Python class of an `#[exception]` struct.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no exception that another one can extend",
    note = "annotate it with `#[exception]`"
)]
pub trait Exception: std::fmt::Display {
    /// Returns the class.
    type Class: PyClass;
    /// Returns the built-in exceptions that the class is, too.
    fn python_bases(py: Python<'_>) -> Vec<Bound<'_, PyType>> {
        let _ = py;
        Vec::new()
    }
    /// Set for an exception that is an `OSError`, too. Such objects hold more than PyO3's class has room for, so Python
    /// sees a class below that one.
    const IS_OS_ERROR: bool = false;
    /// The cell that keeps the class below PyO3's.
    fn cell() -> &'static ClassCell;
    /// Returns the class of the exception that this one extends.
    ///
    /// # Errors
    ///
    /// As for [`class_of`].
    fn base_class(py: Python<'_>) -> PyResult<Option<Bound<'_, PyType>>> {
        let _ = py;
        Ok(None)
    }
    /// Returns the initializer of a new object, without fields.
    fn initializer() -> PyClassInitializer<Self::Class>;
    /// Puts the fields into the object's `__dict__`.
    ///
    /// # Errors
    ///
    /// A Python exception, such as `MemoryError`.
    fn fill(self, fields: &Bound<'_, PyDict>) -> PyResult<()>;
}

/// Adds the built-in bases to the class, which PyO3 cannot declare. Does nothing the second time.
fn add_python_bases<T: Exception>(py: Python<'_>) -> PyResult<()> {
    let others = T::python_bases(py);
    if others.is_empty() {
        return Ok(());
    }
    let class = py.get_type::<T::Class>();
    let name = new_text(py, "__bases__")?;
    let bases = class.getattr(&name)?.cast_into::<PyTuple>()?;
    if bases.len() > 1 {
        return Ok(());
    }
    let all = bases.iter().chain(others.into_iter().map(Bound::into_any));
    class.setattr(name, PyTuple::new(py, all.collect::<Vec<_>>())?)
}

/// Returns the class that Python sees. Makes that of an `OSError` on first use.
///
/// # Errors
///
/// A Python exception, such as `MemoryError`.
#[doc(hidden)]
pub fn class_of<T: Exception>(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    let class = py.get_type::<T::Class>();
    if !T::IS_OS_ERROR {
        add_python_bases::<T>(py)?;
        return Ok(class);
    }
    let create = || {
        let mut bases = vec![class.clone()];
        bases.extend(T::base_class(py)?);
        bases.extend(T::python_bases(py));
        let namespace = PyDict::new(py);
        for name in ["__doc__", "__module__"] {
            namespace.set_item(name, class.getattr(name)?)?;
        }
        // The objects have the fields of an `OSError`, so that one makes them.
        let os_error = py.get_type::<PyOSError>();
        namespace.set_item("__new__", os_error.getattr("__new__")?)?;
        let message = c"property(lambda self: self.args[0] if self.args else None)";
        // Without globals of its own it would keep those of the code that imports the package.
        let globals = PyDict::new(py);
        namespace.set_item("strerror", py.eval(message, Some(&globals), None)?)?;
        let arguments = (class.name()?, PyTuple::new(py, bases)?, namespace);
        let made = py.get_type::<PyType>().call1(arguments)?;
        PyResult::Ok(made.cast_into::<PyType>()?.unbind())
    };
    let made = T::cell().get_or_try_init(py, create)?;
    Ok(made.bind(py).clone())
}

/// Makes an object without fields.
fn new_object<T: Exception>(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let class = class_of::<T>(py)?;
    match T::IS_OS_ERROR {
        false => Ok(Bound::new(py, T::initializer())?.into_any()),
        true => class.getattr(new_text(py, "__new__")?)?.call1((&class,)),
    }
}

/// Makes the exception object of a library's error. Code that `#[exception]` generates calls this.
#[doc(hidden)]
pub fn raise<T: Exception>(py: Python<'_>, exception: T) -> PyErr {
    let make = || {
        let message = new_text(py, &exception.to_string())?;
        let object = new_object::<T>(py)?;
        object.setattr(new_text(py, "args")?, (message,))?;
        exception.fill(&fields_of(&object)?)?;
        PyResult::Ok(object)
    };
    // Fields of authors' types are converted by PyO3.
    without_panic(py, make).map_or_else(|error| error, raised)
}

/// Returns the exception of a panic: `MemoryError` for an allocation that failed, the error of a use that was refused
/// in a call that cannot fail, and else a `PanicException`.
#[cold]
pub(crate) fn of_panic(py: Python<'_>, payload: Payload) -> PyErr {
    // PyO3 panics with this text where it finds no memory for an object.
    const PYO3: &str = "PyObject pointer is null";
    if payload.is::<OutOfMemory>() || payload.downcast_ref::<&str>() == Some(&PYO3) {
        return no_memory();
    }
    match payload.downcast::<RustError>() {
        Ok(error) => to_pyerr(py, *error),
        Err(payload) => to_pyerr(py, RustError::panic(payload)),
    }
}

/// Runs `make`, and returns the exception of its panic: PyO3 panics where it finds no memory for an object.
pub(super) fn without_panic<R>(py: Python<'_>, make: impl FnOnce() -> PyResult<R>) -> PyResult<R> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|payload| Err(of_panic(py, payload)))
}
