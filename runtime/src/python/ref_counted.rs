//! Cores: the state that all Python handles of one reference-counted object share.
//!
//! Each handle owns one reference and ends by itself. All of them use the same object, so their borrows are counted in
//! one place: the object's *core*, a state without a native resource, which is the parent of all its handles. So every
//! rule for children and parents holds. For example, a handle that is dropped while another thread borrows the object
//! exclusively is released when that borrow ends.
//!
//! Objects that can contain each other are borrowed as one. The cores of a group (`borrowed_with`) have the group's
//! core as their parent, and the group's core counts all borrows.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::handle_class::HandleClass;
use super::state::{HandleState, Special};
use crate::fork::{Lock, forks};
use crate::handle::kind::HandleKind;

struct CoreEntry {
    core: Py<HandleClass>,
    handles: usize,
}

/// The cores of all objects that have handles, by the object's address. Locked for a few instructions.
static CORES: Mutex<BTreeMap<usize, CoreEntry>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(cores())) }

fn cores() -> MutexGuard<'static, BTreeMap<usize, CoreEntry>> {
    CORES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the core of the object at `raw`, and counts one more handle of the object. [`remove_handle`] ends that.
pub(super) fn join(
    py: Python<'_>,
    kind: &'static HandleKind,
    raw: *mut (),
) -> PyResult<Py<HandleClass>> {
    if let Some(core) = join_present(py, raw) {
        return Ok(core);
    }
    // Not under the lock: making an object may run anything.
    let group = kind
        .group()
        .map(|group| group_core(py, group))
        .transpose()?;
    let mut fresh = Some(Py::new(py, HandleClass::core(py, kind, group)?)?);
    let mut cores = cores();
    let entry = cores.entry(raw.addr()).or_insert_with(|| CoreEntry {
        core: fresh.take().unwrap_or_else(|| unreachable!("taken once")),
        handles: 0,
    });
    entry.handles += 1;
    Ok(entry.core.clone_ref(py))
}

/// The cores of groups, by the address of the kind that names the group and by the fork count of the process. A core is
/// never removed. Locked for a few instructions.
static GROUPS: Mutex<BTreeMap<(usize, u32), Py<HandleClass>>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(groups())) }

fn groups() -> MutexGuard<'static, BTreeMap<(usize, u32), Py<HandleClass>>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the core of the group that `kind` names.
fn group_core(py: Python<'_>, kind: &'static HandleKind) -> PyResult<Py<HandleClass>> {
    // In a forked child, calls of the parent process may seem to use the core for ever.
    let key = (std::ptr::from_ref(kind).addr(), forks());
    if let Some(core) = groups().get(&key) {
        return Ok(core.clone_ref(py));
    }
    // Not under the lock: making an object may run anything.
    let fresh = Py::new(py, HandleClass::core(py, kind, None)?)?;
    Ok(groups().entry(key).or_insert(fresh).clone_ref(py))
}

fn join_present(py: Python<'_>, raw: *mut ()) -> Option<Py<HandleClass>> {
    let mut cores = cores();
    let entry = cores.get_mut(&raw.addr())?;
    entry.handles += 1;
    Some(entry.core.clone_ref(py))
}

/// Counts one handle less of the object at `raw`. The last one removes the object's core.
pub(super) fn remove_handle(raw: *mut ()) {
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
    fn core(
        py: Python<'_>,
        kind: &'static HandleKind,
        group: Option<Py<HandleClass>>,
    ) -> PyResult<Self> {
        let special = Special::of(kind, Vec::new(), None);
        let state = HandleState::resource_at(py, kind, std::ptr::null_mut(), group, special)?;
        Ok(HandleClass::new(state))
    }
}
