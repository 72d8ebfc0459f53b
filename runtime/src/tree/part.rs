//! The traits of parts that move, and of their owners.

use std::ffi::c_void;

use crate::handle::{Handle, HasOwnerField, Part, TreeOps};

/// A part that moves: `#[handle(raw = …, part_of = …, owner_field = …, tree(…))]`.
///
/// # Safety
///
/// The functions return what the fields of a valid part say, and `release` releases an unlinked part with all parts
/// below it, and nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a part that moves",
    note = "say where it is annotated how its tree is built: `#[handle(…, part_of = …, owner_field = …, tree(…))]`"
)]
pub unsafe trait TreePart: HasOwnerField {
    /// The number of lists of children that a part may have.
    #[doc(hidden)]
    const LISTS: usize;

    /// Returns the part that this one is a child of; null for the topmost part.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn parent(raw: *mut Self::Raw) -> *mut Self::Raw;

    /// Returns the next part in the list that this one is in; null for the last one.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn next(raw: *mut Self::Raw) -> *mut Self::Raw;

    /// Returns the first part of a list of children; null for an empty list.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn first(raw: *mut Self::Raw, list: usize) -> *mut Self::Raw;

    /// Returns whether the owner has the part as its own, without a parent.
    ///
    /// # Safety
    ///
    /// `raw` and `owner` are valid.
    #[doc(hidden)]
    unsafe fn is_root(raw: *mut Self::Raw, owner: *mut <Self::Owner as Handle>::Raw) -> bool;

    /// Returns the address of the field that C reserves for the application.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn object(raw: *mut Self::Raw) -> *mut *mut c_void;

    /// Releases the part with all parts below it.
    ///
    /// # Safety
    ///
    /// The part is unlinked, nobody uses it or a part below it any more, and this is the only release.
    #[doc(hidden)]
    unsafe fn release(raw: *mut Self::Raw);
}

/// A handle that owns a tree. Implemented by the `#[handle]` of the parts.
///
/// # Safety
///
/// `Node` is the only type of its parts with `tree(…)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` owns no tree",
    note = "name it as the owner of parts that move: `#[handle(…, part_of = {Self}, owner_field = …, tree(…))]`"
)]
pub unsafe trait TreeOwner: Handle {
    /// The type of the parts.
    type Node: TreePart + Part<Owner = Self>;
}

unsafe fn parent_erased<T: TreePart>(raw: *mut ()) -> *mut () {
    // SAFETY: the caller's promise: a valid part of the kind's own type.
    unsafe { T::parent(raw.cast()) }.cast()
}

unsafe fn next_erased<T: TreePart>(raw: *mut ()) -> *mut () {
    // SAFETY: the caller's promise: a valid part of the kind's own type.
    unsafe { T::next(raw.cast()) }.cast()
}

unsafe fn first_erased<T: TreePart>(raw: *mut (), list: usize) -> *mut () {
    // SAFETY: the caller's promise: a valid part of the kind's own type.
    unsafe { T::first(raw.cast(), list) }.cast()
}

unsafe fn is_root_erased<T: TreePart>(raw: *mut (), owner: *mut ()) -> bool {
    // SAFETY: the caller's promise: a valid part of the kind's own type, and its owner.
    unsafe { T::is_root(raw.cast(), owner.cast()) }
}

unsafe fn object_erased<T: TreePart>(raw: *mut ()) -> *mut *mut c_void {
    // SAFETY: the caller's promise: a valid part of the kind's own type.
    unsafe { T::object(raw.cast()) }
}

unsafe fn release_erased<T: TreePart>(raw: *mut ()) {
    // SAFETY: the caller's promise: as for `TreePart::release`.
    unsafe { T::release(raw.cast()) };
}

/// Returns the functions of `T`.
pub(crate) const fn ops_of<T: TreePart>() -> TreeOps {
    TreeOps {
        lists: T::LISTS,
        parent: parent_erased::<T>,
        next: next_erased::<T>,
        first: first_erased::<T>,
        is_root: is_root_erased::<T>,
        object: object_erased::<T>,
        release: release_erased::<T>,
    }
}
