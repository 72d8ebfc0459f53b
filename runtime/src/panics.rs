//! Panics of code that is not this crate's: authors' expressions, `Drop` of what a handle keeps.
//!
//! Such code runs where ownership may not be settled yet, or where several owners have to be served. [`Caught`] runs
//! each piece whatever the others do, keeps the first panic, and continues it when everything is settled.

use std::any::Any;
use std::cell::Cell;
use std::mem::{ManuallyDrop, forget, needs_drop};
use std::ops::{Deref, DerefMut};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// The value of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// The first panic of several pieces of code.
#[doc(hidden)]
pub struct Caught(Cell<Option<Payload>>);

impl Caught {
    /// No panic yet.
    #[inline]
    pub(crate) const fn new() -> Self {
        Caught(Cell::new(None))
    }

    /// Runs `run`; `None` if it panicked.
    #[inline]
    pub fn run<R>(&self, run: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => Some(result),
            Err(payload) => {
                self.store(payload);
                None
            }
        }
    }

    /// Stores a panic that was caught elsewhere, unless there is one already.
    #[cold]
    pub(crate) fn store(&self, payload: Payload) {
        match self.0.take() {
            None => self.0.set(Some(payload)),
            Some(first) => {
                self.0.set(Some(first));
                discard(payload);
            }
        }
    }

    /// Takes the panic out.
    #[inline]
    pub(crate) fn take(&self) -> Option<Payload> {
        self.0.take()
    }

    /// Continues the panic.
    #[inline]
    pub(crate) fn resume(&self) {
        if let Some(payload) = self.take() {
            resume_unwind(payload);
        }
    }

    /// Continues the panic from a `Drop`. While the thread unwinds already, a second panic would abort the process: the
    /// panic hook has told about it, and it ends here.
    pub(crate) fn resume_in_drop(&self) {
        match self.take() {
            Some(payload) if std::thread::panicking() => discard(payload),
            Some(payload) => resume_unwind(payload),
            None => {}
        }
    }
}

impl Drop for Caught {
    #[inline]
    fn drop(&mut self) {
        if let Some(payload) = self.take() {
            discard(payload);
        }
    }
}

/// A value of the author's type, whose `Drop` may panic. While the thread unwinds already, a second panic would abort
/// the process: the panic hook has told about it, and it ends here.
pub(crate) struct Contained<T>(ManuallyDrop<T>);

impl<T> Contained<T> {
    #[inline(always)]
    pub(crate) const fn new(value: T) -> Self {
        Contained(ManuallyDrop::new(value))
    }

    /// Returns the value.
    #[inline(always)]
    pub(crate) fn into_inner(self) -> T {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: Rust: `this` is not used or dropped afterwards.
        unsafe { ManuallyDrop::take(&mut this.0) }
    }
}

impl<T> Deref for Contained<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Contained<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> Drop for Contained<T> {
    #[inline(always)]
    fn drop(&mut self) {
        if !const { needs_drop::<T>() } {
            return;
        }
        // SAFETY: Rust: `self` is not used afterwards.
        let value = unsafe { ManuallyDrop::take(&mut self.0) };
        match std::thread::panicking() {
            false => drop(value),
            true => {
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
                    discard(panic);
                }
            }
        }
    }
}

/// Drops the value of a panic that ends here. The value is of any type, so its own `Drop` may panic, with another
/// value.
#[cold]
pub(crate) fn discard(mut payload: Payload) {
    for _ in 0..16 {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(again) => payload = again,
        }
    }
    // It would never end.
    forget(payload);
}
