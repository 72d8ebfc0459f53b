//! The idle handles in the side data of their parent: see [`reuse`](crate::reuse).

use std::mem;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::fork::forks;
use crate::handle::kind::HandleKind;
use crate::interpreter::report;

/// The idle handles in the side data of one parent.
#[derive(Default)]
pub(crate) struct IdleList(Mutex<Vec<IdleHandle>>);

impl IdleList {
    /// Returns the list; `None` while another thread has it, or had it when it forked: then there is no idle handle.
    pub(crate) fn lock(&self) -> Option<MutexGuard<'_, Vec<IdleHandle>>> {
        match self.0.try_lock() {
            Ok(all) => Some(all),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Adds an idle handle. Returns one that has to be dropped: the oldest one of its kind, if there are more than
    /// `at_most`, or the handle itself.
    pub(crate) fn add(&self, idle: IdleHandle, at_most: usize) -> Option<IdleHandle> {
        let Some(mut all) = self.lock() else {
            return Some(idle);
        };
        if at_most == 0 || all.try_reserve(1).is_err() {
            return Some(idle);
        }
        let kind = idle.kind;
        let is_same = |one: &IdleHandle| ptr::eq(one.kind, kind);
        let is_full = all.iter().filter(|one| is_same(one)).count() >= at_most;
        let oldest = is_full.then(|| all.iter().position(is_same)).flatten();
        let oldest = oldest.map(|index| all.remove(index));
        all.push(idle);
        oldest
    }

    /// Takes all idle handles out, to release them. The parent is about to go.
    pub(crate) fn take_all(&self) -> Vec<IdleHandle> {
        self.lock()
            .map_or_else(Vec::new, |mut all| mem::take(&mut all))
    }
}

/// The owner of an idle handle. The drop releases the handle.
pub(crate) struct IdleHandle {
    pub(crate) kind: &'static HandleKind,
    raw: NonNull<()>,
    pub(crate) key: Box<[u8]>,
    /// The number of forks before.
    pub(crate) forks: u32,
}

// SAFETY: the caller's promise, given to `new`: any thread may use and release the handle.
unsafe impl Send for IdleHandle {}

impl IdleHandle {
    /// Takes over the handle at `raw`.
    ///
    /// # Safety
    ///
    /// `raw` is a handle of this kind that nothing else releases, and that any thread may use and release.
    pub(crate) unsafe fn new(kind: &'static HandleKind, raw: NonNull<()>, key: Box<[u8]>) -> Self {
        kind.set_idle(true);
        IdleHandle {
            kind,
            raw,
            key,
            forks: forks(),
        }
    }

    /// Gives the handle to another owner.
    pub(crate) fn leave(self) -> NonNull<()> {
        let raw = self.raw;
        self.kind.set_idle(false);
        drop(mem::take(&mut { mem::ManuallyDrop::new(self) }.key));
        raw
    }
}

impl Drop for IdleHandle {
    fn drop(&mut self) {
        self.kind.set_idle(false);
        // SAFETY: guarantee 2: `new` made this the only owner.
        if let Err(unreleased) = unsafe { self.kind.release_once(self.raw.as_ptr()) } {
            report(unreleased.error);
        }
    }
}

/// Returns a copy of the key; `None` without memory for it.
pub(crate) fn copy_of_key(key: &[u8]) -> Option<Box<[u8]>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(key.len()).ok()?;
    copy.extend_from_slice(key);
    Some(copy.into_boxed_slice())
}
