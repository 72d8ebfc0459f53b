//! The facts whether C may call back at all, and whether it passes handles then.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use crate::handle::kind::LentToCallbacks;
use crate::quiet::{never_lends, never_writes};
use crate::uses::watching;

/// Set once C can call back: a handle that can keep callbacks was made, or a call passed a callback to C. Both come
/// before every call in which C can call the callback.
static EXPECTED: AtomicBool = AtomicBool::new(false);

/// Notes that C can call back from now on.
#[inline]
pub(crate) fn expect() {
    // Written once: what all calls read stays in every processor's cache.
    if !is_expected() {
        EXPECTED.store(true, Ordering::Relaxed);
        watching::watch();
    }
}

/// Returns whether C may call a callback that a handle keeps.
#[inline]
pub(crate) fn is_expected() -> bool {
    EXPECTED.load(Ordering::Relaxed)
}

/// Returns whether C may pass a handle to a callback that another call uses: the callbacks that are linked in say so.
/// True from the first call of the process on, since a call may last until after the first callback.
#[inline]
pub(crate) fn may_lend() -> bool {
    match LENDS.load(Ordering::Relaxed) {
        0 => find_lent(),
        answer => answer == 2,
    }
}

/// 2 if C may pass handles to callbacks, 1 if it does not, 0 until somebody asked.
static LENDS: AtomicU8 = AtomicU8::new(0);

#[cold]
fn find_lent() -> bool {
    // What C lends only to callbacks, nobody uses before the first of them.
    let mut all = inventory::iter::<LentToCallbacks>.into_iter();
    let is_lent = all.any(|lent| lent.is_lent && !(lent.kind)().is_callback_only());
    if !is_lent {
        never_lends();
    }
    LENDS.store(1 + u8::from(is_lent), Ordering::Relaxed);
    is_lent
}

/// Returns whether C may pass a handle to a callback that writes it: the callbacks that are linked in say so. True from
/// the first call of the process on, since a call may last until after the first callback.
#[inline]
pub(crate) fn may_write() -> bool {
    match WRITES.load(Ordering::Relaxed) {
        0 => find_written(),
        answer => answer == 2,
    }
}

/// 2 if C may pass handles to callbacks that write them, 1 if it does not, 0 until somebody asked.
static WRITES: AtomicU8 = AtomicU8::new(0);

#[cold]
fn find_written() -> bool {
    let mut all = inventory::iter::<LentToCallbacks>.into_iter();
    let is_written = all.any(|lent| lent.is_written);
    if !is_written {
        never_writes();
    }
    WRITES.store(1 + u8::from(is_written), Ordering::Relaxed);
    is_written
}
