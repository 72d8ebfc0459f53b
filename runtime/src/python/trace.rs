//! Tracing of live handles: their age, and the Python code that made them.
//!
//! Tracing is off by default, because recording a stack takes microseconds. `LEAKPROOF_TRACE=1` switches it on from the
//! start; `trace(True)` of the module's `__leakproof__` switches it on at run time. With the variable or `-X dev`,
//! handles that still live after the interpreter has ended are reported on stderr.

use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::intern;
use pyo3::prelude::*;

use crate::fork::Lock;
use crate::handle::kind::{HandleKind, live_handles};
use crate::interpreter::{ReentrancyGuard, known_to_pyo3};

static ON: AtomicBool = AtomicBool::new(false);
static NEXT: AtomicU64 = AtomicU64::new(1);
static LIVE: Mutex<BTreeMap<NonZeroU64, Trace>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(live())) }

struct Trace {
    kind: &'static HandleKind,
    made: Instant,
    stack: String,
}

/// The key of a traced handle.
#[derive(Clone, Copy)]
pub(super) struct Traced(NonZeroU64);

impl Traced {
    /// Removes the entry of a handle that was released.
    pub(super) fn end(self) {
        live().remove(&self.0);
    }
}

fn live() -> MutexGuard<'static, BTreeMap<NonZeroU64, Trace>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records the stack of a handle that is being made, if tracing is on. A view is not recorded.
#[inline]
pub(super) fn trace(py: Python<'_>, kind: &'static HandleKind) -> Option<Traced> {
    if kind.is_view() || !ON.load(Ordering::Relaxed) {
        None
    } else {
        remember(py, kind)
    }
}

fn remember(py: Python<'_>, kind: &'static HandleKind) -> Option<Traced> {
    // The error may be that there is no memory to show it in.
    // A method with a direct entry holds its borrows meanwhile, and PyO3 does not know that the thread is attached.
    let _python = ReentrancyGuard::begin();
    let stack =
        known_to_pyo3(py, stack).unwrap_or_else(|_| "  (the stack could not be read)\n".into());
    let id = NonZeroU64::new(NEXT.fetch_add(1, Ordering::Relaxed))?;
    live().insert(
        id,
        Trace {
            kind,
            made: Instant::now(),
            stack,
        },
    );
    Some(Traced(id))
}

/// Formats the Python stack as a traceback does, outermost call first, but without source lines: reading these would
/// take longer than all the rest.
fn stack(py: Python<'_>) -> PyResult<String> {
    const DEEPEST: usize = 64;
    let mut calls = Vec::new();
    let sys = py.import(intern!(py, "sys"))?;
    let mut frame = sys.call_method0(intern!(py, "_getframe"))?;
    while !frame.is_none() && calls.len() < DEEPEST {
        let code = frame.getattr(intern!(py, "f_code"))?;
        let file: String = code.getattr(intern!(py, "co_filename"))?.extract()?;
        let function: String = code.getattr(intern!(py, "co_name"))?.extract()?;
        let line: u64 = frame.getattr(intern!(py, "f_lineno"))?.extract()?;
        calls.push(format!("  File \"{file}\", line {line}, in {function}\n"));
        frame = frame.getattr(intern!(py, "f_back"))?;
    }
    calls.reverse();
    Ok(calls.concat())
}

pub(super) fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

pub(super) fn switch(on: bool) {
    ON.store(on, Ordering::Relaxed);
}

/// Returns the type, the age in seconds and the stack of each traced live handle, oldest first.
pub(super) fn report() -> Vec<(&'static str, f64, String)> {
    let entry = |trace: &Trace| {
        (
            trace.kind.name(),
            trace.made.elapsed().as_secs_f64(),
            trace.stack.clone(),
        )
    };
    live().values().map(entry).collect()
}

/// Reads the tracing switches of the process. Called while the module is initialized.
pub(super) fn start(py: Python<'_>) -> PyResult<()> {
    let wanted =
        std::env::var_os("LEAKPROOF_TRACE").is_some_and(|value| !value.is_empty() && value != "0");
    let flags = py.import("sys")?.getattr("flags")?;
    if wanted {
        switch(true);
    }
    if wanted || flags.getattr("dev_mode")?.extract()? {
        // SAFETY: CPython: the interpreter runs; what is registered is called once, when it has ended, and uses no
        // Python.
        unsafe { pyo3::ffi::Py_AtExit(Some(report_at_exit)) };
    }
    Ok(())
}

extern "C" fn report_at_exit() {
    let left: Vec<String> = live_handles()
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    if left.is_empty() {
        return;
    }
    let package = super::package::package_name();
    let _ = writeln!(
        std::io::stderr(),
        "leakproof: {package}: still alive at exit: {} (see `python -m pydoc {package}.__leakproof__`)",
        left.join(", ")
    );
    for trace in live().values() {
        let _ = write!(
            std::io::stderr(),
            "leakproof: a {} was made here:\n{}",
            trace.kind.name(),
            trace.stack
        );
    }
}
