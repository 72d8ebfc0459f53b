//! The Python half: one class per handle type, over one base class that holds everything.
//!
//! A Python handle is a [`Handle`](handle::HandleClass) object with a [`Header`](header::Header): the pointer, the state
//! word, the parent. The class that a macro makes for a type adds methods and no data. A call enters the handles it
//! uses ([`enter`]), runs, gives its result to Python ([`give`]) and leaves.

mod alone;
mod ancestors;
mod callable;
mod cores;
mod depth;
pub mod enter;
pub mod enums;
pub mod exceptions;
mod export;
pub mod give;
pub mod handle;
mod hang;
pub mod header;
mod interpreter;
pub mod iterator;
pub mod module;
mod one_step;
pub mod records;
mod related;
mod resource;
pub mod take;
mod threads;
mod trace;
mod wait;

pub(crate) use alone::Alone;
pub use callable::Callable;
pub(crate) use depth::MayRunPython;
pub use enter::{Context, Entry, Mode, alone, exclusive, shared};
pub(crate) use exceptions::of_callback;
pub use exceptions::{AffinityError, BusyError, ClosedError, Error};
pub use give::{IntoPython, Typed};
pub use handle::{HandleClass, PyHandle};
pub use module::{Register, live_handles};
pub use take::{Give, Mut, Ref};
pub(crate) use wait::{check_signals, handles_signals, run_signal_handlers};

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
