//! Values that a handle keeps, such as callbacks. Each value stands in a box of its own, which lives as long as
//! something holds the box: the handle's list, or a running call of the callback.
//!
//! C has a pointer to the box and uses it at any time. Every pointer to the box therefore comes from one
//! [`Box::into_raw`], the runtime makes only shared references to the box, and the last holder takes the box back.

use std::any::Any;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use smallvec::{SmallVec, smallvec};

use crate::attachment::Attachment;
use crate::handle::HasAttachments;
use crate::handle::kind::Id;
use crate::side_table::{
    self, AttachmentSlot, ErasedAttachment, Scope, SideData, drop_value, entry_of,
};

/// The first part of a stored value, and all of a lent one: user data points here.
#[repr(C)]
pub(crate) struct BoxedUserData<S> {
    pub(crate) state: *const S,
    /// The side data that the value is in, which lives as long as the value: C may destroy a callback after the handle
    /// was released. `None` for a value that is lent for one call.
    pub(crate) attached: Option<Arc<SideData>>,
    /// The handles that nothing uses while an `exclusive` callback runs.
    pub(crate) handles: SmallVec<[Id; 1]>,
    /// The number of holders of the box.
    holds: AtomicUsize,
}

impl<S> BoxedUserData<S> {
    /// User data that only borrows its state, for a call on these handles.
    #[inline]
    pub(crate) fn lent(state: &S, handles: impl IntoIterator<Item = Id>) -> Self {
        BoxedUserData {
            state,
            attached: None,
            handles: handles.into_iter().collect(),
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

impl<S: Attachment> ErasedAttachment for StoredValue<S> {
    #[cfg(feature = "python")]
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        crate::attachment::traverse(&self.value, visit)
    }

    #[cfg(feature = "python")]
    fn clear(&self, taken: &mut Vec<pyo3::Py<pyo3::PyAny>>) {
        crate::attachment::clear(&self.value, taken);
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
            handles: smallvec![attached.handle()],
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
    /// `data` is the whole of a lent [`BoxedUserData`], or the start of a [`StoredValue`] that somebody holds; what it
    /// points at is there as long as this hold.
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
            drop_value(unsafe { Box::from_raw(data.cast::<StoredValue<S>>()) });
        }
    }
}

/// Keeps `value` exactly as long as the native handle: `value` is dropped right after the handle was released. If
/// `value` holds Python objects, the garbage collector sees them through the handle's object. Of a guard, pass the
/// handle: `attach(&*guard, value)`.
///
/// # Panics
///
/// If C owns the handle, as with a handle that is [`Borrowed`](crate::Borrowed) from another one: the runtime does not
/// learn when such a handle ends.
pub fn attach<T: HasAttachments>(handle: &T, value: impl Attachment) {
    let attached = entry_of(handle);
    let value = store(attached.clone(), value);
    attached.change(|values| {
        values.push(AttachmentSlot {
            scope: Scope::Forever,
            stays: true,
            is_prepared: false,
            value,
        });
    });
}

/// Returns the newest value of type `V` that [`attach`] added to the handle.
///
/// A handle that C lends may be released by its owner meanwhile, where C keeps it. Its values then stay until the
/// handle that C lent it by has ended, or until the callback has returned that C lent that one to.
pub fn attached<V: Attachment, T: HasAttachments>(handle: &T) -> Option<&V> {
    let found = side_table::get(T::kind(), handle.as_raw().cast())?.change(|values| {
        let mut newest = values.iter().rev();
        newest.find_map(|entry| {
            // What may go before the handle is not lent for as long: also a callback that C is just being given, and
            // may refuse.
            // SAFETY: guarantee 8: the list holds the box of each entry.
            let value = unsafe { entry.value.as_ref() }.value();
            value
                .downcast_ref::<V>()
                .filter(|_| entry.stays)
                .map(ptr::from_ref)
        })
    });
    // SAFETY: guarantee 8: what `attach` added stays in its box until the handle was released; guarantee 3: the
    // handle is borrowed as long as the result.
    found.map(|value| unsafe { &*value })
}
