//! The GIL and the signals of a call.

use crate::error::Result;
use crate::failpoint::CallSite;
use crate::handle::Handle;
use crate::interpreter::{self, Attached};
use crate::uses::depth::is_inside;

/// Takes the GIL for a call that is not marked `detach`, where this thread gave it up: in a `#[detach]` body, or in a
/// callback of a detached call. So at most one thread is in such calls. A call whose error is asked of the handle takes
/// the GIL on C's own threads, too. Calls on what C lends to a callback run as the call that called back.
#[inline]
pub(super) fn attached<T: Handle>(site: &'static CallSite) -> Option<Attached> {
    if site.is_detached || const { T::SPEC.is_callback_only() } {
        return None;
    }
    match const { T::SPEC.is_asked() } && is_inside() {
        true => Attached::begin(),
        false => Attached::reattach(),
    }
}

/// The promise that code that runs without the GIL uses no Python object.
#[derive(Debug)]
pub struct WithoutPython(());

impl WithoutPython {
    /// Makes the promise.
    ///
    /// # Safety
    ///
    /// The promise is true.
    #[inline]
    pub const unsafe fn promised() -> Self {
        WithoutPython(())
    }
}

/// Runs `c` without the GIL if this thread holds it. Keeps the `errno` that `c` leaves.
#[inline]
pub fn detach_unchecked<R>(_: WithoutPython, c: impl FnOnce() -> R) -> R {
    let (result, errno) = interpreter::detach(|| (c(), errno::errno()));
    errno::set_errno(errno);
    result
}

/// Runs `c` without the GIL if this thread holds it. `Send` keeps Python objects out, as in PyO3's own `detach`.
pub fn detach<R: Send>(c: impl FnOnce() -> R + Send) -> R {
    // SAFETY: Rust: `Send` keeps Python objects out of the closure, as far as PyO3's own `detach` asks for it.
    detach_unchecked(unsafe { WithoutPython::promised() }, c)
}

/// Runs Python's signal handlers if signals came. Call it in a callback that a C library calls while it works for long,
/// such as a progress hook, and in a loop in a body. A call costs some nanoseconds: it looks for signals every 20 ms,
/// and only on Python's main thread. Does nothing without Python.
///
/// # Errors
///
/// The exception of a handler, such as `KeyboardInterrupt`. A callback returns it, so that C is told to stop and the
/// call raises it.
pub fn check_signals() -> Result<()> {
    interpreter::check_signals()
}

/// Returns whether this thread runs Python's signal handlers, so that a long call of C here makes Ctrl-C wait. Costs
/// some nanoseconds. Returns false without Python.
pub fn handles_signals() -> bool {
    interpreter::handles_signals()
}

/// Refuses, while compiling, arguments that hold Python objects where the body is detached.
#[inline]
pub fn assert_send<T: Send>(_: &T) {}
