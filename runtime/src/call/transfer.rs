//! The handles that C is given by a call: `Owned<T>` and `Option<Owned<T>>` parameters.

use crate::children::{self, Id};
use crate::handle::{Handle, Keeper, Transfer, TransferredData};
use crate::outcome::Outcome;
use crate::tree;

/// Returns the handle in `place`, which C gets and may keep.
///
/// # Safety
///
/// The result is not used once the handle was taken out of `place`.
#[inline]
pub unsafe fn handle_in<'a, T: Handle>(place: &mut Option<Transfer<'_, T>>) -> &'a T {
    match place {
        // SAFETY: guarantee 7: what is in the place owns a valid handle. the caller's promise: the result is not used
        // once that has gone.
        Some(handle) => unsafe { T::from_raw(handle.raw()) },
        None => unreachable!("it is there until C was called"),
    }
}

/// Returns the handle for an expression of the author's: for no longer than `here`, which is on the stack of the
/// method.
#[inline]
pub fn limit_to<'a, T>(here: &'a (), handle: &'a T) -> &'a T {
    let () = here;
    handle
}

/// Looks once more at a handle that C is about to get: the author's code ran since the call began. Releases the
/// unlinked parts of a tree, which C would not release with the owner.
///
/// # Panics
///
/// If others live in it, or C got something to keep in it.
#[inline]
pub fn check_unchanged(given: Id) {
    if given.kind().has_relatives()
        && let Err(error) = children::check_unchanged(given)
    {
        panic!("{error}");
    }
    if given.kind().owns_tree() {
        // SAFETY: guarantee 26: the call has the only owner, and uses it exclusively.
        unsafe { tree::release_before_end(given) };
    }
}

/// The place of a handle that C was called with, and may have taken over.
#[derive(Debug)]
pub struct TransferSlot<'g, 'p, T: Handle>(&'g mut Option<Transfer<'p, T>>);

impl<'g, 'p, T: Handle> TransferSlot<'g, 'p, T> {
    /// Returns the place, after the call.
    ///
    /// # Safety
    ///
    /// C got the handle by the call that has ended, and has it from then on, unless `commit_transfer` is told that the
    /// call left the handle.
    #[inline]
    pub unsafe fn after_call(place: &'g mut Option<Transfer<'p, T>>) -> Self {
        TransferSlot(place)
    }
}

/// Takes the handle out of `place` if C has it now, in `keeper`; `left` says that a failing call leaves the handle. If
/// it is unknown whether C has the handle, the handle is leaked and reported. Dropping the result drops the values of
/// the handle.
#[inline]
pub fn commit_transfer<T: Handle>(
    TransferSlot(place): TransferSlot<'_, '_, T>,
    outcome: Outcome,
    left: bool,
    keeper: Keeper<'_>,
) -> TransferredData {
    match outcome.takes(left) {
        Some(false) => TransferredData::nothing(),
        Some(true) => match place.take() {
            None => TransferredData::nothing(),
            Some(handle) => handle.commit(keeper),
        },
        None => {
            place.take().into_iter().for_each(Transfer::leak);
            TransferredData::nothing()
        }
    }
}
