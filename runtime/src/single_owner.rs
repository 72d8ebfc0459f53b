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

use crate::error::Error;
use crate::failpoint::CallSite;
use crate::fork::Lock;

const NOTES: bool = cfg!(any(debug_assertions, feature = "fault-injection"));

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

/// The type of a handle in the result of a call that has another owner. The result is then released.
#[derive(Debug)]
pub(crate) struct OwnedTwice(&'static str);

impl OwnedTwice {
    /// Returns the error of the call at `site`.
    #[cold]
    pub(crate) fn error(self, site: &'static CallSite) -> Error {
        Error::OwnedTwice(self.0, site.method, site.function)
    }
}

/// Runs `own`, which gives C's results to their owners.
///
/// # Errors
///
/// [`OwnedTwice`] if a handle in the result has another owner.
#[inline(always)]
pub(crate) fn check<R>(own: impl FnOnce() -> Option<R>) -> Result<Option<R>, OwnedTwice> {
    if !NOTES {
        return Ok(own());
    }
    REFUSED.set(None);
    let owned = own();
    match REFUSED.take() {
        None => Ok(owned),
        Some(name) => Err(OwnedTwice(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::{NOTES, check, disown, own};
    use crate::error::Error;
    use crate::failpoint::CallSite;

    static SITE: CallSite = CallSite::new("Thing.make", "thing_new");

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
    fn second_owner_is_an_error_of_its_call_alone() {
        let handle = (3, 16);
        let make = || own("Thing", handle).then_some(());
        assert!(matches!(check(make), Ok(Some(()))));
        if NOTES {
            let twice = check(make).unwrap_err();
            assert!(matches!(
                twice.error(&SITE),
                Error::OwnedTwice("Thing", "Thing.make", "thing_new")
            ));
        }
        assert!(matches!(check(|| Some(())), Ok(Some(()))));
    }
}
