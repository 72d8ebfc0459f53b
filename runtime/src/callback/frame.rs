//! The calls of C of a thread, and the errors and panics that their callbacks ended with.

use std::cell::Cell;
use std::ptr;

use crate::error::Error;
use crate::interpreter::{attach_if_running, report};
use crate::panics::{Payload, discard};
use crate::restore_guard::RestoreGuard;

/// The error or the panic that a callback ended with.
pub(crate) enum CallbackFailure {
    Error(Error),
    Panic(Payload),
}

/// A C call of this thread, from which C may call back.
pub(super) struct Frame {
    raised: Cell<Option<CallbackFailure>>,
    /// Set once a callback of the call raised something.
    pub(super) has_raised: Cell<bool>,
}

thread_local! {
    /// The innermost C call of this thread; null inside of a callback.
    static FRAME: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// Makes `frame` the innermost one until the guard is dropped.
pub(super) fn enter_frame(frame: *const Frame) -> RestoreGuard<*const Frame> {
    RestoreGuard::set(&FRAME, frame)
}

/// Calls C, which may call back. Returns C's result, and puts into `raised` what the callbacks raised.
///
/// What they raised is no part of the result, because a processor waits if it copies what it has just written. It is
/// nearly always `None`.
pub(crate) fn framed<R>(raised: &mut Option<CallbackFailure>, c: impl FnOnce() -> R) -> R {
    let frame = Frame {
        raised: Cell::new(None),
        has_raised: Cell::new(false),
    };
    let outer = enter_frame(&raw const frame);
    let result = c();
    drop(outer);
    if frame.has_raised.get() {
        *raised = frame.raised.take();
    }
    result
}

/// Keeps the error or panic of a callback until C has returned. Reports it if one is kept already, or if this thread
/// runs no C call that could raise it.
#[cold]
pub(super) fn raise(frame: Option<&Frame>, raised: CallbackFailure) {
    match frame {
        Some(frame) if !frame.has_raised.replace(true) => frame.raised.set(Some(raised)),
        _ => attach_if_running(|| report_raised(raised)),
    }
}

pub(crate) fn report_raised(raised: CallbackFailure) {
    match raised {
        CallbackFailure::Error(error) => report(error),
        CallbackFailure::Panic(panic) => match panic.downcast::<Error>() {
            // A use that was refused.
            Ok(error) => report(*error),
            // The hook of the panic has told it.
            Err(panic) => discard(panic),
        },
    }
}
