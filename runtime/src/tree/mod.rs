//! Trees whose parts move and die: `tree(…)` of `#[handle]`.
//!
//! A part of a tree, such as a node of a document, is valid as long as its owner, also after C unlinked it. An unlinked
//! part belongs to the runtime, with all parts below it: the table of [`unlinked`] has the topmost part of each such
//! subtree. The runtime releases the subtree
//!
//! - when its last Python object is dropped, and nobody uses the owner;
//! - before the owner is released;
//! - in Rust, by [`Owned::release_unlinked`](crate::Owned::release_unlinked).
//!
//! The third needs the owner by `&mut`, and nobody uses the owner in the first two cases. So no reference to a part
//! dangles, however the tree changes.
//!
//! C may link or unlink a part only in a call that has the part by `&mut`. After each such call [`moved`] looks whether
//! the part has a parent, so no word on the call can be wrong or missing.
//!
//! The Python objects are found through a field of the part. At most one object of each part exists at a time. Of each
//! unlinked subtree, one object is the *witness*: as long as it lives, the subtree is not released. If the witness is
//! dropped, another object in the subtree becomes the witness. So making and dropping the objects of other parts costs
//! nothing.

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
pub use moved::{Moving, RegisterNew, Reservation};
pub(crate) use part::ops_of;
pub use part::{TreeOwner, TreePart};
pub(crate) use unlinked::{forget_all, release_all};
#[cfg(feature = "python")]
pub(crate) use unlinked::{is_any_unsettled, settle, settle_around, settle_later};
