//! Handles that running calls use exclusively.
//!
//! C may pass such a handle to a callback, or lead the callback to it in another way, on this thread or on one of C's
//! own. The callback cannot use the handle, not even by `&`: the `&mut` of the call says that nothing else uses the
//! handle meanwhile, and C may be in the middle of changing it. Such a handle is therefore refused as an argument of a
//! callback, and each call on it within a callback is refused. Handles are compared by their addresses, because one C
//! object may have several types.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::children::{self, Id};
use crate::error::{Error, Result};
use crate::fork::{InChild, Lock, watch_forks};
use crate::handle::{Borrowed, Handle, Owned, Resource};

/// A handle that a call uses exclusively.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Used(Option<Id>);

impl Used {
    /// Returns the use of `handle`.
    #[inline]
    pub fn of<T: Handle>(handle: &T) -> Self {
        Used(Some(Id::of(handle)))
    }

    /// Returns the use of `handle`, if there is one.
    #[inline]
    pub fn of_option<T: Handle>(handle: Option<&T>) -> Self {
        Used(handle.map(Id::of))
    }

    /// Returns the use of a handle by its release.
    #[inline]
    pub(crate) fn released(id: Id) -> Self {
        Used(Some(id))
    }
}

/// A handle that is in use, and its user: a thread at a depth of nested callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct InUse {
    id: Id,
    by: Depth,
}

/// A depth of nested callbacks on a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Depth {
    /// The number of the thread: [`this_thread`].
    thread: usize,
    callbacks: u32,
}

/// Returns a number that is unique to this thread among the running threads.
pub(crate) fn this_thread() -> usize {
    INSIDE.with(|inside| ptr::from_ref(inside).addr())
}

impl Depth {
    fn here() -> Self {
        Depth {
            thread: this_thread(),
            callbacks: INSIDE.get(),
        }
    }

    /// Returns whether `other` is at a greater depth, or on another thread.
    fn is_left_by(self, other: Self) -> bool {
        self.thread != other.thread || self.callbacks < other.callbacks
    }
}

/// The handles that running calls of all threads use exclusively. Locked for a few instructions.
static USED: Mutex<Vec<InUse>> = Mutex::new(Vec::new());
/// The number of entries in [`USED`].
static COUNT: AtomicUsize = AtomicUsize::new(0);

inventory::submit! { Lock(|| Box::new(all_used())) }
inventory::submit! { InChild(forget_other_threads) }

/// Removes the calls of threads that a forked child does not have.
fn forget_other_threads() {
    let mut all = all_used();
    all.retain(|used| used.by.thread == this_thread());
    COUNT.store(all.len(), Ordering::Release);
}

fn all_used() -> MutexGuard<'static, Vec<InUse>> {
    USED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Handles that are used exclusively until this value is dropped.
#[doc(hidden)]
#[derive(Debug)]
pub struct Noted<'u> {
    used: &'u [Used],
    /// The parents that are used exclusively together with the handles.
    parents: Vec<Id>,
    by: Depth,
}

impl<'u> Noted<'u> {
    /// Records the handles, and the parents that they use exclusively.
    pub fn begin(used: &'u [Used]) -> Self {
        let ids = used.iter().filter_map(|used| used.0);
        let parents = ids.flat_map(children::exclusive_parents).collect();
        let by = Depth::here();
        let noted = Noted { used, parents, by };
        watch_forks();
        let mut all = all_used();
        all.extend(noted.all());
        COUNT.store(all.len(), Ordering::Release);
        drop(all);
        noted
    }

    fn all(&self) -> impl Iterator<Item = InUse> {
        let ids = self.used.iter().filter_map(|used| used.0);
        let ids = ids.chain(self.parents.iter().copied());
        ids.map(|id| InUse { id, by: self.by })
    }
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        let mut all = all_used();
        for used in self.all() {
            if let Some(index) = all.iter().rposition(|other| *other == used) {
                all.swap_remove(index);
            }
        }
        COUNT.store(all.len(), Ordering::Release);
    }
}

/// Calls C, which may call back, while `used` are used exclusively.
#[inline]
pub(crate) fn during<R>(used: &[Used], c: impl FnOnce() -> R) -> R {
    let _noted = (!used.is_empty()).then(|| Noted::begin(used));
    c()
}

thread_local! {
    /// The number of nested callbacks that this thread runs.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// A stretch in which this thread runs a callback.
pub(crate) struct Inside(());

impl Inside {
    pub(crate) fn begin() -> Self {
        INSIDE.set(INSIDE.get() + 1);
        Inside(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(INSIDE.get() - 1);
    }
}

/// Returns whether this thread runs a callback while some call uses handles exclusively. Then [`is_used`] has to check
/// the handle.
#[inline]
pub(crate) fn may_be_used() -> bool {
    COUNT.load(Ordering::Acquire) != 0 && INSIDE.get() != 0
}

/// Returns whether the handle is used exclusively by a call that this callback runs in, by a callback around that call,
/// or by another thread. Handles are compared by their addresses. A handle that C lends to callbacks alone is also
/// compared by its kind, because a record may be the first field of another handle and have the same address.
pub(crate) fn is_used<T: Handle>(handle: &T) -> bool {
    let (id, here) = (Id::of(handle), Depth::here());
    let is_it = |other: &Id| {
        let same_kind = ptr::eq(id.kind(), other.kind());
        id.address() == other.address()
            && (same_kind || !id.kind().is_callback_only() && !other.kind().is_callback_only())
    };
    let all = all_used();
    all.iter()
        .any(|used| is_it(&used.id) && used.by.is_left_by(here))
}

/// A type of callback parameters that hold handles.
#[doc(hidden)]
pub trait Handles {
    /// Returns the name of a handle that a running call uses exclusively.
    fn in_use(&self) -> Option<&'static str>;
}

impl<T: Handle> Handles for Borrowed<'_, T> {
    fn in_use(&self) -> Option<&'static str> {
        (may_be_used() && is_used::<T>(self)).then_some(T::NAME)
    }
}

impl<T: Resource> Handles for Owned<'_, T> {
    fn in_use(&self) -> Option<&'static str> {
        const {
            assert!(
                T::SPEC.up.is_none(),
                "a callback cannot take a handle that lives in a parent: nobody would know in which one, so which has to \
                 outlive it. Let it take a reference, and make the handle by a method of its parent"
            );
        }
        None
    }
}

impl<H: Handles> Handles for Option<H> {
    fn in_use(&self) -> Option<&'static str> {
        self.as_ref().and_then(H::in_use)
    }
}

impl<H: Handles> Handles for Vec<H> {
    fn in_use(&self) -> Option<&'static str> {
        self.iter().find_map(H::in_use)
    }
}

/// An argument that C passed to a callback, before the callback sees it.
#[doc(hidden)]
pub struct Passed<'a, T>(pub &'a T);

impl<T: Handles> Passed<'_, T> {
    /// Refuses handles that a running call uses exclusively. An argument without handles has [`HoldsNone::check`].
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] for such a handle.
    pub fn check(self) -> Result<()> {
        match self.0.in_use() {
            None => Ok(()),
            Some(name) => Err(Error::Busy(name)),
        }
    }
}

/// The check of arguments that hold no handles.
#[doc(hidden)]
pub trait HoldsNone: Sized {
    /// Refuses nothing.
    ///
    /// # Errors
    ///
    /// None.
    fn check(self) -> Result<()> {
        Ok(())
    }
}

impl<T> HoldsNone for Passed<'_, T> {}
