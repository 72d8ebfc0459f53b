//! The parent of a handle, for the bodies of its methods.

use std::ptr::{self, NonNull};

use crate::children::table::{HandleEntry, with_table};
use crate::error::{Error, Result};
use crate::handle::kind::{HandleKind, Id, LentToCallbacks};
use crate::handle::{Handle, Resource};

/// A handle that lives in a `P`: `parent = P`, or `parent = (…, P)`. Implemented by `#[handle]`.
///
/// # Safety
///
/// `P` is the type of one parent, which the handle does not borrow by `&mut` for its life.
#[diagnostic::on_unimplemented(
    message = "`{Self}` gives no parent of this type",
    label = "has no such parent",
    note = "the annotation of the handle names its parents: `parent = P`. A parent that it borrows by `&mut` is used by \
            nothing else, and of two parents of one type nothing tells which is meant"
)]
pub unsafe trait LivesIn<P>: Resource {}

/// A handle that lends neither memory nor parts that move. Implemented by `#[handle]`.
///
/// # Safety
///
/// The handle has neither `lends` nor `tree`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` lends memory, or owns a tree, so no handle gives it as its parent",
    label = "is not given as a parent",
    note = "where C lends the child, nothing borrows the parent: another call could free what the parent has lent. Take the \
            parent as an argument, or make the method one of the parent"
)]
pub unsafe trait LendsNothing: Handle {}

/// Returns the parent in which C made the handle, for the body of a method: `let store: &Store =
/// leakproof::parent_of(self)?`.
///
/// ```
/// # use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// # #[handle(raw = ffi::store, release = ffi::store_close)]
/// # pub struct Store;
/// #[methods(unsafe)]
/// impl Store {
///     #[calls(ffi::store_size)]
///     fn size(&self) -> i32;
/// }
///
/// #[handle(raw = ffi::cursor, release = ffi::cursor_close, parent = Store)]
/// pub struct Cursor;
///
/// #[methods(unsafe)]
/// impl Cursor {
///     /// Returns the size of the store in which the cursor moves.
///     fn store_size(&self) -> Result<i32> {
///         let store: &Store = leakproof::parent_of(self)?;
///         Ok(store.size())
///     }
/// }
/// # fn main() {}
/// ```
///
/// # Errors
///
/// `Error::Value` if nobody knows the parent: C made the handle in one that it lent to a callback. Also if C keeps the
/// handle, and lends others by the parent: a call by `&mut` on the parent may give these out meanwhile.
pub fn parent_of<P: LendsNothing, T: LivesIn<P>>(child: &T) -> Result<&P> {
    let id = Id::of(child);
    if is_owned_by_c(id) && lends_handles(P::kind()) {
        return Err(Error::Value(format!(
            "C keeps this {}, so nothing borrows the {parent} that it lives in, and C lends other handles by the {parent}: \
             take the {parent} as an argument",
            T::NAME,
            parent = P::NAME
        )));
    }
    let raw = find(id, P::kind()).ok_or_else(|| {
        Error::Value(format!(
            "nobody knows in which {} this {} lives: C made it in one that it lent to a callback",
            P::NAME,
            T::NAME
        ))
    })?;
    // SAFETY: trait `LivesIn`: the child lives in a `P`, and others may use it meanwhile. guarantee 21: a parent is
    // released after its children, so it is valid as long as the child is. trait `LendsNothing`: where the child does
    // not borrow the parent, because C lends the child, the table of uses sees all that is done with the parent. There
    // the parent lends no handles.
    Ok(unsafe { P::from_raw(raw.cast()) })
}

fn is_owned_by_c(child: Id) -> bool {
    with_table(|table| table.get(&child).is_some_and(HandleEntry::is_owned_by_c))
}

/// Returns whether a method of such handles, or of their parts, returns a handle with a release as `Borrowed`.
#[cold]
fn lends_handles(kind: &'static HandleKind) -> bool {
    let mut all = inventory::iter::<LentToCallbacks>.into_iter();
    all.any(|lent| {
        let mut lenders = lent.lenders.iter().flatten();
        lent.is_lent_by_call
            && !(lent.kind)().is_view()
            && lenders.any(|lender| ptr::eq(lender().resource_kind(), kind))
    })
}

fn find(child: Id, kind: &'static HandleKind) -> Option<NonNull<()>> {
    with_table(|table| {
        let parents = &table.get(&child)?.parents;
        let mut made_in = parents.first.iter().chain(&parents.others);
        let is_it = |parent: &&Id| ptr::eq(parent.kind, kind) && !parents.held.contains(parent);
        NonNull::new(made_in.find(is_it)?.raw())
    })
}
