//! The state of the interpreter: attached threads, sub-interpreters, the end.

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::attachment::is_traversing;

/// The interpreter, if this thread is attached to it and may be detached: not while it collects garbage.
///
/// `PyGILState_Check` is no answer: it is always 1 once a sub-interpreter has existed in the process.
pub(super) fn attached<'py>() -> Option<Python<'py>> {
    if is_traversing() {
        return None;
    }
    // SAFETY: CPython: these functions may be called at any time, by any thread.
    let attached = unsafe { ffi::Py_IsInitialized() != 0 && has_thread_state() };
    // SAFETY: CPython: a thread with a thread state of its own is attached, as was just asked.
    attached.then(|| unsafe { Python::assume_attached() })
}

/// Whether this thread has a current thread state: a thread-local variable since Python 3.12.
#[cfg(Py_3_12)]
unsafe fn has_thread_state() -> bool {
    // SAFETY: CPython: the function only reads a variable of the thread.
    unsafe { !ffi::compat::PyThreadState_GetUnchecked().is_null() }
}

/// Whether this thread has the current thread state. Up to Python 3.11 that is one variable for all threads, with the
/// state of the thread that holds the GIL; the state that belongs to this thread is in thread-local storage.
#[cfg(not(Py_3_12))]
unsafe fn has_thread_state() -> bool {
    // SAFETY: CPython: both functions only read variables.
    unsafe {
        let current = ffi::compat::PyThreadState_GetUnchecked();
        !current.is_null() && current == ffi::PyGILState_GetThisThreadState()
    }
}

// SAFETY: CPython: the function is declared so up to 3.12.
#[cfg(not(Py_3_13))]
unsafe extern "C" {
    fn _Py_IsFinalizing() -> std::ffi::c_int;
}

/// Whether the interpreter has begun to end, or has ended: the threads that are not attached now never will be again.
pub(super) fn is_ending() -> bool {
    // SAFETY: CPython: these functions may be called at any time, by any thread.
    unsafe {
        #[cfg(Py_3_13)]
        let finalizing = ffi::Py_IsFinalizing();
        #[cfg(not(Py_3_13))]
        let finalizing = _Py_IsFinalizing();
        finalizing != 0 || ffi::Py_IsInitialized() == 0
    }
}

/// Refuse to be imported in a sub-interpreter. The classes of a module exist once per process and belong to the
/// interpreter that made them, so this comes before any class is made.
///
/// # Errors
///
/// `ImportError` in every interpreter but the main one.
pub(super) fn refuse_subinterpreter(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // SAFETY: CPython: this thread is attached, as `module` shows; the main interpreter's number is 0.
    let number = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if number == 0 {
        return Ok(());
    }
    let name = module.name()?;
    Err(PyImportError::new_err(format!(
        "{name} cannot be imported in a sub-interpreter, as its handles belong to the main interpreter: import it there, \
         or use processes"
    )))
}
