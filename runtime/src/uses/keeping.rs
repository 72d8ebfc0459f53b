//! Handles that C keeps in others: a call that uses one of these, from before on, uses what the kept handle lives in,
//! too.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::depth::Depth;
use super::table::{By, Claim, table};
use super::watching;
use crate::handle::kind::{Id, Keeping};
use crate::quiet::never_keeps;

/// Returns whether C may get a handle to keep in another one that a call uses: the methods that are linked in say so.
/// True from the first call of the process on, since a call may last until C has the handle.
#[inline]
pub(crate) fn may_keep() -> bool {
    match KEEPS.load(Ordering::Relaxed) {
        0 => find_keeping(),
        answer => answer == 2,
    }
}

/// 2 if C may get such a handle, 1 if it does not, 0 until somebody asked.
static KEEPS: AtomicU8 = AtomicU8::new(0);

#[cold]
fn find_keeping() -> bool {
    let may_keep = inventory::iter::<Keeping>
        .into_iter()
        .any(|keeping| keeping.reaches_others);
    if !may_keep {
        never_keeps();
    }
    KEEPS.store(1 + u8::from(may_keep), Ordering::Relaxed);
    may_keep
}

/// The number of times that C got a handle to keep. It changes while the table of uses is locked.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// Returns the number of times that C got a handle to keep: what a handle lives in may have changed with it.
pub(super) fn kept_so_far() -> u64 {
    KEPT.load(Ordering::Acquire)
}

/// Lets all that uses one of `keepers` use `reached`, too: what a handle lives in that C keeps there from now on. The
/// table of `children` knows it already.
pub(crate) fn now_kept(keepers: impl Iterator<Item = Id>, reached: impl Iterator<Item = Id>) {
    let claim = |id| Claim::of(id, false);
    let keepers: Vec<Claim> = keepers.map(claim).collect();
    let reached: Vec<Claim> = reached.map(claim).collect();
    let mut table = table();
    KEPT.fetch_add(1, Ordering::Release);
    table.extend(&keepers, &reached);
}

/// Lets C use `reached` for good: what a handle lives in that C keeps until nobody knows when. Returns the number of
/// the uses.
pub(crate) fn kept_for_good(reached: impl Iterator<Item = Id>) -> u64 {
    let reached: Vec<Claim> = reached.map(|id| Claim::of(id, false)).collect();
    watching::watch_hidden();
    table().begin(&reached, By::Keeping, Depth::NOWHERE)
}

/// Ends uses of C's: the handle is ours again.
pub(crate) fn no_longer_kept(number: u64) {
    table().end(number);
}
