//! The uses of handles by running calls and callbacks.
//!
//! The borrow checker separates the uses that it sees. It does not see that C passes a handle to a callback, on this
//! thread or on one of C's own; that two guards own one reference-counted object; nor that C keeps a handle in another
//! one. So one table has an entry for each use that the borrow checker may miss, for as long as the use lasts: the
//! handles of a call until its result has its owner, the parameters of a callback until it returns, and what C reports
//! until the report was taken. A use of a handle is a shared use of all that the handle lives in. It is a use of the
//! counted objects that C keeps in the handle, and an exclusive use is an exclusive one.
//!
//! Both sides ask. A shared use is refused where an outer call, an outer callback or another thread uses the handle
//! exclusively. An exclusive use is refused where anything else uses the handle. A release is deferred while something
//! uses the handle, or uses exclusively what the handle lives in.
//!
//! Nobody knows what a handle lives in that C passes to a callback and that is none of ours (`strays`). Until the
//! callback returns, its thread releases nothing, and no handle is used exclusively in which C may have that one.
//!
//! A call looks at the table only where there can be something in it: once C can call back, for handles with counted
//! owners, for handles that live in others without a borrow of these, where C may keep such handles, and where a
//! callback may write the handle by another type.

mod argument;
pub(crate) mod author_code;
mod barred;
mod call;
pub(crate) mod depth;
mod field;
mod held_back;
pub(crate) mod keeping;
mod key;
pub(crate) mod locks;
pub(crate) mod owners;
mod passed;
mod release;
pub(crate) mod strays;
pub(crate) mod table;
mod transfer;
mod views;
mod waiting;
pub(crate) mod watching;

pub use crate::handle::kind::Keeping;
pub use argument::{Argument, OfHandle, OfOther, UsesToBegin};
pub use author_code::AuthorCode;
pub(crate) use barred::Barred;
pub use call::{Noting, Use, Uses, begin, expect, granted};
pub(crate) use call::{begin_none, forget_former, interrupting};
pub(crate) use field::may_read;
pub use field::{FieldUse, atomic_field, field};
pub(crate) use held_back::HoldingBack;
pub use passed::{Handles, HoldsNone, NoUse, Passed, Passing};
pub(crate) use release::{AtCallbackEnd, AtEnd, begin_release, begin_release_of_parts};
pub(crate) use transfer::transferring;
pub use transfer::{transferred, transferred_in};
