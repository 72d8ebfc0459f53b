//! The base class of all Python handles.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ptr;

use pyo3::exceptions::{PyBaseException, PyException, PyTypeError};
use pyo3::ffi;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyString, PyType};
use pyo3::{PyTraverseError, PyTypeInfo, PyVisit};

use super::exceptions::{to_pyerr, without_panic};
use super::state::HandleState;
use crate::error::Error;
use crate::interpreter::{new_exception, new_text};

/// A native resource. Closing the handle, closing its parent or dropping the last reference releases the resource.
///
/// A handle is a context manager: the end of the `with` block closes it. Using a closed handle raises ClosedError, but
/// `closed`, `repr()`, `==` and `hash()` always work.
#[pyclass(name = "Handle", subclass, frozen, immutable_type, weakref)]
pub struct HandleClass(HandleState);

impl HandleClass {
    pub(super) fn new(state: HandleState) -> Self {
        HandleClass(state)
    }

    pub(super) fn state(&self) -> &HandleState {
        &self.0
    }

    pub(super) fn state_mut(&mut self) -> &mut HandleState {
        &mut self.0
    }

    /// Returns whether both are handles of one native object.
    fn is_same(&self, other: &Self) -> bool {
        let (kind, other_kind) = (self.0.kind(), other.0.kind());
        if ptr::eq(self, other) {
            return true;
        }
        if !ptr::eq(kind, other_kind) || !kind.is_view() && !kind.is_counted() {
            return false;
        }
        match (self.tree_part(), other.tree_part()) {
            // A part that moves has one object, and another part may come to its address.
            (Some(part), Some(other_part)) => {
                kind.tree().is_none()
                    && ptr::eq(part, other_part)
                    && self.0.identity() == other.0.identity()
            }
            (None, None) => {
                self.0.identity() == other.0.identity()
                    && self.owner_address() == other.owner_address()
            }
            _ => false,
        }
    }

    /// Returns the object of the part of a tree that this is the object of, or is part of.
    fn tree_part(&self) -> Option<&Self> {
        let mut here = self;
        while let Some(view) = here.0.as_view() {
            if here.0.kind().tree().is_some() {
                return Some(here);
            }
            here = view.owner().get();
        }
        None
    }

    /// Returns the address of the state that the handles of one native object share. An object that C makes later at
    /// the address of a released one does not share the state.
    fn owner_address(&self) -> usize {
        let core = self
            .0
            .parent_object()
            .filter(|_| self.0.kind().is_counted());
        match core {
            Some(core) => ptr::from_ref(core.get()).addr(),
            None => ptr::from_ref(self.0.resource().lock_owner()).addr(),
        }
    }
}

#[pymethods]
impl HandleClass {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    fn __clear__(&self) {
        self.0.clear();
    }

