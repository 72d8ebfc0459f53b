//! Attaching to the interpreter and detaching from it; sub-interpreters; the interpreter's end.

use std::cell::Cell;
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::{ptr, thread};

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::impl_::trampoline::{MethodDef, objobjproc};
use pyo3::prelude::*;

use super::exception::new_exception;
use crate::quiet::Section;
use crate::restore_guard::RestoreGuard;

/// The interpreter, if this thread is attached to it and may be detached: not while it collects garbage.
///
/// `PyGILState_Check` is no answer: it is always 1 once a sub-interpreter has existed in the process.
fn attached<'py>() -> Option<Python<'py>> {
    if is_traversing() {
        return None;
    }
    // SAFETY: CPython: these functions may be called at any time, by any thread.
    let attached = unsafe { ffi::Py_IsInitialized() != 0 && has_thread_state() };
    // SAFETY: CPython: a thread with a thread state of its own is attached, as was just asked.
    attached.then(|| unsafe { Python::assume_attached() })
}

/// Returns whether this thread is attached to the interpreter.
pub(crate) fn is_attached() -> bool {
    attached().is_some()
}

/// Returns whether this thread has a current thread state, which is a thread-local variable since Python 3.12.
#[cfg(Py_3_12)]
pub(super) unsafe fn has_thread_state() -> bool {
    // SAFETY: CPython: the function only reads a variable of the thread.
    unsafe { !ffi::compat::PyThreadState_GetUnchecked().is_null() }
}

/// Returns whether this thread has the current thread state. Up to Python 3.11 one variable, shared by all threads,
/// holds the state of the thread that holds the GIL. The state of this thread is in thread-local storage.
#[cfg(not(Py_3_12))]
pub(super) unsafe fn has_thread_state() -> bool {
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

/// Returns whether the interpreter has begun to end, or has ended. A thread that is not attached then never will be
/// again.
pub(crate) fn is_ending() -> bool {
    // SAFETY: CPython: these functions may be called at any time, by any thread.
    unsafe {
        #[cfg(Py_3_13)]
        let finalizing = ffi::Py_IsFinalizing();
        #[cfg(not(Py_3_13))]
        let finalizing = _Py_IsFinalizing();
        finalizing != 0 || ffi::Py_IsInitialized() == 0
    }
}

/// Refuses to be imported in a sub-interpreter. The classes of a module exist once per process and belong to the
/// interpreter that made them, so this comes before any class is made.
///
/// # Errors
///
/// `ImportError` in every interpreter but the main one.
pub(crate) fn refuse_subinterpreter(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // SAFETY: CPython: this thread is attached, as `module` shows; the main interpreter's number is 0.
    let number = unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) };
    if number == 0 {
        return Ok(());
    }
    let name = module.name()?;
    let message = format!(
        "{name} cannot be imported in a sub-interpreter, as its handles belong to the main interpreter: import it there, \
         or use processes"
    );
    Err(new_exception::<PyImportError>(module.py(), message))
}

