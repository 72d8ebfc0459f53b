//! Handles that their parent keeps for reuse.
//!
//! An idle handle is an ordinary child of the parent, whose guard the parent's side data has. It is not counted by
//! `live_handles`: nobody holds it, and it goes with its parent.

use std::collections::BTreeMap;
use std::fmt;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::children::{self, Id};
use crate::error::Result;
use crate::fork::forks;
use crate::handle::kind::Listed;
use crate::handle::{HasAttachments, Owned, Resource};
use crate::idle::{IdleHandle, copy_of_key};
use crate::side_table::{self, SideData};

/// A handle that can be made as good as new, and then be used again: see [`IdleHandles`].
pub trait Reusable: Resource {
    /// The number of idle handles of this type that one parent keeps at most. The oldest one makes room for a new one.
    const AT_MOST: usize;

    /// Takes back everything that the last user set or registered: the next user must not see it.
    ///
    /// # Errors
    ///
    /// Any error: the handle is then released.
    fn reset(&mut self) -> Result<()>;
}

/// The idle handles of a parent, which are released with the parent at the latest, before it.
///
/// [`take`](IdleHandles::take) gives out an idle handle, which nobody else then has. Who took it gives it back by
/// [`keep`](IdleHandles::keep). A handle that is dropped instead, by `?` or a panic, is released: what failed is never
/// used again.
///
/// [`live_handles`](crate::live_handles) does not count idle handles. [`idle_handles`] does.
///
/// The parent has [`attachments`](crate::reference::handle#attachments).
///
/// ```
/// # use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// use leakproof::{IdleHandles, Reusable};
///
/// #[handle(raw = ffi::store, release = ffi::store_close, attachments)]
/// pub struct Store;
///
/// #[handle(raw = ffi::cursor, release = ffi::cursor_close, parent = Store)]
/// pub struct Cursor;
///
/// impl Reusable for Cursor {
///     const AT_MOST: usize = 4;
///
///     fn reset(&mut self) -> Result<()> {
///         self.rewind();
///         Ok(())
///     }
/// }
///
/// #[methods(unsafe, rust_only)]
/// impl Cursor {
///     #[calls(ffi::cursor_rewind)]
///     fn rewind(&mut self);
///
///     #[calls(ffi::cursor_next, args = (self, out), fails = negative)]
///     fn next(&mut self) -> Result<i32>;
/// }
///
/// #[methods(unsafe)]
/// impl Store {
///     #[rust_only]
///     #[calls(ffi::cursor_open, fails = null)]
///     fn new_cursor(&self) -> Result<Owned<Cursor>>;
///
///     /// Returns the first value.
///     fn first(&self) -> Result<i32> {
///         let idle = IdleHandles::of(self);
///         let mut cursor = match idle.take(b"") {
///             Some(cursor) => cursor,
///             None => self.new_cursor()?,
///         };
///         let first = cursor.next()?;
///         idle.keep(b"", cursor);
///         Ok(first)
///     }
/// }
/// # fn main() {}
/// ```
pub struct IdleHandles<'p, P: HasAttachments> {
    parent: &'p P,
    /// `None` for a parent that C owns: nobody knows when that ends, so it keeps nothing.
    side_data: Option<Arc<SideData>>,
}

impl<P: HasAttachments> fmt::Debug for IdleHandles<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdleHandles({})", P::NAME)
    }
}

impl<'p, P: HasAttachments> IdleHandles<'p, P> {
    /// Returns the idle handles that live in `parent`.
    pub fn of(parent: &'p P) -> Self {
        IdleHandles {
            parent,
            side_data: side_table::get(P::kind(), parent.as_raw().cast()),
        }
    }

    /// Takes the newest idle handle of this type that was kept under `key`.
    pub fn take<T: Reusable<Parent = P>>(&self, key: &[u8]) -> Option<Owned<'p, T>> {
        const { check::<T>() }
        let mut all = self.side_data.as_ref()?.idle.lock()?;
        let is_it = |one: &IdleHandle| ptr::eq(one.kind, T::kind()) && *one.key == *key;
        let index = all.iter().rposition(is_it)?;
        let taken = all.remove(index);
        drop(all);
        let is_ours = taken.forks == forks();
        // SAFETY: guarantee 2: the entry was the only owner, and was just taken out of the list; it is of `T`'s kind.
        // guarantee 21: the handle lives in the parent, which is borrowed for `'p`.
        let taken = unsafe { Owned::from_raw_again(taken.leave().cast()) };
        // What a forked child got from its parent process is left behind, as a guard does.
        is_ours.then_some(taken)
    }

    /// Resets the handle, and keeps it for the next [`take`](IdleHandles::take) with this `key`.
    ///
    /// The handle is released instead if it cannot be reset, if it keeps values or callbacks, if it was made in another
    /// parent, or if a handle that lives in it was forgotten.
    pub fn keep<T: Reusable<Parent = P>>(&self, key: &[u8], mut handle: Owned<'_, T>) {
        const { check::<T>() }
        let Some(side_data) = &self.side_data else {
            return;
        };
        // The next user would get the callbacks of the last one.
        let keeps_values = side_table::has_values(T::kind(), handle.as_raw().cast());
        if keeps_values
            || handle.reset().is_err()
            || !children::is_only_in(Id::of(&*handle), Id::of(self.parent))
        {
            return;
        }
        let Some(key) = copy_of_key(key) else {
            return;
        };
        // SAFETY: guarantee 2: `into_raw` takes the handle from its only owner. annotation `thread_bound`: `check`
        // refuses it.
        let idle = unsafe { IdleHandle::new(T::kind(), handle.into_raw().cast(), key) };
        let left = side_data.idle.add(idle, T::AT_MOST);
        drop(left);
    }
}

/// Refuses types of which an idle handle would hold more than its own memory.
const fn check<T: Reusable>() {
    assert!(
        !T::SPEC.is_thread_bound(),
        "a handle that is bound to a thread cannot be reused: another thread may take it"
    );
    let sharing = T::SPEC.sharing;
    assert!(
        !sharing.holds_parent && !sharing.mut_parent,
        "a handle that borrows its parent by `&mut` cannot be reused: it would do so while it is idle"
    );
    assert!(
        T::SPEC.extra_parents.is_empty(),
        "a handle with several parents cannot be reused: one of them keeps it, and the others may end"
    );
    assert!(
        !T::SPEC.owns_tree,
        "a handle that owns parts with `tree` cannot be reused, because the parts refer to their Python objects"
    );
}

/// The number of idle handles ([`IdleHandles`]) of every type that is linked in, by name.
pub fn idle_handles() -> BTreeMap<&'static str, isize> {
    let mut counts = BTreeMap::new();
    for Listed(kind) in inventory::iter::<Listed> {
        *counts.entry(kind.name()).or_insert(0) += kind.idle.load(Ordering::Relaxed);
    }
    counts
}
