//! The runtime's interface to the Python interpreter: attached threads, signals, re-entrancy, reports.
//!
//! The core calls these functions and knows nothing else of Python. Without the feature `python` they do nothing. The
//! functions that need Python's classes are registered by the Python half as [`Hooks`].

#[cfg(feature = "python")]
mod attach;
#[cfg(feature = "python")]
mod exception;
#[cfg(feature = "python")]
mod gil;
#[cfg(feature = "python")]
mod reentrancy;
#[cfg(feature = "python")]
mod signals;
#[cfg(feature = "python")]
mod thread_exit;
#[cfg(feature = "python")]
mod unraisable;
#[cfg(not(feature = "python"))]
mod without;

#[cfg(feature = "python")]
pub(crate) use attach::{
    attach_if_running, begin_traversing, detach, is_attached, is_detached, is_ending,
    is_traversing, known_to_pyo3, refuse_subinterpreter, try_attach,
};
#[cfg(feature = "python")]
pub(crate) use exception::{new_exception, new_exception_of, new_text, raised};
#[cfg(feature = "python")]
pub(crate) use gil::Attached;
#[cfg(feature = "python")]
pub(crate) use reentrancy::{ReentrancyGuard, count_with_other_packages, inside_python, may_wait};
#[cfg(feature = "python")]
pub(crate) use signals::{check_signals, handles_signals, note_main_thread, run_signal_handlers};
#[cfg(feature = "python")]
pub(crate) use thread_exit::Hang;
#[cfg(feature = "python")]
pub(crate) use unraisable::{
    Hooks, apart_from_pending, callback_error, exclude_others, include_others,
};
#[cfg(not(feature = "python"))]
pub(crate) use without::{
    Attached, ReentrancyGuard, attach_if_running, callback_error, check_signals, detach,
    exclude_others, handles_signals, include_others, is_attached, is_detached, may_wait,
    run_signal_handlers,
};

use crate::error::Error;
use crate::panics::Caught;

/// Reports an error that no caller can get: to `sys.unraisablehook`, or without an interpreter to the standard error
/// output. Drops of handles come here, so an error whose `Display` panics is reported by its panic.
pub(crate) fn report(error: Error) {
    if error.is_panic() {
        // The panic hook has reported it.
        return;
    }
    // The closure owns the error, whose own `Drop` may panic.
    Caught::new().run(move || {
        #[cfg(feature = "python")]
        let Some(error) = unraisable::write_unraisable(error) else {
            return;
        };
        eprintln!("leakproof: {error}");
    });
}

/// Reports an error in a `Drop`. A panic continues, unless the thread unwinds already.
pub(crate) fn report_in_drop(error: Error) {
    match std::thread::panicking() {
        true => report(error),
        false => report(error.unless_panic()),
    }
}
