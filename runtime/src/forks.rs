//! How many forks lie behind this process: what is bound to a process, and what other threads held, ends with one.
//!
//! A forked child has one thread. A lock that another thread held stays held there for ever; so whoever forks takes the
//! runtime's own locks first ([`Shared`]), and both processes find them free.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

static FORKS: AtomicU32 = AtomicU32::new(0);

/// Takes a lock, until what it returns is dropped.
type Take = fn() -> Box<dyn Any>;

static LOCKS: Mutex<Vec<Take>> = Mutex::new(Vec::new());

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
    let locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    let held: Vec<Box<dyn Any>> = locks.iter().map(|take| take()).collect();
    let held = held.into_iter().chain([Box::new(locks) as Box<dyn Any>]);
    let held = held.collect();
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
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handlers take and free locks that are held for a few instructions, none within another one, and
        // add to a number. Where there is no memory to remember them, forks go unnoticed.
        let _ =
            unsafe { pthread_atfork(Some(before_fork), Some(after_fork), Some(in_forked_child)) };
    });
}

/// How many forks lie between this process and the one that began to watch.
pub(crate) fn forks() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// What all threads share, under a lock that is free in a forked child. Locked for a few instructions, and never while
/// another one is.
pub(crate) struct Shared<T> {
    value: Mutex<T>,
    known: Once,
    take: Take,
}

impl<T> Shared<T> {
    /// `value`, whose lock `take` takes.
    pub(crate) const fn new(value: T, take: Take) -> Self {
        Shared {
            value: Mutex::new(value),
            known: Once::new(),
            take,
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.known.call_once(|| {
            watch_forks();
            let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
            locks.push(self.take);
        });
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
