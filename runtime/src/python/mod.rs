//! The Python half: one class per handle type, over one base class that holds everything.
//!
//! A Python handle is a [`Handle`](handle::HandleClass) object with a [`Header`](header::Header): the pointer, the state
//! word, the parent. The class that a macro makes for a type adds methods and no data. A call enters the handles it
//! uses ([`enter`]), runs, gives its result to Python ([`give`]) and leaves.

mod depth;
pub mod enter;
pub mod exceptions;
pub mod give;
pub mod handle;
pub mod header;
pub mod iterator;
pub mod module;
pub mod take;
mod trace;
mod wait;

pub use enter::{Context, Entry, alone, exclusive, shared};
pub use exceptions::{BusyError, ClosedError, Error};
pub use give::{IntoPython, Typed};
pub use handle::{HandleClass, PyHandle};
pub use module::{Register, live_handles};
pub use take::{Mut, Ref};

use pyo3::Python;

/// Something that may cross into a detached section although it holds C pointers: C gets them, Python is not touched.
struct Detached<T>(T);

// SAFETY: `detach` runs the closure on the same thread, at once; `Send` only stands for "does not use Python", and
// what is wrapped calls one C function.
unsafe impl<T> Send for Detached<T> {}

impl<T> Detached<T> {
    fn into_inner(self) -> T {
        self.0
    }
}

/// Run `c` without the GIL, if this thread holds it.
pub(crate) fn detached<R>(c: impl FnOnce() -> R) -> R {
    // SAFETY: both functions may be called at any time; the second one answers for this thread.
    let attached = unsafe {
        pyo3::ffi::Py_IsInitialized() != 0
            && !pyo3::ffi::compat::PyThreadState_GetUnchecked().is_null()
    };
    if !attached {
        return c();
    }
    // SAFETY: just asked.
    let py = unsafe { Python::assume_attached() };
    let c = Detached(c);
    py.detach(move || Detached((c.into_inner())())).into_inner()
}
