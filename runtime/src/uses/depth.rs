//! Places in the nested callbacks of a thread.

use std::cell::Cell;
use std::ptr;

#[cfg(feature = "python")]
use crate::restore_guard::RestoreGuard;
use crate::single_owner::NOTES;

/// A place in the nested callbacks of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depth {
    /// [`this_thread`]
    pub(super) thread: usize,
    pub(super) callbacks: u32,
}

/// A number of this thread, which no other thread has that runs.
#[inline]
pub(super) fn this_thread() -> usize {
    INSIDE.with(|inside| ptr::from_ref(inside).addr())
}

impl Depth {
    /// On no thread.
    pub(super) const NOWHERE: Self = Depth {
        thread: 0,
        callbacks: 0,
    };

    #[inline]
    pub(super) fn here() -> Self {
        INSIDE.with(|inside| Depth {
            thread: ptr::from_ref(inside).addr(),
            callbacks: inside.get(),
        })
    }

    /// Returns the place that the innermost callback of the thread was called in.
    pub(super) fn around(self) -> Self {
        Depth {
            callbacks: self.callbacks.saturating_sub(1),
            ..self
        }
    }

    /// Returns whether `other` is further inside, or on another thread.
    pub(super) fn is_left_by(self, other: Self) -> bool {
        self.thread != other.thread || self.callbacks < other.callbacks
    }
}

thread_local! {
    /// The number of callbacks of C's that this thread runs.
    static INSIDE: Cell<u32> = const { Cell::new(0) };
    /// The number of callbacks that have begun on this thread, where calls are checked against their annotations.
    static BEGUN: Cell<u32> = const { Cell::new(0) };
}

/// Returns a number that changes with each callback of this thread, where calls are checked against their annotations.
#[inline]
pub(crate) fn callbacks_so_far() -> u32 {
    match NOTES {
        true => BEGUN.get(),
        false => 0,
    }
}

/// Returns whether this thread runs a callback.
#[inline]
pub(crate) fn is_inside() -> bool {
    INSIDE.get() != 0
}

/// Returns the number of callbacks that this thread runs.
#[cfg(feature = "python")]
pub(crate) fn callbacks_here() -> u32 {
    INSIDE.get()
}

/// Lets this thread count as inside of so many callbacks until the guard is dropped.
#[cfg(feature = "python")]
pub(crate) fn at_depth(callbacks: u32) -> RestoreGuard<u32> {
    RestoreGuard::set(&INSIDE, callbacks)
}

/// The time in which this thread runs a callback, or a signal handler beside a call that it waits for.
pub(crate) struct Inside(());

impl Inside {
    pub(crate) fn begin() -> Self {
        INSIDE.set(INSIDE.get() + 1);
        if NOTES {
            BEGUN.set(BEGUN.get().wrapping_add(1));
        }
        Inside(())
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(INSIDE.get() - 1);
    }
}
