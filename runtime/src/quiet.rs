//! The word that says whether a call of C may be quiet: nobody watches it, and this thread need not take the GIL for it.
//!
//! A quiet call looks at this one word, calls C and converts the result. A call is not quiet once C may call back
//! (`uses`), and while any thread runs a section without the GIL (`interpreter`). Where C may pass handles to callbacks, a
//! call that uses a handle exclusively is never quiet.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bit 0: calls look at the table of uses. Bit 1: exclusive calls do, because C may pass handles to callbacks. The other
/// bits: the number of sections without the GIL that run. Bit 1 is set until somebody asked which callbacks are linked in.
static BARS: AtomicUsize = AtomicUsize::new(LENDING);

const WATCHING: usize = 1;
const LENDING: usize = 2;
#[cfg(feature = "python")]
const ONE_SECTION: usize = 4;

/// Returns whether calls may be quiet now: those that use a handle exclusively, or all others.
#[inline(always)]
pub(crate) fn may_be_quiet(exclusive: bool) -> bool {
    let bars = BARS.load(Ordering::Relaxed);
    match exclusive {
        true => bars == 0,
        false => bars & !LENDING == 0,
    }
}

/// Lets exclusive calls be quiet: no callback that is linked in gets a handle.
pub(crate) fn never_lends() {
    BARS.fetch_and(!LENDING, Ordering::Relaxed);
}

/// Returns whether nothing is ever noted in the table of uses but counted handles.
#[inline(always)]
pub(crate) fn notes_nothing() -> bool {
    BARS.load(Ordering::Relaxed) & (WATCHING | LENDING) == 0
}

/// Lets calls look at the table of uses from now on.
pub(crate) fn watch() {
    // Written once: what all calls read stays in every processor's cache.
    if !is_watching() {
        BARS.fetch_or(WATCHING, Ordering::Relaxed);
    }
}

/// Returns whether calls look at the table of uses.
#[inline(always)]
pub(crate) fn is_watching() -> bool {
    BARS.load(Ordering::Relaxed) & WATCHING != 0
}

/// A section without the GIL, until this is dropped.
#[cfg(feature = "python")]
#[derive(Debug)]
pub(crate) struct Section(());

#[cfg(feature = "python")]
impl Section {
    pub(crate) fn begin() -> Self {
        BARS.fetch_add(ONE_SECTION, Ordering::Relaxed);
        Section(())
    }
}

#[cfg(feature = "python")]
impl Drop for Section {
    fn drop(&mut self) {
        BARS.fetch_sub(ONE_SECTION, Ordering::Relaxed);
    }
}
