//! Handles and their two guards: [`Owned`] releases its handle, [`Borrowed`] does not.
//!
//! A handle type is zero-sized and has no values of its own: a `&Document` *is* the C pointer, and the type says which
//! calls it has. This module knows nothing of Python.

mod guard;
mod integer;
pub mod kind;
mod lifecycle;
pub mod origin;
mod release_error;
mod spec;
mod traits;
mod transfer;
pub(crate) mod tree_ops;
mod type_info;

pub use guard::{Borrowed, Owned};
pub use integer::{IntegerHandle, InvalidByDefault, Number, number_to_raw, raw_to_number};
pub use origin::RecordParents;
pub use release_error::ReleaseError;
pub use spec::{HandleSpec, Home, Sharing};
pub use traits::{
    CallbackOnly, Handle, HasAttachments, HasOwnerField, Lender, LendsNothing, Opaque, Parent,
    Part, PerThread, PointerHandle, RefCounted, Resource, free_in_place, parent_kind,
};
pub use transfer::{Keeper, Transfer, TransferredData, check_transferable};
pub use tree_ops::TreeOps;
