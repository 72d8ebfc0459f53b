//! What all Python handles of one reference-counted object share.
//!
//! Each handle owns one reference and ends by itself. The object is used by all of them, so their uses are counted in
//! one place: the object's *core*, a header without a resource, which all of its handles have as their parent. That
//! makes every rule for children and parents hold: a handle whose object another thread uses alone is released when
//! that use ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::handle::HandleClass;
use super::header::Header;
use crate::forks::Lock;
use crate::ledger::Kind;

struct Entry {
    core: Py<HandleClass>,
    handles: usize,
}

/// The cores of all objects that have handles, by the object's address. Locked for a few instructions.
static CORES: Mutex<BTreeMap<usize, Entry>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(cores())) }

fn cores() -> MutexGuard<'static, BTreeMap<usize, Entry>> {
    CORES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The core of the object at `raw`, for one handle more; [`leave`] ends that.
pub(super) fn join(py: Python<'_>, kind: &'static Kind, raw: *mut ()) -> PyResult<Py<HandleClass>> {
    if let Some(core) = join_present(py, raw) {
        return Ok(core);
    }
    // Not under the lock: making an object may run anything.
    let mut fresh = Some(Py::new(py, HandleClass::core(kind))?);
    let mut cores = cores();
    let entry = cores.entry(raw.addr()).or_insert_with(|| Entry {
        core: fresh.take().unwrap_or_else(|| unreachable!("taken once")),
        handles: 0,
    });
    entry.handles += 1;
    Ok(entry.core.clone_ref(py))
}

fn join_present(py: Python<'_>, raw: *mut ()) -> Option<Py<HandleClass>> {
    let mut cores = cores();
    let entry = cores.get_mut(&raw.addr())?;
    entry.handles += 1;
    Some(entry.core.clone_ref(py))
}

/// One of the object's handles gives its reference back.
pub(super) fn leave(raw: *mut ()) {
    let mut cores = cores();
    let Some(entry) = cores.get_mut(&raw.addr()) else {
        return;
    };
    entry.handles -= 1;
    if entry.handles == 0 {
        let entry = cores.remove(&raw.addr());
        // The object may be freed by this.
        drop(cores);
        drop(entry);
    }
}

impl HandleClass {
    fn core(kind: &'static Kind) -> Self {
        HandleClass::new(Header::new(kind, std::ptr::null_mut(), None, None))
    }
}
