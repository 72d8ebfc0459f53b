//! Parents and children: handles of C that live in other handles of C.
//!
//! Safe code may forget a guard, so the release of a parent cannot rely on the drop of its children's guards. One table
//! holds the parents of each child, from the instruction after C made the child until its release has ended. The
//! release of a parent with living children is deferred until the last child is gone. If C keeps the children, this is
//! the normal order. If their guards should have been dropped first, the guards were forgotten, or C refused the
//! release of a child. The parent is then leaked as well, and the leak is reported.
//!
//! C owns two kinds of handles: those it was given, and its own that it lends. Each is valid until the handles are
//! released that C keeps it in, or that lent it (`End`). Until then its parents, and what C keeps in it, stay open.
//! When C returns such a handle as `Owned`, this package owns it; what it kept also waits for its former keepers,
//! unless the call has `gives_back`. A handle whose end cannot be observed leaks its parents, and that is reported.
//!
//! A parent whose owners C counts gets one owner more for each child, so its release is not deferred.

#![expect(
    clippy::mutable_key_type,
    reason = "a key is compared by its addresses"
)]

mod ancestors;
mod born;
mod id_set;
mod parent_of;
mod release;
mod same_ancestor;
pub(crate) mod table;
mod transfer;

#[cfg_attr(
    not(feature = "python"),
    allow(unused_imports, reason = "only Python's objects keep parents")
)]
pub(crate) use ancestors::{
    Ids, ancestors, at_address, borrows_parent_of, exclusive_owned, exclusive_parents, holder,
    is_covered, is_held, is_made_beside, is_made_in, is_only_in, is_out_of_reach, is_placed,
    lives_in, owners, quick_ancestors, reached_from_any, resource_of, stray, used_alone_with,
};
pub(crate) use born::{LentInCallback, born, keep_values, lent};
pub use parent_of::{LendsNothing, LivesIn, parent_of};
pub use release::parent_of_released;
pub(crate) use release::{
    Closed, HoldersGone, ReleaseRecord, closed, defer_until_childless, end, note_deferred,
    note_leaked,
};
pub use same_ancestor::SameAncestor;
#[cfg(feature = "python")]
pub(crate) use same_ancestor::{LivesInOthers, compare_all};
pub(crate) use table::{held, is_any_held};
pub use transfer::Unplaced;
pub(crate) use transfer::{
    TransferRecord, check_transferable, check_unchanged, given_out, giving_back,
    is_any_transferred, keep_ours, keep_owner, own, take_back,
};

pub use crate::handle::kind::Id;
