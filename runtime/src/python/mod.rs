//! The Python half: one class per handle type, over one base class that holds everything.
//!
//! A Python handle is a [`Handle`](handle::HandleClass) object with a [`HandleState`](header::HandleState): the pointer, the state
//! word, the parent. The class that a macro makes for a type adds methods and no data. A call enters the handles it
//! uses ([`enter`]), runs, gives its result to Python ([`give`]) and leaves.

mod ancestors;
pub mod call;
mod callable;
pub mod enums;
pub mod exceptions;
mod exclusive_callback;
pub mod extract;
mod interpreter;
pub mod into_py;
pub mod iterator;
mod memoryview;
pub mod module;
pub mod object;
mod one_step;
mod pending_release;
pub mod records;
mod reentrancy;
mod ref_counted;
mod same_ancestor;
pub mod state;
mod thread_bound;
mod thread_exit;
mod trace;
mod waiting;

pub use call::{CallContext, MethodInfo, Mode, call_method, call_method_mut, call_static};
pub use callable::Callable;
pub(crate) use exceptions::of_callback;
pub use exceptions::{AffinityError, BusyError, ClosedError, Error};
pub(crate) use exclusive_callback::Alone;
pub use extract::{MutArg, OwnedArg, RefArg};
pub use into_py::{IntoPython, TypedResult};
pub use module::{Register, live_handles};
pub use object::{HandleClass, PyHandle};
pub(crate) use reentrancy::ReentrancyGuard;
pub(crate) use waiting::{check_signals, handles_signals, run_signal_handlers};

use pyo3::Python;

/// Something that may cross into a detached section although it holds C pointers: C gets them, Python is not touched.
struct Detached<T>(T);

// SAFETY: PyO3: `detach` runs the closure on the same thread, at once; `Send` only stands for "does not use Python",
// which `WithoutPython` promises.
unsafe impl<T> Send for Detached<T> {}

impl<T> Detached<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// Tell `sys.unraisablehook`; the error comes back where there is none.
pub(crate) fn report(error: crate::Error) -> Option<crate::Error> {
    let mut error = Some(error);
    // C may tell it on a thread that is detached from the interpreter.
    Python::try_attach(|py| {
        let error = error.take();
        apart_from_pending(|| {
            if let Some(error) = error {
                exceptions::to_pyerr(py, error).write_unraisable(py, None);
            }
        });
    });
    error
}

/// Run what may raise exceptions while another one may be on its way, which stays so. The thread is attached.
#[allow(deprecated, reason = "what replaces PyErr_Fetch came with Python 3.12")]
fn apart_from_pending(run: impl FnOnce()) {
    let mut pending = [std::ptr::null_mut(); 3];
    let [class, value, trace] = &mut pending;
    // SAFETY: CPython: the thread is attached, as the caller says. PyO3's `PyErr` is no use here: it panics when it
    // takes the exception that a panic became.
    unsafe { pyo3::ffi::PyErr_Fetch(class, value, trace) };
    run();
    // SAFETY: CPython: what was fetched is given back on the same thread.
    unsafe { pyo3::ffi::PyErr_Restore(*class, *value, *trace) };
}

/// Run `c` without the GIL, if this thread holds it.
pub(crate) fn detached<R>(c: impl FnOnce() -> R) -> R {
    let Some(py) = interpreter::attached() else {
        return c();
    };
    let c = Detached(c);
    py.detach(move || Detached((c.into_inner())())).into_inner()
}
