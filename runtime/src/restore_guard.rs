//! Variables of a thread that have another value for a while.

use std::cell::Cell;
use std::thread::LocalKey;

/// The previous value of a variable of this thread. Dropping the guard restores it.
#[derive(Debug)]
pub(crate) struct RestoreGuard<T: Copy + 'static> {
    variable: &'static LocalKey<Cell<T>>,
    previous: T,
}

impl<T: Copy> RestoreGuard<T> {
    /// Sets the variable to `value` until the guard is dropped.
    #[inline]
    pub(crate) fn set(variable: &'static LocalKey<Cell<T>>, value: T) -> Self {
        RestoreGuard {
            variable,
            previous: variable.replace(value),
        }
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
        self.variable.set(self.previous);
    }
}
