//! The library's own locks (`lock`) that threads hold, and that their calls are about to enter.
//!
//! A callback that is `exclusive` bars its handle also for other threads. Where its thread holds a lock meanwhile, and
//! the other thread's call enters the same one before C is called, that call is let in: it waits for the lock until the
//! callback has returned.

use std::cell::Cell;
use std::num::NonZeroUsize;

use crate::restore_guard::RestoreGuard;

/// The address of a lock.
pub(super) type LockAddress = NonZeroUsize;

/// A lock of which nobody has asked C for the address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LockOf {
    of: unsafe fn(*mut ()) -> *mut (),
    handle: *mut (),
}

impl LockOf {
    /// The lock of a handle.
    ///
    /// # Safety
    ///
    /// The handle is valid until the uses of the call have begun, and `of` may be called with it.
    pub(crate) unsafe fn new(of: unsafe fn(*mut ()) -> *mut (), handle: *mut ()) -> Self {
        LockOf { of, handle }
    }

    /// Asks C for the lock. The table of uses is not locked meanwhile.
    pub(super) fn address(self) -> Option<LockAddress> {
        // SAFETY: guarantee 3: the call has the handle, which is valid (`LockOf::new`).
        let lock = unsafe { (self.of)(self.handle) };
        NonZeroUsize::new(lock.addr())
    }
}

thread_local! {
    /// The lock that this thread has entered last of those that it holds.
    static HELD: Cell<Option<LockAddress>> = const { Cell::new(None) };
    /// The lock that the call of this thread enters when its uses have begun.
    static NEXT: Cell<Option<LockOf>> = const { Cell::new(None) };
}

/// The time in which a thread holds a lock.
pub(crate) type LockTime = RestoreGuard<Option<LockAddress>>;

/// The time in which the uses begin of a call that enters a lock afterwards.
pub(crate) type EnteringTime = RestoreGuard<Option<LockOf>>;

/// Begins the time in which this thread holds the lock, which it has entered.
pub(crate) fn holding(lock: *mut ()) -> LockTime {
    RestoreGuard::set(&HELD, NonZeroUsize::new(lock.addr()))
}

/// Begins the time in which the uses begin of a call that enters the lock before it calls C.
pub(crate) fn entering(lock: LockOf) -> EnteringTime {
    RestoreGuard::set(&NEXT, Some(lock))
}

/// Returns the lock that this thread has entered last of those that it holds. It holds that one until all callbacks
/// have returned that it runs now.
pub(super) fn held() -> Option<LockAddress> {
    HELD.get()
}

/// Takes the lock that the call enters whose uses begin now: code that runs while they wait makes other calls.
pub(super) fn take_next() -> Option<LockOf> {
    NEXT.take()
}
