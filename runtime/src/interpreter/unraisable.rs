//! Functions of the Python half that the core needs, and reports to `sys.unraisablehook`.

use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use pyo3::prelude::*;

use super::attach::attach_if_running;
use crate::error::Error;

/// Functions that need Python's classes. The Python half submits them at link time, so that they are there before any
/// module is initialized.
pub(crate) struct Hooks {
    /// Converts an error to the package's exception.
    pub(crate) to_pyerr: fn(Python<'_>, Error) -> PyErr,
    /// Replaces an exception that would end an iteration of the caller (PEP 479).
    pub(crate) callback_error: fn(Error) -> Error,
    /// Refuses new uses of the handle whose state is at the pointer. Returns `false` if it is in use.
    ///
    /// # Safety
    ///
    /// The state is valid, and this thread is attached.
    pub(crate) exclude: unsafe fn(*mut ()) -> bool,
    /// Admits uses again.
    ///
    /// # Safety
    ///
    /// As of `exclude`, which was called before.
    pub(crate) include: unsafe fn(*mut ()),
}

inventory::collect!(Hooks);

fn hooks() -> Option<&'static Hooks> {
    inventory::iter::<Hooks>.into_iter().next()
}

/// Gives `error` to `sys.unraisablehook`. Returns `error` if there is no interpreter.
pub(super) fn write_unraisable(error: Error) -> Option<Error> {
    let Some(hooks) = hooks() else {
        return Some(error);
    };
    let mut error = Some(error);
    // C may report it on a thread that is detached from the interpreter.
    Python::try_attach(|py| {
        let error = error.take();
        apart_from_pending(|| {
            if let Some(error) = error {
                (hooks.to_pyerr)(py, error).write_unraisable(py, None);
            }
        });
    });
    error
}

/// Returns the error that a callback's call raises instead of `error`.
pub(crate) fn callback_error(error: Error) -> Error {
    match hooks() {
        Some(hooks) => (hooks.callback_error)(error),
        None => error,
    }
}

/// Refuses new uses of the handle whose state is at the pointer, for the first of the callbacks that `running` counts.
/// `None`: the handle has no Python object, or is in use.
pub(crate) fn exclude_others(state: &AtomicPtr<()>, running: &AtomicU32) -> Option<()> {
    let excluded = with_state(state, |hooks, state| {
        // SAFETY: CPython: no other thread is attached meanwhile, so none drops the object; a call of this thread holds
        // it.
        if running.load(Ordering::Acquire) == 0 && !unsafe { (hooks.exclude)(state) } {
            return false;
        }
        running.fetch_add(1, Ordering::AcqRel);
        true
    });
    excluded?.then_some(())
}

/// Reverts [`exclude_others`].
pub(crate) fn include_others(state: &AtomicPtr<()>, running: &AtomicU32) {
    if running.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: CPython: no other thread is attached meanwhile, so none drops the object; a call of this thread holds
        // it.
        with_state(state, |hooks, state| unsafe { (hooks.include)(state) });
    }
}

/// Calls `f` with the state of the handle's Python object, while there is one. C may call back on a thread of its own,
/// so this thread attaches first: the object, which takes its pointer away before it goes, goes on a thread that is
/// attached.
fn with_state<R>(state: &AtomicPtr<()>, f: impl FnOnce(&Hooks, *mut ()) -> R) -> Option<R> {
    if state.load(Ordering::Acquire).is_null() {
        return None;
    }
    let hooks = hooks()?;
    attach_if_running(|| {
        let state = state.load(Ordering::Acquire);
        (!state.is_null()).then(|| f(hooks, state))
    })
}

/// Runs code that may raise exceptions, and keeps an exception that is already pending. The thread is attached.
#[allow(deprecated, reason = "what replaces PyErr_Fetch came with Python 3.12")]
pub(crate) fn apart_from_pending(run: impl FnOnce()) {
    let mut pending = [std::ptr::null_mut(); 3];
    let [class, value, trace] = &mut pending;
    // SAFETY: CPython: the thread is attached, as the caller says. PyO3's `PyErr` is no use here: it panics when it
    // takes the exception that a panic became.
    unsafe { pyo3::ffi::PyErr_Fetch(class, value, trace) };
    run();
    // SAFETY: CPython: what was fetched is given back on the same thread.
    unsafe { pyo3::ffi::PyErr_Restore(*class, *value, *trace) };
}
