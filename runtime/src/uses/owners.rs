//! Counted objects of which C has an owner until nobody knows when: a callback gave it to C, C keeps it in a handle of
//! its own, or nobody knows whether C has it. C may read such an object by any call. So nothing of ours that still owns
//! the object uses it exclusively any more, nor does a handle of ours in which C has another owner.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::depth::Depth;
use super::table::{By, Claim, table};
use crate::children::table::is_kept_owner;
use crate::error::Error;
use crate::fork::Lock;
use crate::handle::kind::Id;

/// The owners of an object.
#[derive(Debug, Default)]
struct Owners {
    /// The number of guards and Python objects that own it, for a kind that may be left to C.
    ours: usize,
    /// Set once C has an owner.
    has_c: bool,
    /// The C type by which C got it.
    c_type: Option<TypeId>,
    /// The number of C's use, which lasts as long as something of ours owns the object, or C has an owner of it in a
    /// handle.
    number: Option<u64>,
}

/// The objects by their addresses, since an object may have several types. Locked for a few instructions.
static OWNERS: Mutex<BTreeMap<usize, Owners>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(owners())) }

fn owners() -> MutexGuard<'static, BTreeMap<usize, Owners>> {
    OWNERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes one owner more. Where there was none, C made the object, or gave up one of its own.
pub(crate) fn owned(id: Id) {
    let mut all = owners();
    let owners = all.entry(id.address()).or_default();
    owners.has_c &= owners.number.is_some();
    owners.ours += 1;
}

/// Notes that an object is about to get one owner more, which C lends: it is the one that C was given. Of another C
/// type it may be a new object, if nothing of ours owns the former one any more: C may have freed that.
pub(crate) fn retained(id: Id) {
    let c_type = Some(id.kind().c_type());
    let is_it = |owners: &Owners| owners.has_c && (owners.ours != 0 || owners.c_type == c_type);
    let has_c = owners().get(&id.address()).is_some_and(is_it);
    if has_c {
        begin(id);
    }
}

/// Notes one owner less.
pub(crate) fn disowned(id: Id) {
    let mut all = owners();
    let Some(owners) = all.get_mut(&id.address()) else {
        return;
    };
    owners.ours = owners.ours.saturating_sub(1);
    let is_used = owners.number.is_some();
    if owners.ours == 0 && !owners.has_c {
        all.remove(&id.address());
    }
    drop(all);
    if is_used {
        end_if_unreached(id);
    }
}

/// Notes that handles have ended in which C had owners of these objects.
pub(crate) fn no_longer_kept(ids: impl IntoIterator<Item = Id>) {
    ids.into_iter().for_each(end_if_unreached);
}

/// Ends C's use of an object that nothing of ours reaches any more.
fn end_if_unreached(id: Id) {
    if is_kept_owner(id) {
        return;
    }
    let number = {
        let mut all = owners();
        let owners = all.get_mut(&id.address()).filter(|owners| owners.ours == 0);
        owners.and_then(|owners| owners.number.take())
    };
    end(number);
}

/// Notes that C has an owner until nobody knows when. C's use lasts for good where nobody counts ours.
pub(crate) fn left_to_c(id: Id) {
    let is_kept = is_kept_owner(id);
    let is_shared = {
        let mut all = owners();
        let owners = all.entry(id.address()).or_default();
        owners.has_c = true;
        owners.c_type = Some(id.kind().c_type());
        owners.ours != 0 || is_kept || !id.kind().may_be_left_to_c()
    };
    if is_shared {
        begin(id);
    }
}

/// Begins C's use, unless it has begun.
fn begin(id: Id) {
    let number = table().begin(&[Claim::of(id, false)], By::Owning, Depth::NOWHERE);
    let mut all = owners();
    let former = all.entry(id.address()).or_default().number.replace(number);
    drop(all);
    end(former);
}

/// Ends C's use.
fn end(number: Option<u64>) {
    if let Some(number) = number {
        table().end(number);
    }
}

/// Returns the error of an exclusive use of an object that C has an owner of.
#[cold]
pub(super) fn owned_by_c(name: &str) -> Error {
    Error::Value(format!(
        "a {name} cannot be changed any more, because C has an owner of it, and nobody knows until when: give C a copy, or one \
         that nothing else owns, where a callback gives it to C, or in a handle that C lends to the callback"
    ))
}
