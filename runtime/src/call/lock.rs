//! The library's own lock of a handle: `lock(…)`.

use std::marker::PhantomData;

use super::gil::{WithoutPython, detach_unchecked};
use crate::handle::Handle;
use crate::uses::locks::{self, LockTime};
use crate::uses::{self, Argument, AuthorCode, OfHandle as _};

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
            // A `Deref` of the author's, on the way to the lock through a C function.
            let _code = AuthorCode::begin();
            let lock = detach_unchecked(
                // SAFETY: annotation `lock`: taking the lock uses no Python.
                unsafe { WithoutPython::promised() },
                // SAFETY: guarantee 3: a reference to a handle is a valid handle.
                || unsafe { T::enter_lock(handle.as_raw()) },
            );
            Locked {
                lock,
                _time: locks::holding(),
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
    let _time = (const { T::LOCKS } && handle.is_some()).then(locks::entering);
    begin()
}

/// Runs `f` while this thread holds the library's own lock of the handle, `lock(…)`. No other thread's call on the
/// handle, or on handles that share the lock, comes between the calls in `f`.
///
/// # Panics
///
/// Where a call on the handle would be refused with [`Error::Busy`](crate::Error::Busy).
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
    // The lock is found in the handle, which is in use meanwhile.
    let begin = || uses::begin([Argument(handle).in_use(false)]);
    let found = uses::granted(begin_before_lock(Some(handle), begin));
    let _locked = Locked::enter(handle);
    drop(found);
    f()
}
