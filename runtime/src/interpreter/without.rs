//! The interface to the interpreter in builds without Python: there is no interpreter to attach to, no signal handler,
//! and no object to exclude others from.

use std::sync::atomic::{AtomicPtr, AtomicU32};

use crate::error::{Error, Result};

/// A stretch of a call that may run Python code: none does.
pub(crate) struct ReentrancyGuard(());

impl ReentrancyGuard {
    #[inline]
    pub(crate) fn begin() -> Self {
        ReentrancyGuard(())
    }
}

/// Runs `f`.
#[inline]
pub(crate) fn attach_if_running<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// Runs `c`.
#[inline]
pub(crate) fn detach<R>(c: impl FnOnce() -> R) -> R {
    c()
}

/// Returns false: there is nothing to attach to.
#[inline]
pub(crate) fn is_attached() -> bool {
    false
}

/// Returns false.
#[inline]
pub(crate) fn is_detached() -> bool {
    false
}

/// Returns false: only calls from Python wait for others.
#[inline]
pub(crate) fn may_wait() -> bool {
    false
}

/// Runs no handlers.
///
/// # Errors
///
/// None.
#[inline]
pub(crate) fn run_signal_handlers() -> Result<()> {
    Ok(())
}

/// The GIL: there is none.
#[derive(Debug)]
pub(crate) struct Attached(());

impl Attached {
    /// Returns `None`: there is no GIL.
    #[inline]
    pub(crate) fn reattach() -> Option<Self> {
        None
    }

    /// Returns `None`: there is no GIL.
    #[inline]
    pub(crate) fn begin() -> Option<Self> {
        None
    }
}

/// Finds no signals.
#[inline]
pub(crate) fn check_signals() -> Result<()> {
    Ok(())
}

/// Returns `false`: no thread runs Python's signal handlers.
#[inline]
pub(crate) fn handles_signals() -> bool {
    false
}

/// Returns `error`.
#[inline]
pub(crate) fn callback_error(error: Error) -> Error {
    error
}

/// Returns `None`: there is no Python object that others could use.
#[inline]
pub(crate) fn exclude_others(_: &AtomicPtr<()>, _: &AtomicU32) -> Option<()> {
    None
}

/// Does nothing.
#[inline]
pub(crate) fn include_others(_: &AtomicPtr<()>, _: &AtomicU32) {}
