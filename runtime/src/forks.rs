//! How many forks lie behind this process: what is bound to a process, and what other threads held, ends with one.

use std::ffi::c_int;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static FORKS: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    fn pthread_atfork(
        prepare: Option<extern "C" fn()>,
        parent: Option<extern "C" fn()>,
        child: Option<extern "C" fn()>,
    ) -> c_int;
}

extern "C" fn in_forked_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
}

/// Take notice of forks from now on.
pub(crate) fn watch_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handler only adds to a number, which is allowed in a forked child. Where there is no memory to
        // remember it, forks go unnoticed.
        let _ = unsafe { pthread_atfork(None, None, Some(in_forked_child)) };
    });
}

/// How many forks lie between this process and the one that began to watch.
pub(crate) fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}
