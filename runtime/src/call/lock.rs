//! The library's own lock of a handle: `lock(…)`.

use std::marker::PhantomData;

use super::gil::{WithoutPython, detach_unchecked};
use crate::handle::Handle;
use crate::uses::locks::{self, LockOf, LockTime};

/// The library's own lock of a handle, which this thread has entered. Dropping it leaves the lock.
pub(super) struct Locked<'h, T: Handle> {
    lock: *mut (),
    _time: LockTime,
    _handle: PhantomData<&'h T>,
}

impl<'h, T: Handle> Locked<'h, T> {
    /// Enters the lock, if the handle names one.
    #[inline]
    pub(super) fn enter(handle: &'h T) -> Option<Self> {
        const { T::LOCKS }.then(|| {
            let lock = detach_unchecked(
                // SAFETY: annotation `lock`: taking the lock uses no Python.
                unsafe { WithoutPython::promised() },
                // SAFETY: guarantee 3: a reference to a handle is a valid handle.
                || unsafe {
                    let lock = T::lock_of(handle.as_raw());
                    T::enter_lock(lock);
                    lock
                },
            );
            Locked {
                lock,
                _time: locks::holding(lock),
                _handle: PhantomData,
            }
        })
    }
}

impl<T: Handle> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        // SAFETY: annotation `lock`: this thread entered the lock in `enter`, since a guard with a raw pointer stays
        // on its thread; guarantee 3: the handle is still borrowed.
        unsafe { T::leave_lock(self.lock) };
    }
}

/// Begins the uses of a call by `begin`. When they have begun, the call enters the lock of the handle.
#[inline]
pub(super) fn begin_before_lock<T: Handle, R>(handle: Option<&T>, begin: impl FnOnce() -> R) -> R {
    /// # Safety
    ///
    /// `raw` is a valid handle of the type `T`.
    unsafe fn lock_of<T: Handle>(raw: *mut ()) -> *mut () {
        // SAFETY: the caller's promise.
        unsafe { T::lock_of(raw.cast()) }
    }

    let entering = |handle: &T| {
        // SAFETY: guarantee 3: a reference to a handle is a valid handle, until `begin` has returned.
        let lock = || unsafe { LockOf::new(lock_of::<T>, handle.as_raw().cast()) };
        const { T::LOCKS }.then(|| locks::entering(lock()))
    };
    let _time = handle.and_then(entering);
    begin()
}

/// Runs `f` while this thread holds the library's own lock of the handle, `lock(…)`. No other thread's call on the
/// handle, or on handles that share the lock, comes between the calls in `f`.
///
/// ```ignore
/// let (status, changes) = locked(connection, || (statement.step(), connection.changes()));
/// ```
pub fn locked<T: Handle, R>(handle: &T, f: impl FnOnce() -> R) -> R {
    const {
        assert!(
            T::LOCKS,
            "the handle names no lock of its library: add `lock(of = …, enter = …, leave = …)` to its annotation"
        )
    };
    let _locked = Locked::enter(handle);
    f()
}
