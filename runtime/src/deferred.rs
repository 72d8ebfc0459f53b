//! The list of deferred releases, and the threads that see to their own.
//!
//! A release of a handle that is bound to its thread runs at the next call of that thread, or when the thread ends. If
//! the thread has ended before, or something is still in the way then, the handle is leaked, and that is reported. Any
//! thread runs the other releases.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::error::{Error, Owner};
use crate::fork::{InChild, Lock};
use crate::handle::kind::Id;
use crate::interpreter::{attach_if_running, report};

/// A release that waits, and the thread that deferred it or that owns the handle.
pub(crate) type Waiting = (Id, ThreadId);

/// The releases that wait.
struct Deferred {
    releases: Vec<Waiting>,
    /// The threads that run, and that see to their releases when they end.
    threads: Vec<ThreadId>,
}

/// Locked for a few instructions.
static DEFERRED: Mutex<Deferred> = Mutex::new(Deferred {
    releases: Vec::new(),
    threads: Vec::new(),
});
/// The number of releases that wait.
static WAITING: AtomicUsize = AtomicUsize::new(0);

inventory::submit! { Lock(|| Box::new(deferred())) }
inventory::submit! { InChild(forget_other_threads) }

fn deferred() -> MutexGuard<'static, Deferred> {
    DEFERRED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Deferred {
    fn push(&mut self, release: Waiting) {
        self.releases.push(release);
        WAITING.store(self.releases.len(), Ordering::Release);
    }

    /// Takes all releases, or those of one thread.
    fn take(&mut self, thread: Option<ThreadId>) -> Vec<Waiting> {
        let is_wanted = |release: &mut Waiting| thread.is_none_or(|thread| thread == release.1);
        let taken = self.releases.extract_if(.., is_wanted).collect();
        WAITING.store(self.releases.len(), Ordering::Release);
        taken
    }
}

/// Forgets the threads that a forked child has not.
fn forget_other_threads() {
    let here = thread::current().id();
    deferred().threads.retain(|thread| *thread == here);
}

/// Sees to the releases of its thread when the thread ends.
struct AtThreadEnd(ThreadId);

thread_local! {
    static AT_THREAD_END: AtThreadEnd = {
        let thread = thread::current().id();
        deferred().threads.push(thread);
        AtThreadEnd(thread)
    };
}

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        let mut list = deferred();
        // From now on nobody leaves it a release.
        list.threads.retain(|thread| *thread != self.0);
        let left = list.take(Some(self.0));
        drop(list);
        if !left.is_empty() {
            // Where a use is still in the way, the release is deferred once more: the handle is leaked (`defer`).
            attach_if_running(|| left.into_iter().for_each(|(id, _)| release(id)));
        }
    }
}

/// Returns this thread. From now on it sees to the releases that are left to it, until it ends.
pub(crate) fn owner_thread() -> ThreadId {
    // A thread that drops its variables sees to none any more.
    let owner = AT_THREAD_END.try_with(|end| end.0);
    owner.unwrap_or_else(|_| thread::current().id())
}

/// Defers a release of this thread.
pub(crate) fn defer(id: Id) {
    match id.kind().is_thread_bound() {
        true => defer_to(owner_thread(), id),
        false => deferred().push((id, thread::current().id())),
    }
}

/// Defers a release that another thread has deferred before.
pub(crate) fn defer_again((id, thread): Waiting) {
    match id.kind().is_thread_bound() {
        true => defer_to(thread, id),
        false => deferred().push((id, thread)),
    }
}

/// Leaves the release to the thread that the handle is bound to. If the thread has ended, the handle is leaked, and
/// that is reported.
pub(crate) fn defer_to(thread: ThreadId, id: Id) {
    let mut list = deferred();
    match list.threads.contains(&thread) {
        true => list.push((id, thread)),
        false => {
            drop(list);
            report(Error::Owner(id.kind().name(), Owner::EndedThread));
        }
    }
}

/// Takes a release out of the list that was just put there. Returns false if another thread has taken it.
pub(crate) fn take_back(id: Id) -> bool {
    let mut list = deferred();
    let index = list.releases.iter().position(|release| release.0 == id);
    let taken = index.map(|index| list.releases.remove(index));
    WAITING.store(list.releases.len(), Ordering::Release);
    taken.is_some()
}

/// Returns whether releases wait.
#[inline]
pub(crate) fn is_any_waiting() -> bool {
    WAITING.load(Ordering::Acquire) != 0
}

/// Takes all releases that wait.
pub(crate) fn take_all() -> Vec<Waiting> {
    deferred().take(None)
}

/// Releases a handle that the list gave out.
pub(crate) fn release(id: Id) {
    // SAFETY: guarantee 2: who had the handle left its only release to this list (`defer`, `defer_to`), which gives it
    // out once. Where a use is still in the way it comes back to the list.
    if let Err(unreleased) = unsafe { id.kind().release_once(id.raw()) } {
        report(unreleased.error);
    }
}
