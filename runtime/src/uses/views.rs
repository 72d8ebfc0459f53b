//! The objects of handles that C lends to callbacks only (`callback_only`): such an object may also be a handle of
//! another type, which the callback then uses.
//!
//! A call that has the object by `&mut`, or what it lives in, and that began before the callback, lets the callback use
//! the object. All other uses of the handle exclude the callback, and the callback excludes them: those by calls on
//! what lives in the handle, on what C keeps it in, and on the objects that are borrowed with it. A child that holds
//! the handle excludes the callback, unless the callback runs in a call on the child.
//!
//! Memory and parts that Rust code has borrowed are in no table. So by `&mut` a callback gets what can be borrowed from
//! only in a call that has that by `&mut`: then the borrow checker has seen that nothing is borrowed.

use once_cell::race::OnceBox;

use super::call::Use;
use super::depth::this_thread;
use super::held_back::is_lent_in_callback;
use super::table::{By, Claims, Key, UseEntry, table};
use crate::children::{self, Id};
use crate::error::{Error, Result};
use crate::handle::kind::{HandleKind, Listed};

/// Returns the handles of other types that `id` may be, or lives in: those in the table of `children`, and those of its
/// C type whose owners C counts, or that are borrowed with others (`borrowed_with`).
pub(super) fn viewed(id: Id) -> Vec<Id> {
    let lent = children::ancestors(id).into_iter().chain([id]);
    lent.flat_map(other_types).collect()
}

/// Returns the handles of other types that `id` itself may be, if C lends it to callbacks only.
pub(super) fn other_types(id: Id) -> Vec<Id> {
    if !id.kind().is_callback_only() {
        return Vec::new();
    }
    let c_type = id.kind().c_type();
    let same = shared().iter().filter(|kind| kind.c_type() == c_type);
    let same = same.map(|kind| Id::new(kind, id.raw()));
    children::at_address(id.raw())
        .into_iter()
        .chain(same)
        .collect()
}

/// The kinds of handles that have several owners, or are borrowed with others.
fn shared() -> &'static [&'static HandleKind] {
    static SHARED: OnceBox<Vec<&'static HandleKind>> = OnceBox::new();
    SHARED.get_or_init(|| {
        let all = inventory::iter::<Listed>.into_iter().map(|listed| listed.0);
        let is_shared = |kind: &&HandleKind| kind.is_counted() || kind.group().is_some();
        Box::new(all.filter(is_shared).collect())
    })
}

/// Adds the uses of the handle, of all that it lives in, and of what C keeps in these, by a callback that has it by
/// another type. A call that has the handle by `&mut`, or what it lives in, lets the callback use these.
pub(super) fn claim_viewed(id: Id, exclusive: bool, claims: &mut Claims) {
    let first = claims.len();
    Use::noted(id, exclusive).claim(claims);
    let within = lived_in(id);
    let own = claims[first..].iter_mut();
    for claim in own.filter(|claim| within.contains(&claim.object())) {
        *claim = claim.viewed();
    }
}

/// Returns the handle, and those that it lives in.
fn lived_in(id: Id) -> Vec<Key> {
    let ancestors = children::ancestors(id).into_iter();
    let lives_in = ancestors.filter(|ancestor| children::lives_in(id, *ancestor));
    lives_in.chain([id]).map(Key::object).collect()
}

/// Refuses the callback if a child holds one of the handles, unless the callback runs in a call on the child.
///
/// # Errors
///
/// [`Error::Held`]
pub(super) fn check_held(viewed: &[Id]) -> Result<()> {
    if !children::is_any_held() {
        return Ok(());
    }
    for id in viewed {
        if let Some(holder) = children::holder(*id, &[])
            && !is_in_call_on(holder)
        {
            return Err(Error::Held(id.kind().name(), holder.kind().name()));
        }
    }
    Ok(())
}

/// Refuses a callback that has the handles by `&mut` outside of a call that has them so, as far as the table of
/// `children` knows them: Rust code may have borrowed from them, or from their children. Counted objects lend nothing,
/// and what C was given for good is not borrowed any more.
///
/// # Errors
///
/// [`Error::Value`]
pub(super) fn check_exclusive(viewed: &[Id]) -> Result<()> {
    let known = viewed.iter().filter(|id| !id.kind().is_counted());
    let known = known.filter(|id| !children::is_out_of_reach(**id));
    match known.copied().find(|id| !is_exclusive(*id)) {
        Some(id) => Err(not_exclusive(id.kind().name())),
        None => Ok(()),
    }
}

/// Refuses a callback that has the handle by `&mut` where C lent the same object, by another type, by what an outer
/// callback has: our code there may have borrowed from it.
///
/// # Errors
///
/// [`Error::Value`]
pub(super) fn check_not_lent(id: Id) -> Result<()> {
    let mut all = children::ancestors(id).into_iter().chain([id]);
    match all.find(|id| is_lent_in_callback(*id)) {
        Some(id) => Err(not_exclusive(id.kind().name())),
        None => Ok(()),
    }
}

/// Returns whether a call has the handle by `&mut`, or what it lives in: all of it, where C lends the handle by
/// several.
fn is_exclusive(id: Id) -> bool {
    let is_it = |entry: &&UseEntry| entry.by == By::Call && entry.claim.exclusive;
    let used: Vec<Key> = {
        let table = table();
        let entries = table.entries().iter().filter(is_it);
        entries.map(|entry| entry.claim.object()).collect()
    };
    children::is_covered(id, &|id| used.contains(&Key::object(id)))
}

#[cold]
fn not_exclusive(object: &str) -> Error {
    Error::Value(format!(
        "a callback cannot change a {object} that other code may use or borrow from: let a method with `&mut self` of the \
         {object} make the call that calls back"
    ))
}

/// Returns whether this thread runs a call on the handle, or on what lives in it.
fn is_in_call_on(id: Id) -> bool {
    let (object, here) = (Key::object(id), this_thread());
    let is_it = |entry: &UseEntry| {
        entry.by == By::Call && entry.depth.thread == here && entry.claim.object() == object
    };
    table().entries().iter().any(is_it)
}
