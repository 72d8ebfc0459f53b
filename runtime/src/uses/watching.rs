//! Flags that say whether calls look at the table of uses. Set once, and never cleared.

use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use crate::quiet::{is_watching, watch, watch_related};

/// Set once a handle lives in another one that it does not borrow.
pub(super) static HIDDEN: AtomicBool = AtomicBool::new(false);

/// Notes that a handle lives in another one that it does not borrow.
pub(crate) fn watch_hidden() {
    HIDDEN.store(true, Ordering::Relaxed);
    watch_related();
}
