//! Values that a handle keeps, such as callbacks. Each value stands in a box of its own, which lives as long as
//! something holds the box: the handle's list, or a running call of the callback.
//!
//! C has a pointer to the box and uses it at any time. Every pointer to the box therefore comes from one
//! [`Box::into_raw`], the runtime makes only shared references to the box, and the last holder takes the box back.

use std::any::Any;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::attachment::{Attachment, SideData};
use crate::interpreter::{ReentrancyGuard, attach_if_running};

/// The first part of a stored value, and all of a lent one: user data points here.
#[repr(C)]
pub(crate) struct BoxedUserData<S> {
    pub(crate) state: *const S,
    /// The side data that the value is in, which lives as long as the value: C may destroy a callback after the handle
    /// was released. `None` for a value that is lent for one call.
    pub(crate) attached: Option<Arc<SideData>>,
    /// The number of holders of the box.
    holds: AtomicUsize,
}

impl<S> BoxedUserData<S> {
    /// User data that only borrows its state.
    #[inline]
    pub(crate) fn lent(state: &S) -> Self {
        BoxedUserData {
            state,
            attached: None,
            holds: AtomicUsize::new(1),
        }
    }
}

/// The box of a value that a handle keeps.
#[repr(C)]
pub(crate) struct StoredValue<S> {
    data: BoxedUserData<S>,
    value: S,
}

/// A stored value with its type forgotten.
pub(crate) trait ErasedAttachment {
    /// Shows the Python objects in the value to the garbage collector.
    #[cfg(feature = "python")]
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError>;

    /// Drops the Python objects in the value.
    #[cfg(feature = "python")]
    fn clear(&self);

    /// Returns the value, for callers that know its type.
    fn value(&self) -> &dyn Any;

    /// Returns the number of holders of the box.
    fn holds(&self) -> &AtomicUsize;
}

impl<S: Attachment> ErasedAttachment for StoredValue<S> {
    #[cfg(feature = "python")]
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        crate::attachment::traverse(&self.value, visit)
    }

    #[cfg(feature = "python")]
    fn clear(&self) {
        crate::attachment::clear(&self.value);
    }

    fn value(&self) -> &dyn Any {
        &self.value
    }

    fn holds(&self) -> &AtomicUsize {
        &self.data.holds
    }
}

/// Puts `value` into a box, which the caller holds.
pub(crate) fn store<S: Attachment>(attached: Arc<SideData>, value: S) -> NonNull<StoredValue<S>> {
    let stored = Box::into_raw(Box::new(StoredValue {
        data: BoxedUserData {
            state: std::ptr::null(),
            attached: Some(attached),
            holds: AtomicUsize::new(1),
        },
        value,
    }));
    // SAFETY: guarantee 8: the box was just made, and nobody else knows it.
    unsafe {
        (*stored).data.state = &raw const (*stored).value;
        NonNull::new_unchecked(stored)
    }
}

/// A hold on user data while its callback runs.
pub(crate) struct UserDataRef<S: Attachment>(NonNull<BoxedUserData<S>>);

impl<S: Attachment> UserDataRef<S> {
    /// Holds `data`.
    ///
    /// # Safety
    ///
    /// `data` is the whole of a lent [`BoxedUserData`], or the start of a [`StoredValue`] that somebody holds; what it points at is
    /// there as long as this hold.
    #[inline]
    pub(crate) unsafe fn of(data: NonNull<BoxedUserData<S>>) -> Self {
        // SAFETY: the caller's promise.
        unsafe { &(*data.as_ptr()).holds }.fetch_add(1, Ordering::Relaxed);
        UserDataRef(data)
    }
}

impl<S: Attachment> Drop for UserDataRef<S> {
    #[inline]
    fn drop(&mut self) {
        let data = self.0.as_ptr();
        // SAFETY: guarantee 8: this is one of the holders.
        let last = unsafe { &(*data).holds }.fetch_sub(1, Ordering::AcqRel) == 1;
        if last {
            // What is lent is held by its call, too.
            // SAFETY: guarantee 8: the user data is the start of a box, which nobody else holds any more.
            drop_kept(unsafe { Box::from_raw(data.cast::<StoredValue<S>>()) });
        }
    }
}

/// Holds a stored value once more.
///
/// # Safety
///
/// The value has a holder.
#[cfg(feature = "python")]
pub(crate) unsafe fn hold(value: NonNull<dyn ErasedAttachment>) {
    // SAFETY: the caller's promise.
    unsafe { value.as_ref() }
        .holds()
        .fetch_add(1, Ordering::Relaxed);
}

/// Ends one hold on a stored value; the last one drops it, which runs the author's code.
///
/// # Safety
///
/// The caller is a holder.
pub(crate) unsafe fn leave(value: NonNull<dyn ErasedAttachment>) {
    // SAFETY: the caller's promise.
    let holds = unsafe { value.as_ref() }.holds();
    if holds.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: guarantee 8: the pointer came from `store`, and nobody else holds the box any more.
        drop_kept(unsafe { Box::from_raw(value.as_ptr()) });
    }
}

/// Drops a value that a handle kept. The `Drop` may run Python code, which must not wait for the call that this thread
/// is in.
fn drop_kept<V: ?Sized>(value: Box<V>) {
    attach_if_running(|| {
        let _python = ReentrancyGuard::begin();
        drop(value);
    });
}
