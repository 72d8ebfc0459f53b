//! Check for double ownership, in debug builds and with the feature `fault-injection`. Two owners of one native handle
//! are a mistake in an annotation, and would release the handle twice.
//!
//! A handle that C returns as `Owned` while another owner has the same pointer gets no second owner. The call fails
//! with [`Error::OwnedTwice`], which names the C function, before anything is released twice. An owner is removed
//! before C's release function runs and before C may take the handle over, because C may give the address to another
//! handle from then on. Reference-counted handles are not recorded: each of their owners has the same pointer.
//!
//! A release build for users records nothing.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fork::Lock;

/// Whether calls are checked against their annotations.
pub(crate) const NOTES: bool = cfg!(any(debug_assertions, feature = "fault-injection"));

/// The owned handles, by kind and address. Locked for a few instructions.
static OWNED: Mutex<BTreeSet<(usize, usize)>> = Mutex::new(BTreeSet::new());

inventory::submit! { Lock(|| Box::new(owned())) }

fn owned() -> MutexGuard<'static, BTreeSet<(usize, usize)>> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// The type of a handle that the running call of this thread got although the handle has another owner.
    static REFUSED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Records that the handle of a type called `name` has an owner. Returns false if the handle has one already.
#[inline]
pub(crate) fn own(name: &'static str, handle: (usize, usize)) -> bool {
    let is_first = !NOTES || owned().insert(handle);
    if !is_first {
        REFUSED.set(Some(name));
    }
    is_first
}

/// Records that the handle has an owner again: C did not release it, or did not take it over.
#[inline]
pub(crate) fn own_again(handle: (usize, usize)) {
    if NOTES {
        owned().insert(handle);
    }
}

/// Records that the handle has no owner any more.
#[inline]
pub(crate) fn disown(handle: (usize, usize)) {
    if NOTES {
        owned().remove(&handle);
    }
}

/// Forgets what an earlier call of this thread got.
#[inline]
pub(crate) fn begin() {
    REFUSED.set(None);
}

/// Returns the type of a handle that the call of this thread got since [`begin`], and that has another owner.
#[inline]
pub(crate) fn refused() -> Option<&'static str> {
    REFUSED.take()
}

#[cfg(test)]
mod tests {
    use super::{NOTES, begin, disown, own, refused};

    #[test]
    fn handle_has_one_owner_at_a_time() {
        let (kind, other) = (1, 2);
        assert!(own("Thing", (kind, 16)));
        assert!(own("Other", (other, 16)));
        assert_eq!(own("Thing", (kind, 16)), !NOTES);
        disown((kind, 16));
        assert!(own("Thing", (kind, 16)));
    }

    #[test]
    fn second_owner_is_refused_until_the_next_call() {
        let handle = (3, 16);
        begin();
        assert!(own("Thing", handle));
        assert_eq!(refused(), None);
        assert_eq!(own("Thing", handle), !NOTES);
        begin();
        assert_eq!(refused(), None);
        own("Thing", handle);
        assert_eq!(refused(), NOTES.then_some("Thing"));
    }
}
