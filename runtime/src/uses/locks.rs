//! The library's own locks (`lock`) that threads hold, and that their calls are about to enter.
//!
//! A call that enters a lock waits for the thread that holds it, also where it must not wait for a use: in a body, and
//! in a callback. So it waits there for the end of an `exclusive` callback, too, whose thread holds a lock meanwhile.
//! That thread waits for no use, and a thread that holds a lock itself is not let wait in this way.

use std::cell::Cell;

use crate::restore_guard::RestoreGuard;

thread_local! {
    /// Set while this thread holds a lock.
    static HOLDS: Cell<bool> = const { Cell::new(false) };
    /// Set while the uses begin of a call that enters a lock when they have begun.
    static ENTERS: Cell<bool> = const { Cell::new(false) };
}

/// The time in which a thread holds a lock, or in which the uses begin of a call that enters one.
pub(crate) type LockTime = RestoreGuard<bool>;

/// Begins the time in which this thread holds a lock.
pub(crate) fn holding() -> LockTime {
    RestoreGuard::set(&HOLDS, true)
}

/// Begins the time in which the uses begin of a call that enters a lock before it calls C.
pub(crate) fn entering() -> LockTime {
    RestoreGuard::set(&ENTERS, true)
}

/// Returns whether this thread holds a lock, until all callbacks have returned that it runs now.
pub(super) fn is_held() -> bool {
    HOLDS.get()
}

/// Returns whether the call enters a lock whose uses begin now. Code that runs while they wait makes other calls.
pub(super) fn take_entering() -> bool {
    ENTERS.take()
}