    /// Releases the native resource, after the handles that live in it. Closing twice is allowed.
    ///
    /// New calls raise ClosedError at once. Calls that other threads are running are waited for, with the GIL released.
    /// Closing a view, such as a node, ends only the view.
    ///
    /// Raises BusyError where waiting would never end: inside a call that uses this handle. A signal handler that
    /// raises an exception ends the wait. If the wait was for another thread's call on the parent, the handle is closed
    /// all the same, and its resource is released when that call ends. If the C library's release function fails,
    /// raises the library's error.
    fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().0.close(slf.py())
    }

    /// True if the handle is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    fn __enter__<'py>(slf: Bound<'py, Self>) -> PyResult<EnteredHandle<'py>> {
        if slf.get().0.is_closed() {
            return Err(to_pyerr(slf.py(), Error::Closed(slf.get().0.kind().name())));
        }
        Ok(EnteredHandle(slf.into_any()))
    }

    // A class may have an `__exit__` of its own, which handles exceptions.
    #[pyo3(signature = (r#type, exception, traceback, /) -> "bool | None")]
    fn __exit__(
        slf: &Bound<'_, Self>,
        r#type: Option<Bound<'_, PyType>>,
        exception: Option<Bound<'_, PyBaseException>>,
        traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let _ = (r#type, traceback);
        let closed = match overridden_close(slf)? {
            Some(name) => slf.call_method0(name).map(drop),
            None => slf.get().0.close(slf.py()),
        };
        // The exception of the body says more than that of the close.
        match closed {
            Err(error) if exception.is_some() && error.is_instance_of::<PyException>(slf.py()) => {
                Ok(())
            }
            closed => closed,
        }
    }

    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyString>> {
        let class = slf.get_type();
        let class = without_panic(slf.py(), || class.fully_qualified_name())?;
        let state = &slf.get().0;
        let text = if state.is_closed() {
            format!("<{class} (closed)>")
        } else {
            match state.kind().number(state.raw()) {
                Some(number) => format!("<{class} {number}>"),
                None => format!("<{class} at {:p}>", state.raw()),
            }
        };
        new_text(slf.py(), &text)
    }

    /// Raises TypeError: a handle cannot be pickled or copied. A class may have a `__reduce__` of its own.
    #[pyo3(signature = () -> "str | tuple[object, ...]")]
    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().fully_qualified_name()?;
        let message = format!(
            "cannot pickle or copy a {class}: it owns a native resource of this process. Pass on what it was made from"
        );
        Err(new_exception::<PyTypeError>(slf.py(), message))
    }

    fn __eq__<'py>(&self, other: &Bound<'py, PyAny>) -> Equality<'py> {
        let py = other.py();
        // Not the class as the type of the parameter: PyO3 would make an exception for any other object.
        Equality(match other.cast::<Self>() {
            Ok(other) => PyBool::new(py, self.is_same(other.get()))
                .to_owned()
                .into_any(),
            Err(_) => py.NotImplemented().into_bound(py),
        })
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        if let Some(part) = self.tree_part() {
            // It has one object, which may become that of another part. A view of it at its address goes with it.
            ptr::from_ref(part).addr().hash(&mut hasher);
            return hasher.finish();
        }
        self.owner_address().hash(&mut hasher);
        self.0.identity().hash(&mut hasher);
        hasher.finish()
    }
}

/// Returns the name of `close`, if the object's class is a Python class with another one than [`HandleClass::close`].
fn overridden_close<'py>(slf: &Bound<'py, HandleClass>) -> PyResult<Option<Bound<'py, PyString>>> {
    let class = slf.get_type();
    // SAFETY: CPython: this is a class.
    let flags = unsafe { ffi::PyType_GetFlags(class.as_type_ptr()) };
    if flags & ffi::Py_TPFLAGS_IMMUTABLETYPE != 0 {
        // A generated class: none of its methods is called `close`.
        return Ok(None);
    }
    let name = new_text(slf.py(), "close")?;
    let close = class.getattr(&name)?;
    let inherited = slf.py().get_type::<HandleClass>().getattr(&name)?;
    Ok((!close.is(&inherited)).then_some(name))
}

/// The result of `==`: a `bool`, or `NotImplemented` for what is no handle.
struct Equality<'py>(Bound<'py, PyAny>);

impl<'py> IntoPyObject<'py> for Equality<'py> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = Infallible;

    const OUTPUT_TYPE: PyStaticExpr = <PyBool as PyTypeInfo>::TYPE_HINT;

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.0)
    }
}

/// The handle that a `with` statement entered: `Self` in the stubs.
struct EnteredHandle<'py>(Bound<'py, PyAny>);

impl<'py> IntoPyObject<'py> for EnteredHandle<'py> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = Infallible;

    const OUTPUT_TYPE: PyStaticExpr = SELF_TYPE;

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.0)
    }
}

/// The type of an object of whichever class that a method was called on.
pub(super) const SELF_TYPE: PyStaticExpr = PyStaticExpr::Attribute {
    value: &PyStaticExpr::Name {
        id: "typing_extensions",
    },
    attr: "Self",
};
