//! Whether C may call back at all.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::uses::watching;

/// Set once C can call back: a handle that can keep callbacks was made, or a call passed a callback to C. Both come before
/// every call in which C can call the callback.
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
