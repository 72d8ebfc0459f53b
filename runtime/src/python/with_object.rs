//! Handles that C lends to a callback, as Python objects.
//!
//! The object is closed when the callback is done with it, so the end of it must never wait for a use of the handle on
//! another thread: the object is bound to the thread of the callback. For the same reason nothing that may be used
//! later lives in such an object: no handle has a `callback_only` parent, and no memoryview is made of its memory.

use pyo3::prelude::*;

use super::exceptions::to_pyerr;
use super::object::{PyHandle, new_lent};
use super::state::ResourceState;
use crate::error::{Error, Result};
use crate::handle::CallbackOnly;
use crate::handle::kind::HandleKind;
use crate::interpreter::try_attach;

/// Calls `f` with a Python object of a [`callback_only`](crate::reference::handle#callback_only) handle. The object is
/// closed when `f` has returned: where Python code has kept it, its use raises `ClosedError`. Until then only this
/// thread may use it, and only by methods with `&self`; the others raise `BusyError`.
///
/// ```
/// # use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// /// An event, which lasts until the handler returns.
/// #[handle(raw = ffi::record, callback_only)]
/// pub struct Record;
///
/// #[methods(unsafe)]
/// impl Record {
///     /// The number of the event.
///     #[getter]
///     #[field(code)]
///     fn code(&self) -> i32;
/// }
///
/// #[derive(Attachment)]
/// pub struct Handler(Callable);
///
/// #[callbacks(unsafe)]
/// impl Handler {
///     #[callback(ffi::event_t, args = (data, record))]
///     fn on_event(&self, record: &Record) -> Result<()> {
///         leakproof::with_object(record, |record| self.0.call_unit((record,)))
///     }
/// }
/// # fn main() {}
/// ```
///
/// # Errors
///
/// The error of `f`, or `MemoryError`.
pub fn with_object<T: PyHandle + CallbackOnly, R>(
    handle: &T,
    f: impl FnOnce(&Py<PyAny>) -> Result<R>,
) -> Result<R> {
    // SAFETY: Rust: the reference is valid until `f` has returned, and nobody changes a handle that is lent shared.
    unsafe { lend::<T, R>(handle.as_raw(), true, f) }
}

/// Calls `f` with a Python object of a [`callback_only`](crate::reference::handle#callback_only) handle that the
/// callback may change: as [`with_object`], but all methods of the object may be called.
///
/// # Errors
///
/// The error of `f`, or `MemoryError`.
pub fn with_object_mut<T: PyHandle + CallbackOnly, R>(
    handle: &mut T,
    f: impl FnOnce(&Py<PyAny>) -> Result<R>,
) -> Result<R> {
    // SAFETY: Rust: the reference is valid and exclusive until `f` has returned.
    unsafe { lend::<T, R>(handle.as_raw(), false, f) }
}

/// Calls `f` with a new Python object of the handle at `raw`.
///
/// # Safety
///
/// The handle is valid until `f` has returned. Unless `is_shared`, nothing else uses it meanwhile.
unsafe fn lend<T: PyHandle + CallbackOnly, R>(
    raw: *mut T::Raw,
    is_shared: bool,
    f: impl FnOnce(&Py<PyAny>) -> Result<R>,
) -> Result<R> {
    let called = try_attach(|py| {
        let object = new_lent::<T>(py, raw.cast())?;
        let lent = Lent::begin(object.as_super().get().state().resource(), is_shared);
        let result = f(object.as_any().as_unbound());
        drop(lent);
        result
    });
    called.unwrap_or_else(|| Err(Error::Value("there is no interpreter any more".into())))
}

/// The time in which Python code may use an object of a handle that C lends. The drop closes the object.
struct Lent<'a>(&'a ResourceState);

impl<'a> Lent<'a> {
    fn begin(state: &'a ResourceState, is_shared: bool) -> Self {
        if is_shared {
            state.bar_exclusive_borrows();
        }
        Lent(state)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.0.end_lent();
    }
}

/// Refuses to export memory of a handle that C lends until a callback returns.
pub(super) fn check_exportable(py: Python<'_>, kind: &HandleKind) -> PyResult<()> {
    match kind.is_callback_only() {
        false => Ok(()),
        true => {
            let message = format!(
                "C lends a {} until the callback returns, and a memoryview may live longer: return a copy, `Bytes`",
                kind.name()
            );
            Err(to_pyerr(py, Error::Value(message)))
        }
    }
}
