//! Handlers that SQLite calls while a statement runs.

use std::ffi::{c_int, c_void};

use leakproof::check_signals;
use leakproof::prelude::*;

/// The number of virtual machine instructions between two checks for signals: some tens of microseconds.
pub(crate) const SIGNALS_EVERY: c_int = 1000;

/// The progress handler that looks for signals, so that Ctrl-C ends a statement.
#[derive(Debug, Attachment)]
pub(crate) struct Signals(pub(crate) ());

#[callbacks(unsafe)]
impl Signals {
    #[callback(unsafe extern "C" fn(*mut c_void) -> c_int, args = (data), on_error = 1)]
    pub(crate) fn step(&self) -> Result<bool> {
        check_signals().map(|()| false)
    }
}

/// A progress handler written in Python.
#[derive(Debug, Attachment)]
pub(crate) struct ProgressHandler(pub(crate) Callable);

#[callbacks(unsafe)]
impl ProgressHandler {
    #[callback(unsafe extern "C" fn(*mut c_void) -> c_int, args = (data), on_error = 1, exclusive)]
    pub(crate) fn step(&self) -> Result<bool> {
        check_signals()?;
        self.0.call_truthy(())
    }
}
