//! How many forks lie behind this process: what is bound to a process, and what other threads held, ends with one.
//!
//! A forked child has one thread. A lock that another thread held stays held there for ever; so whoever forks takes the
//! runtime's own locks first ([`Lock`]), and both processes find them free. Nothing here waits for a first time to be over:
//! the thread that it is over for might be gone.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);

/// A lock of the runtime's own, which is held for a few instructions and never while another one is: takes it, until what
/// comes back is dropped.
pub(crate) struct Lock(pub(crate) fn() -> Box<dyn Any>);

inventory::collect!(Lock);

thread_local! {
    /// The locks that this thread holds while it forks.
    static HELD: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

extern "C" fn before_fork() {
    let locks = inventory::iter::<Lock>.into_iter();
    let held = locks.map(|Lock(take)| take()).collect();
    let _ = HELD.try_with(|mine| mine.replace(held));
}

extern "C" fn after_fork() {
    let _ = HELD.try_with(RefCell::take);
}

extern "C" fn in_forked_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
    after_fork();
}

/// Take notice of forks from now on.
pub(crate) fn watch_forks() {
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if WATCHED.load(Ordering::Relaxed) || WATCHED.swap(true, Ordering::Relaxed) {
        return;
    }
    // SAFETY: the handlers take and free locks that are held for a few instructions, none within another one, and add to
    // a number. Where there is no memory to remember them, forks go unnoticed.
    let _ = unsafe { pthread_atfork(Some(before_fork), Some(after_fork), Some(in_forked_child)) };
}

/// How many forks lie between this process and the one that began to watch.
pub(crate) fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}
