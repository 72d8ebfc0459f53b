//! Memory of C as a read-only `memoryview`, without a copy. The memoryview holds the handle that lends the memory.
//!
//! A memoryview is a shared borrow of the handle and of its ancestors, for as long as the memoryview lives. So no call
//! can close, consume or change them meanwhile. A memoryview may live for ever, so such a call raises `BufferError`
//! instead of waiting, as with `mmap`.

use std::convert::Infallible;
use std::ffi::c_int;
use std::ptr;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;
use pyo3::{PyTraverseError, PyTypeCheck, PyVisit};

use super::call::{BorrowRequest, CallContext, Mode};
use super::exceptions::to_pyerr;
use super::into_py::IntoPython;
use super::object::HandleClass;
use super::py_box::no_memory;
use super::state::never_queued;
use super::with_object::check_exportable;
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::interpreter::new_exception;
use crate::lent_memory::Watch;

/// The exporter of a memoryview: the memory, and the handle that lends it.
#[pyclass(name = "Export", frozen)]
pub(super) struct Export {
    start: *const u8,
    count: isize,
    /// Dropped before the owner.
    _watch: Option<Watch>,
    owner: Option<Held>,
}

// SAFETY: guarantee 6: the memory is only read, and stays as it is while the owner is held.
unsafe impl Send for Export {}
// SAFETY: guarantee 6: the memory is only read, and stays as it is while the owner is held.
unsafe impl Sync for Export {}

#[pymethods]
impl Export {
    /// # Safety
    ///
    /// CPython passes a buffer to fill.
    unsafe fn __getbuffer__(
        slf: &Bound<'_, Self>,
        buffer: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let export = slf.get();
        const READ_ONLY: c_int = 1;
        // SAFETY: CPython: the buffer is to be filled, and keeps this object; guarantee 6: which holds the memory.
        let filled = unsafe {
            ffi::PyBuffer_FillInfo(
                buffer,
                slf.as_ptr(),
                export.start.cast_mut().cast(),
                export.count,
                READ_ONLY,
                flags,
            )
        };
        match filled {
            0 => Ok(()),
            _ => Err(PyErr::fetch(slf.py())),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.owner.iter().try_for_each(|held| visit.call(&held.0))
    }

    fn __repr__(&self) -> String {
        format!("<{} bytes of C>", self.count)
    }
}

/// A shared borrow of a handle. The drop releases the borrow.
struct Held(Py<HandleClass>);

impl Held {
    fn new(owner: &Bound<'_, HandleClass>) -> PyResult<Self> {
        check_exportable(owner.py(), owner.get().state().resource().kind())?;
        let request = BorrowRequest::new(owner.get(), Mode::Shared);
        // The running call holds it already, and need not queue.
        match request.enter(never_queued) {
            Ok(()) => {
                owner.get().state().resource().begin_export();
                Ok(Held(owner.clone().unbind()))
            }
            // Somebody waits to close it.
            Err((state, _)) => Err(to_pyerr(owner.py(), Error::Closed(state.kind().name()))),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let owner = self.0.get();
        owner.state().resource().end_export();
        BorrowRequest::new(owner, Mode::Shared).release();
    }
}

/// Fills `buffer` with what the memoryview exports that `view` returns.
///
/// # Errors
///
/// The error of `view`; `BufferError` if a buffer is wanted to write to; `TypeError` if there is no memory.
///
/// # Safety
///
/// CPython passes the buffer to the slot of the buffer protocol.
#[doc(hidden)]
pub unsafe fn export_to<
    'py,
    R: IntoPyObject<'py, Output = Bound<'py, PyAny>, Error = Infallible>,
>(
    py: Python<'py>,
    buffer: *mut ffi::Py_buffer,
    flags: c_int,
    view: impl FnOnce() -> PyResult<R>,
) -> PyResult<()> {
    // SAFETY: the caller's promise. CPython: after a failure the buffer has no owner.
    unsafe { (*buffer).obj = ptr::null_mut() };
    let Ok(view) = view()?.into_pyobject(py);
    // SAFETY: CPython: a memoryview fills the buffer, and names itself as its owner, which holds the handle.
    match unsafe { ffi::PyObject_GetBuffer(view.as_ptr(), buffer, flags) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(py)),
    }
}

/// Returns a memoryview of what the memoryview exports that `view` returns.
///
/// # Errors
///
/// As for [`export_to`].
#[doc(hidden)]
pub fn exported_view<'py, R: IntoPyObject<'py, Output = Bound<'py, PyAny>, Error = Infallible>>(
    py: Python<'py>,
    flags: c_int,
    view: impl FnOnce() -> PyResult<R>,
) -> PyResult<Bound<'py, PyMemoryView>> {
    if flags & ffi::PyBUF_WRITABLE != 0 {
        return Err(new_exception::<PyBufferError>(
            py,
            "this memory is read-only",
        ));
    }
    let Ok(view) = view()?.into_pyobject(py);
    PyMemoryView::from(&view)
}

impl IntoPython for &[u8] {
    const TYPE: PyStaticExpr = <PyMemoryView as PyTypeCheck>::TYPE_HINT;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        if context.site().should_fail(FailPoint::Object) {
            return Err(no_memory());
        }
        let owner = context.receiver().map(Held::new).transpose()?;
        // SAFETY: guarantee 6: the owner is held until after the drop of the watch.
        let watch = unsafe { Watch::new(self, context.site().method) };
        let export = Export {
            start: self.as_ptr(),
            count: self.len().cast_signed(),
            _watch: watch,
            owner,
        };
        let export = Bound::new(context.py(), export)?;
        Ok(PyMemoryView::from(&export)?.into_any())
    }
}
