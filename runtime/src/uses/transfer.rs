//! The uses of handles that are given to C.

use super::call::Use;
use crate::children::{self, Id};
use crate::handle::{Handle, Owned, Resource, Transfer};

/// The use of a handle that is given to C: exclusive.
#[doc(hidden)]
#[inline]
pub fn transferred<'a, T: Handle>(place: &'a Option<Transfer<'_, T>>) -> Option<Use<'a>> {
    let handle = place.as_ref()?;
    let id = Id::new(T::kind(), handle.raw().as_ptr().cast());
    Use::of(id, const { T::SPEC.meets_counted() }, true).map(Use::leaving)
}

/// The use of a handle that is given to C by a call on `keeper`: exclusive.
#[doc(hidden)]
#[inline]
pub fn transferred_in<'a, T: Handle, K: Handle>(
    place: &'a Option<Transfer<'_, T>>,
    keeper: &K,
) -> Option<Use<'a>> {
    if const { !T::SPEC.sharing.mut_parent } {
        return transferred(place);
    }
    let (id, keeper) = (
        Id::new(T::kind(), place.as_ref()?.raw().as_ptr().cast()),
        Id::of(keeper),
    );
    match children::borrows_parent_of(keeper, id) {
        true => transferred(place),
        false => Some(Use::noted(id, true).misplaced_in(keeper)),
    }
}

/// The use of a handle that a callback gives to C: exclusive.
pub(crate) fn transferring<'a, T: Resource>(handle: &'a Owned<'_, T>) -> Option<Use<'a>> {
    let id = Id::of::<T>(handle);
    let given = Use::of(id, const { T::SPEC.meets_counted() }, true);
    given.map(|given| given.leaving().joining())
}