thread_local! {
    /// Set while this thread shows the values of a handle to the garbage collector.
    static TRAVERSING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread shows the values of a handle to the garbage collector. The author's `traverse` runs
/// then, which must neither change the values nor let other threads run Python code.
pub(crate) fn is_traversing() -> bool {
    TRAVERSING.get()
}

/// Marks that this thread shows the values of a handle to the garbage collector, until the guard is dropped.
pub(crate) fn begin_traversing() -> RestoreGuard<bool> {
    RestoreGuard::set(&TRAVERSING, true)
}

/// A closure, and what it returned or how it panicked.
struct Run<F, R> {
    f: Option<F>,
    result: Option<thread::Result<R>>,
}

impl<F: FnOnce(Python<'_>) -> R, R> Run<F, R> {
    /// Runs the closure.
    ///
    /// # Safety
    ///
    /// `run` is a valid [`Run`].
    unsafe fn run(
        py: Python<'_>,
        _: *mut ffi::PyObject,
        run: *mut ffi::PyObject,
    ) -> PyResult<c_int> {
        // SAFETY: the caller's promise.
        let run = unsafe { &mut *run.cast::<Self>() };
        let f = run.f.take();
        run.result = f.map(|f| catch_unwind(AssertUnwindSafe(|| f(py))));
        Ok(0)
    }
}

impl<F: FnOnce(Python<'_>) -> R, R> MethodDef<objobjproc::Func> for Run<F, R> {
    const METH: objobjproc::Func = Run::<F, R>::run;
}

/// Runs `f`, and lets PyO3 know that this thread is attached to the interpreter. `Python::attach` does so, too, but
/// panics once the interpreter has begun to end, also on the thread that ends it and still runs Python code.
pub(crate) fn known_to_pyo3<R>(_: Python<'_>, f: impl FnOnce(Python<'_>) -> R) -> R {
    let mut run = Run {
        f: Some(f),
        result: None,
    };
    // SAFETY: PyO3: it passes on both pointers, and does not look at them. This thread is attached, as the token shows.
    unsafe { call_by_pyo3(&mut run) };
    match run.result {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => unreachable!("PyO3 passes the call on"),
    }
}

/// Lets PyO3 run a closure.
///
/// # Safety
///
/// This thread is attached to the interpreter.
unsafe fn call_by_pyo3<F: FnOnce(Python<'_>) -> R, R>(run: &mut Run<F, R>) {
    // SAFETY: the caller's promise.
    unsafe { objobjproc::<Run<F, R>>(ptr::null_mut(), ptr::from_mut(run).cast()) };
}

/// Runs `f` attached to the interpreter. Returns `None` where that cannot be: there is no interpreter, or it has begun
/// to end and this thread is not attached to it.
pub(crate) fn try_attach<R>(f: impl FnOnce(Python<'_>) -> R) -> Option<R> {
    let mut f = Some(f);
    let mut once = |py: Python<'_>| f.take().map(|f| f(py));
    if let Some(done) = Python::try_attach(&mut once) {
        return done;
    }
    // SAFETY: CPython: the function may be called at any time, by any thread.
    let is_attached = is_ending() && !is_traversing() && unsafe { has_thread_state() };
    // SAFETY: CPython: a thread with a thread state of its own is attached, as was just asked.
    is_attached.then(|| known_to_pyo3(unsafe { Python::assume_attached() }, once))?
}

/// Runs `f` attached to the interpreter, if one runs.
pub(crate) fn attach_if_running<R>(f: impl FnOnce() -> R) -> R {
    let mut f = Some(f);
    let mut once = || f.take().map(|f| f());
    let done = Python::try_attach(|_| once()).flatten();
    done.or_else(once)
        .unwrap_or_else(|| unreachable!("it runs once"))
}

/// A value that may cross into a detached section although it holds C pointers: C gets them, Python is not touched.
struct Detached<T>(T);

// SAFETY: PyO3: `detach` runs the closure on the same thread, at once; `Send` only stands for "does not use Python",
// which `WithoutPython` promises.
unsafe impl<T> Send for Detached<T> {}

impl<T> Detached<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

thread_local! {
    /// Set while this thread runs a section that [`detach`] entered, unless it has the GIL again (`Attached`).
    static DETACHED: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread runs a section that gave up the GIL, and does not have it again.
#[inline]
pub(crate) fn is_detached() -> bool {
    DETACHED.get()
}

/// Marks that this thread runs such a section, or has the GIL again, until the guard is dropped.
pub(super) fn mark_detached(is_detached: bool) -> RestoreGuard<bool> {
    RestoreGuard::set(&DETACHED, is_detached)
}

/// Runs `c` without the GIL, if this thread holds it.
pub(crate) fn detach<R>(c: impl FnOnce() -> R) -> R {
    let Some(py) = attached() else {
        return c();
    };
    let _flag = mark_detached(true);
    let _section = Section::begin();
    let c = Detached(c);
    py.detach(move || Detached((c.into_inner())())).into_inner()
}
