//! Handles that only the thread that made them may release. What is dropped elsewhere waits here for its thread: that
//! releases it at its next call, or when it ends.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::resource::Resource;
use crate::attachments::with_python;
use crate::forks::Lock;

/// What waits for each thread; a thread that has ended is not in it.
static THREADS: Mutex<BTreeMap<u64, Vec<Resource>>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(threads())) }
/// How many resources wait, for all threads.
static WAITING: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicU64 = AtomicU64::new(1);

fn threads() -> MutexGuard<'static, BTreeMap<u64, Vec<Resource>>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that has made such a handle; dropped when it ends.
struct Thread(u64);

thread_local! {
    /// This thread's number, once it has made such a handle; else 0.
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    static THREAD: Thread = {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        threads().insert(number, Vec::new());
        NUMBER.set(number);
        Thread(number)
    };
}

impl Drop for Thread {
    fn drop(&mut self) {
        let waiting = threads().remove(&self.0).unwrap_or_default();
        WAITING.fetch_sub(waiting.len(), Ordering::Relaxed);
        if !waiting.is_empty() {
            with_python(|| release_all(waiting));
        }
    }
}

/// This thread's number, which no other one ever has: for who makes such a handle.
pub(super) fn number() -> u64 {
    THREAD
        .try_with(|thread| thread.0)
        .unwrap_or_else(|_| NUMBER.get())
}

/// This thread's number, 0 if it never made such a handle.
pub(super) fn current() -> u64 {
    NUMBER.get()
}

/// Leave `resource` to its thread; it comes back if that has ended.
pub(super) fn send(thread: u64, resource: Resource) -> Result<(), Resource> {
    match threads().get_mut(&thread) {
        Some(waiting) => {
            waiting.push(resource);
            WAITING.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        None => Err(resource),
    }
}

/// Release what waits for this thread.
#[inline]
pub(super) fn receive() {
    if WAITING.load(Ordering::Relaxed) != 0 {
        receive_waiting();
    }
}

#[cold]
fn receive_waiting() {
    let waiting = threads().get_mut(&current()).map(std::mem::take);
    let waiting = waiting.unwrap_or_default();
    WAITING.fetch_sub(waiting.len(), Ordering::Relaxed);
    release_all(waiting);
}

fn release_all(resources: Vec<Resource>) {
    for resource in resources {
        // What C keeps now is lost, and reported.
        drop(resource.release_for_others());
    }
}
