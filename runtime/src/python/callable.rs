//! A Python callable that C will call back.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use pyo3::call::PyCallArgs;
use pyo3::conversion::FromPyObjectOwned;
use pyo3::exceptions::PyTypeError;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{Borrowed, IntoPyObjectExt, PyTraverseError, PyVisit};

use crate::attachment::{Attachment, Traversal, Traverse};
use crate::error::{Error, Result};
use crate::interpreter::{new_exception, try_attach};

/// A Python callable, in a value that a handle keeps. `#[callbacks]` call it on the thread on which C calls them. As an
/// argument it accepts any object that can be called, and refuses others with a `TypeError`.
///
/// PyO3 converts the arguments. A list that PyO3 makes of a `Vec` has no items at first, and Python code can see the
/// list then: a function in `gc.callbacks` by `gc.get_objects()`. Make the items before the list, as a
/// `Vec<Py<PyAny>>`.
pub struct Callable(Mutex<Option<Py<PyAny>>>);

impl Callable {
    fn get(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let callable = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        callable.as_ref().map(|callable| callable.clone_ref(py))
    }

    /// Runs `call` with the callable, attached to the interpreter.
    pub(super) fn with<R>(
        &self,
        call: impl for<'py> FnOnce(&Bound<'py, PyAny>) -> Result<R>,
    ) -> Result<R> {
        let called = try_attach(|py| {
            let Some(callable) = self.get(py) else {
                return Err(Error::Value(
                    "this callback was collected with its handle".into(),
                ));
            };
            call(callable.bind(py))
        });
        called.unwrap_or_else(|| Err(Error::Value("there is no interpreter any more".into())))
    }

    fn call_any<R>(
        &self,
        call: impl for<'py> FnOnce(&Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>>,
        finish: impl for<'py> FnOnce(Bound<'py, PyAny>) -> PyResult<R>,
    ) -> Result<R> {
        self.with(|callable| Ok(finish(call(callable)?)?))
    }

    /// Calls the callable with a tuple of arguments, and extracts its result.
    ///
    /// # Errors
    ///
    /// The exception that the callable raised, or `TypeError` for a result of another type.
    pub fn call<R>(&self, arguments: impl for<'py> PyCallArgs<'py>) -> Result<R>
    where
        R: for<'py> FromPyObjectOwned<'py>,
    {
        self.call_any(
            |callable| callable.call1(arguments),
            |result| result.extract().map_err(Into::into),
        )
    }

    /// Calls the callable with each item of `arguments` as one argument, and extracts its result.
    ///
    /// # Errors
    ///
    /// The same errors as [`Callable::call`].
    pub fn call_varargs<A, R>(&self, arguments: Vec<A>) -> Result<R>
    where
        A: for<'py> IntoPyObject<'py>,
        R: for<'py> FromPyObjectOwned<'py>,
    {
        self.call_any(
            |callable| callable.call1(tuple_of(callable.py(), arguments)?),
            |result| result.extract().map_err(Into::into),
        )
    }

    /// Calls the callable with a tuple of arguments. Returns whether its result is true in Python.
    ///
    /// # Errors
    ///
    /// The exception that the callable raised.
    pub fn call_truthy(&self, arguments: impl for<'py> PyCallArgs<'py>) -> Result<bool> {
        self.call_any(
            |callable| callable.call1(arguments),
            |result| result.is_truthy(),
        )
    }

    /// Calls the callable with a tuple of arguments, and ignores its result.
    ///
    /// # Errors
    ///
    /// The exception that the callable raised.
    pub fn call_unit(&self, arguments: impl for<'py> PyCallArgs<'py>) -> Result<()> {
        self.call_any(|callable| callable.call1(arguments), |_| Ok(()))
    }
}

impl Callable {
    /// Calls the callable with each item of `arguments` as one argument, and ignores its result.
    ///
    /// # Errors
    ///
    /// The exception that the callable raised.
    pub fn call_unit_varargs<A>(&self, arguments: Vec<A>) -> Result<()>
    where
        A: for<'py> IntoPyObject<'py>,
    {
        self.call_any(
            |callable| callable.call1(tuple_of(callable.py(), arguments)?),
            |_| Ok(()),
        )
    }
}

/// Makes the tuple when all items are made: the garbage collector shows a new tuple to Python code, and what has no
/// items yet must not be seen.
fn tuple_of<'py, A: IntoPyObject<'py>>(
    py: Python<'py>,
    items: Vec<A>,
) -> PyResult<Bound<'py, PyTuple>> {
    let made = items.into_iter().map(|item| item.into_bound_py_any(py));
    PyTuple::new(py, made.collect::<PyResult<Vec<_>>>()?)
}

impl From<Bound<'_, PyAny>> for Callable {
    fn from(object: Bound<'_, PyAny>) -> Self {
        Callable(Mutex::new(Some(object.unbind())))
    }
}

impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callable")
    }
}

impl Attachment for Callable {
    const TRAVERSAL: Traversal<Self> = Traversal::of();
}

// SAFETY: trait `Traverse`: the one reference is shown once.
unsafe impl Traverse for Callable {
    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Locked only by who copies the reference right now: it is then not garbage.
        match self.0.try_lock() {
            Ok(callable) => visit.call(&*callable),
            Err(_) => Ok(()),
        }
    }

    fn clear(&self, taken: &mut Vec<Py<PyAny>>) {
        taken.extend(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

impl<'py> FromPyObject<'_, 'py> for Callable {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &PyStaticExpr::Attribute {
            value: &PyStaticExpr::Attribute {
                value: &PyStaticExpr::Name { id: "collections" },
                attr: "abc",
            },
            attr: "Callable",
        },
        slice: &PyStaticExpr::Tuple {
            elts: &[ELLIPSIS, OBJECT],
        },
    };

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_callable() {
            return Ok(Callable::from(object.to_owned()));
        }
        let class = object.get_type().qualname()?;
        let message = format_args!("a callable is expected, not {class}");
        Err(new_exception::<PyTypeError>(object.py(), message))
    }
}

const ELLIPSIS: PyStaticExpr = PyStaticExpr::Constant {
    value: pyo3::inspect::PyStaticConstant::Ellipsis,
};
const OBJECT: PyStaticExpr = PyStaticExpr::Name { id: "object" };
