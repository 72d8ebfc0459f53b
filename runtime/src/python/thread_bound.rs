//! Thread-bound handles: only the thread that made a handle may release it. If another thread drops the handle, the
//! release is deferred to the handle's thread, which runs it at its next call or when it ends. A thread that ends
//! closes its remaining handles, because no other thread could do so later.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::handle_class::HandleClass;
use super::pending_release::PendingRelease;
use super::state::ResourceState;
use crate::fork::{Lock, add_waiting_release, is_release_waiting, remove_waiting_releases};
use crate::interpreter::attach_if_running;

/// The handles and deferred releases of one thread.
#[derive(Default)]
struct Handles {
    /// Releases that were deferred to this thread.
    waiting: Vec<PendingRelease>,
    /// Weak references to the Python objects, by the addresses of their states.
    objects: BTreeMap<usize, Py<PyWeakrefReference>>,
}

/// The handles of each registered thread. A thread that has ended is not in the table.
static THREADS: Mutex<BTreeMap<u64, Handles>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(threads())) }
static NEXT: AtomicU64 = AtomicU64::new(1);

fn threads() -> MutexGuard<'static, BTreeMap<u64, Handles>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The registration of a thread that has made a thread-bound handle or deferred a release to itself. Dropped when the
/// thread ends.
struct Thread(u64);

thread_local! {
    /// This thread's number; 0 until the thread is registered.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    static THREAD: Thread = {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        threads().insert(number, Handles::default());
        NUMBER.set(number);
        Thread(number)
    };
}

impl Drop for Thread {
    fn drop(&mut self) {
        close_all(self.0);
        let waiting = threads().remove(&self.0).unwrap_or_default().waiting;
        remove_waiting_releases(waiting.len());
        if !waiting.is_empty() {
            attach_if_running(|| release_all(waiting));
        }
    }
}

/// Returns this thread's number, which no other thread ever has. Registers the thread.
pub(super) fn number() -> u64 {
    THREAD
        .try_with(|thread| thread.0)
        .unwrap_or_else(|_| NUMBER.get())
}

/// Returns this thread's number; 0 if the thread is not registered.
pub(super) fn current() -> u64 {
    NUMBER.get()
}

/// Defers the release of `resource` to `thread`. Returns the resource if that thread has ended.
pub(super) fn defer_to(thread: u64, resource: PendingRelease) -> Result<(), PendingRelease> {
    match threads().get_mut(&thread) {
        Some(handles) => {
            handles.waiting.push(resource);
            add_waiting_release();
            Ok(())
        }
        None => Err(resource),
    }
}

/// Runs the releases that were deferred to this thread.
#[inline]
pub(super) fn run_deferred() {
    if is_release_waiting() {
        run_all_deferred();
    }
}

#[cold]
fn run_all_deferred() {
    let mut all = threads();
    let waiting = all.get_mut(&current());
    let waiting = waiting.map(|handles| std::mem::take(&mut handles.waiting));
    drop(all);
    let waiting = waiting.unwrap_or_default();
    remove_waiting_releases(waiting.len());
    release_all(waiting);
}

fn release_all(resources: Vec<PendingRelease>) {
    for resource in resources {
        // What C keeps now is lost, and reported.
        drop(resource.release_for_others());
    }
}

/// Records the Python object of a handle of this thread.
pub(super) fn opened(state: &ResourceState, object: Py<PyWeakrefReference>) {
    if let Some(handles) = threads().get_mut(&current()) {
        handles.objects.insert(address(state), object);
    }
}

/// Removes the record of a handle of `thread`. The calling thread is attached to the interpreter.
pub(super) fn dropped(thread: u64, state: &ResourceState) {
    let mut all = threads();
    let object = all.get_mut(&thread);
    let object = object.and_then(|handles| handles.objects.remove(&address(state)));
    drop(all);
    drop(object);
}

fn address(state: &ResourceState) -> usize {
    std::ptr::from_ref(state).addr()
}

/// Closes the remaining handles of `thread`, which ends.
fn close_all(thread: u64) {
    let objects = |handles: &mut Handles| std::mem::take(&mut handles.objects);
    let objects = threads().get_mut(&thread).map(objects).unwrap_or_default();
    if objects.is_empty() {
        return;
    }
    let mut objects = Some(objects);
    Python::try_attach(|py| {
        for object in objects.take().into_iter().flatten() {
            let object = object.1.into_bound(py).upgrade();
            let Some(Ok(object)) = object.map(Bound::cast_into::<HandleClass>) else {
                continue;
            };
            if let Err(error) = object.get().state().close(py) {
                error.write_unraisable(py, None);
            }
        }
    });
    // Without an interpreter nobody can drop the references.
    std::mem::forget(objects);
}
