//! The word that says whether a call of C may be quiet: nobody watches it, and this thread need not take the GIL for
//! it.
//!
//! A quiet call looks at this one word, calls C and converts the result. A call is not quiet once C may call back
//! (`uses`), and while any thread runs a section without the GIL (`interpreter`). Where C may pass handles to
//! callbacks, a call that uses a handle exclusively is never quiet. Where C may pass handles to callbacks that these
//! write, no call is.

#[cfg(feature = "python")]
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "python")]
use crate::fork::InChild;

/// Bit 0: calls look at the table of uses. Bit 1: exclusive calls do, because C may pass handles to callbacks. Bit 2:
/// calls do, because C may keep handles in those that they use. Bit 3: calls do, because callbacks may write handles
/// that C passes to them. Bit 4: reads of fields do, because handles live in others that they do not borrow, or hold
/// them. The other bits: the number of sections without the GIL that run. Bits 1 to 3 are set until somebody asked
/// which callbacks and methods are linked in.
static BARS: AtomicUsize = AtomicUsize::new(LENDING | KEEPING | WRITING);

const WATCHING: usize = 1;
const LENDING: usize = 2;
const KEEPING: usize = 4;
const WRITING: usize = 8;
const RELATED: usize = 16;
#[cfg(feature = "python")]
const ONE_SECTION: usize = 32;

/// Returns whether calls may be quiet now: those that use a handle exclusively, or all others.
#[inline(always)]
pub(crate) fn may_be_quiet(exclusive: bool) -> bool {
    let bars = BARS.load(Ordering::Relaxed);
    match exclusive {
        true => bars == 0,
        false => bars & !LENDING == 0,
    }
}

/// Returns whether reads of fields may be quiet now, unless something is used exclusively: those of handles that no
/// callback writes by another type, or all. C may call back, but a read does not let it.
#[inline(always)]
pub(crate) fn may_read_quietly(is_written: impl FnOnce() -> bool) -> bool {
    let bars = BARS.load(Ordering::Relaxed) & !(WATCHING | LENDING);
    bars == 0 || bars == WRITING && !is_written()
}

/// Lets exclusive calls be quiet: no callback that is linked in gets a handle.
pub(crate) fn never_lends() {
    BARS.fetch_and(!LENDING, Ordering::Relaxed);
}

/// Lets calls be quiet: no method that is linked in gives C a handle to keep in another one.
pub(crate) fn never_keeps() {
    BARS.fetch_and(!KEEPING, Ordering::Relaxed);
}

/// Lets calls be quiet: no callback that is linked in writes a handle that C passes to it.
pub(crate) fn never_writes() {
    BARS.fetch_and(!WRITING, Ordering::Relaxed);
}

/// Returns whether nothing is ever noted in the table of uses but counted handles.
#[inline(always)]
pub(crate) fn notes_nothing() -> bool {
    BARS.load(Ordering::Relaxed) & (WATCHING | LENDING | KEEPING) == 0
}

/// Lets calls look at the table of uses from now on.
pub(crate) fn watch() {
    // Written once: what all calls read stays in every processor's cache.
    if BARS.load(Ordering::Relaxed) & WATCHING == 0 {
        BARS.fetch_or(WATCHING, Ordering::Relaxed);
    }
}

/// Lets calls and reads of fields look at the table of uses from now on.
pub(crate) fn watch_related() {
    if BARS.load(Ordering::Relaxed) & RELATED == 0 {
        BARS.fetch_or(WATCHING | RELATED, Ordering::Relaxed);
    }
}

/// Returns whether releases look at the table of uses.
#[inline(always)]
pub(crate) fn is_watching() -> bool {
    BARS.load(Ordering::Relaxed) & (WATCHING | KEEPING) != 0
}

/// Returns whether shared calls look at the table of uses.
#[inline(always)]
pub(crate) fn notes_shared() -> bool {
    BARS.load(Ordering::Relaxed) & (WATCHING | KEEPING | WRITING) != 0
}

/// A section without the GIL, until this is dropped.
#[cfg(feature = "python")]
#[derive(Debug)]
pub(crate) struct Section(());

#[cfg(feature = "python")]
thread_local! {
    /// The number of sections that this thread runs, one in another.
    static SECTIONS: Cell<usize> = const { Cell::new(0) };
}

#[cfg(feature = "python")]
impl Section {
    pub(crate) fn begin() -> Self {
        SECTIONS.set(SECTIONS.get() + 1);
        BARS.fetch_add(ONE_SECTION, Ordering::Relaxed);
        Section(())
    }
}

#[cfg(feature = "python")]
inventory::submit! { InChild(forget_other_threads) }

/// Forgets the sections of threads that a forked child has not.
#[cfg(feature = "python")]
fn forget_other_threads() {
    let bits = BARS.load(Ordering::Relaxed) & (WATCHING | LENDING | KEEPING | WRITING | RELATED);
    let own = SECTIONS.try_with(Cell::get).unwrap_or(0);
    BARS.store(bits + ONE_SECTION * own, Ordering::Relaxed);
}

#[cfg(feature = "python")]
impl Drop for Section {
    fn drop(&mut self) {
        SECTIONS.set(SECTIONS.get() - 1);
        BARS.fetch_sub(ONE_SECTION, Ordering::Relaxed);
    }
}

#[cfg(all(test, feature = "python"))]
mod tests {
    use std::sync::mpsc::channel;

    use super::{Section, may_be_quiet, never_keeps, never_writes};

    #[test]
    fn forked_child_counts_its_own_sections_alone() {
        never_keeps();
        never_writes();
        let ((begins, has_begun), (end, ends)) = (channel(), channel::<()>());
        let other = std::thread::spawn(move || {
            let _section = Section::begin();
            begins.send(()).unwrap();
            ends.recv().unwrap();
        });
        has_begun.recv().unwrap();
        let own = Section::begin();
        // SAFETY: C: the child only reads and writes a word, and ends without the handlers of the process.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let is_quiet_within = may_be_quiet(false);
            drop(own);
            let good = !is_quiet_within && may_be_quiet(false);
            // SAFETY: C: as above.
            unsafe { libc::_exit(if good { 0 } else { 1 }) };
        }
        let mut status = -1;
        // SAFETY: C: the status is a variable of this function.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        assert!(!may_be_quiet(false));
        drop(own);
        end.send(()).unwrap();
        other.join().unwrap();
        assert!(may_be_quiet(false));
    }
}
