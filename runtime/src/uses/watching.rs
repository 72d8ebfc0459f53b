//! Flags that say whether calls look at the table of uses. Set once, and never cleared.

use std::sync::atomic::{AtomicBool, Ordering};

/// Set once the table can be of interest for handles without counted owners.
static WATCHING: AtomicBool = AtomicBool::new(false);
/// Set once a handle lives in another one that it does not borrow.
pub(super) static HIDDEN: AtomicBool = AtomicBool::new(false);

/// Lets calls look at the table from now on.
pub(crate) fn watch() {
    // Written once: what all calls read stays in every processor's cache.
    if !is_watching() {
        WATCHING.store(true, Ordering::Relaxed);
    }
}

#[inline]
pub(super) fn is_watching() -> bool {
    WATCHING.load(Ordering::Relaxed)
}

/// Notes that a handle lives in another one that it does not borrow.
pub(crate) fn watch_hidden() {
    HIDDEN.store(true, Ordering::Relaxed);
    watch();
}
