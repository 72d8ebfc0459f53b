//! Trees whose parts are linked, unlinked and released singly: `tree(…)` of `#[handle]`.
//!
//! A part of a tree, such as a node of a document, is valid as long as its owner, also after C unlinked it. An unlinked
//! part belongs to the runtime, with all parts below it: the table of [`unlinked`] has the topmost part of each such
//! subtree. The runtime releases the subtree
//!
//! - when its last Python object is dropped, and nobody uses the owner;
//! - before the owner is released;
//! - in Rust, by [`Owned::release_unlinked`](crate::Owned::release_unlinked).
//!
//! The third needs the owner by `&mut`, and nobody uses the owner in the first two cases. A callback that has a part is
//! in the table of uses, and puts the release off. So no reference to a part dangles, however the tree changes.
//!
//! C may link or unlink a part only in a call that has the part by `&mut`. After each such call [`moved`] looks whether
//! the part has a parent, so no annotation states it.
//!
//! The Python objects are found through a field of the part. At most one object of each part exists at a time. Each
//! unlinked subtree has a *witness*: a part with a Python object, or a part that C keeps. As long as the object lives,
//! or C keeps the part, the subtree is not released. After that, another such part becomes the witness. So making and
//! dropping the objects of other parts costs nothing.

mod copied;
mod editing;
mod kept;
mod moved;
mod part;
mod unlinked;

#[cfg(feature = "python")]
pub(crate) use copied::{AdoptObjects, Copied};
pub use editing::{Editing, Tree};
pub use kept::KeptPart;
pub use moved::{Moving, RegisterNew, Reservation, check_apart};
pub(crate) use part::ops_of;
pub use part::{TreeOwner, TreePart};
pub(crate) use unlinked::{forget_all, release_all, release_before_end};
#[cfg(feature = "python")]
pub(crate) use unlinked::{
    is_any_unsettled, releases_before_end, settle, settle_around, settle_later,
};
