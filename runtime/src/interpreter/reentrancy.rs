//! Calls of this thread that may run Python code. A thread inside of one never waits for a handle: the call that it
//! would wait for might wait for it.
//!
//! The packages of a process count together, although each links its own copy of this crate: a callback of one package
//! must not wait for a handle of another one. The first package that is imported counts for all of them.

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;

use super::attach::{is_attached, is_ending};
use super::thread_exit::Hang;
use crate::uses::author_code::is_borrowing;

/// The name of the function in the interpreter's dictionary. The number changes with the type or the meaning of the
/// function.
const NAME: &CStr = c"leakproof.calls_of_this_thread.1";

/// The calls of one thread that may run Python code.
type Depth = NonNull<Cell<u32>>;

/// Returns the number of calls of this thread, in memory that lives as long as the thread.
type OfThisThread = extern "C" fn() -> Depth;

thread_local! {
    static CALLS: Cell<u32> = const { Cell::new(0) };
    /// The result of [`SHARED`] on this thread.
    static DEPTH: Cell<Option<Depth>> = const { Cell::new(None) };
}

/// The function of the package that counts for all.
static SHARED: OnceLock<OfThisThread> = OnceLock::new();

extern "C" fn of_this_thread() -> Depth {
    CALLS.with(|calls| NonNull::from(calls))
}

#[inline(always)]
fn depth() -> Depth {
    DEPTH.get().unwrap_or_else(find_depth)
}

#[cold]
fn find_depth() -> Depth {
    match SHARED.get() {
        Some(of_this_thread) => {
            let depth = of_this_thread();
            DEPTH.set(Some(depth));
            depth
        }
        // No module of this package is imported yet.
        None => of_this_thread(),
    }
}

/// Has this package count together with those that were imported before.
///
/// # Errors
///
/// `MemoryError`.
pub(crate) fn count_with_other_packages(py: Python<'_>) -> PyResult<()> {
    // SAFETY: CPython: this thread is attached, as the token shows. The dictionary is borrowed from the interpreter, or
    // null without memory for it. The name of the capsule is static, and `of_this_thread` stays: CPython unloads no
    // module.
    let (packages, own) = unsafe {
        let packages = ffi::PyInterpreterState_GetDict(ffi::PyInterpreterState_Get());
        let function = of_this_thread as OfThisThread as *mut c_void;
        let own = ffi::PyCapsule_New(function, NAME.as_ptr(), None);
        (
            Bound::from_borrowed_ptr_or_opt(py, packages),
            Bound::from_owned_ptr_or_err(py, own)?,
        )
    };
    let packages = packages.ok_or_else(|| PyMemoryError::new_err(()))?;
    let first = packages.call_method1("setdefault", (NAME, own))?;
    // SAFETY: CPython: this thread is attached. The name is that of `NAME`, or the function fails.
    let function = unsafe { ffi::PyCapsule_GetPointer(first.as_ptr(), NAME.as_ptr()) };
    if function.is_null() {
        return Err(PyErr::fetch(py));
    }
    // SAFETY: Rust: a capsule of this name has a function of this type, of a module that CPython never unloads.
    let function = unsafe { std::mem::transmute::<*mut c_void, OfThisThread>(function) };
    SHARED.get_or_init(|| function);
    Ok(())
}

pub(crate) fn inside_python() -> bool {
    // SAFETY: Rust: the memory lives as long as this thread, and only this thread uses it.
    let calls = unsafe { depth().as_ref() }.get();
    calls > 0 || is_borrowing()
}

/// Returns whether this thread may wait for other threads: not within Python code that a call runs, and not while the
/// interpreter ends.
pub(crate) fn may_wait() -> bool {
    is_attached() && !inside_python() && !is_ending()
}

/// A stretch of a call that may run Python code: a body, a conversion that allocates containers.
pub(crate) struct ReentrancyGuard {
    depth: Depth,
    _hang: Hang,
}

impl ReentrancyGuard {
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        let depth = depth();
        // SAFETY: Rust: the memory lives as long as this thread, and only this thread uses it.
        let calls = unsafe { depth.as_ref() };
        calls.set(calls.get() + 1);
        ReentrancyGuard {
            depth,
            _hang: Hang::begin(),
        }
    }
}

impl Drop for ReentrancyGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Rust: as in `begin`. A guard stays on its thread, as its pointer is not `Send`.
        let calls = unsafe { self.depth.as_ref() };
        calls.set(calls.get() - 1);
    }
}
