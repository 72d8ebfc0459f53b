//! Variables of a thread that have another value for a while.

use std::cell::Cell;
use std::ptr::NonNull;
use std::thread::LocalKey;

/// The previous value of a variable of this thread. Dropping the guard restores it.
#[derive(Debug)]
pub(crate) struct RestoreGuard<T: Copy + 'static> {
    /// On this thread, which the guard does not leave.
    variable: NonNull<Cell<T>>,
    previous: T,
}

impl<T: Copy> RestoreGuard<T> {
    /// Sets the variable to `value` until the guard is dropped.
    #[inline]
    pub(crate) fn set(variable: &'static LocalKey<Cell<T>>, value: T) -> Self {
        variable.with(|variable| RestoreGuard {
            variable: NonNull::from(variable),
            previous: variable.replace(value),
        })
    }

    /// Returns the previous value.
    #[inline]
    pub(crate) fn previous(&self) -> T {
        self.previous
    }
}

impl<T: Copy> Drop for RestoreGuard<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Rust: a value that is `Copy` has no destructor, so the variable is there as long as its thread; the
        // guard is on that thread, as its pointer is not `Send`.
        unsafe { self.variable.as_ref() }.set(self.previous);
    }
}
