//! The state of a view: a handle that is part of another handle's resource.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::prelude::*;

use super::HandleState;
use crate::handle::TreeOps;
use crate::handle::kind::HandleKind;
use crate::python::handle_class::HandleClass;

/// The bit of [`View::kind`] that says that the view is closed.
const CLOSED: usize = 1;
/// The bit of a part that moves which says that the field of the part refers to this object.
const REGISTERED: usize = 2;
/// The bit that says that the object is the witness of an unlinked subtree.
const WITNESS: usize = 4;
const BITS: usize = CLOSED | REGISTERED | WITNESS;

/// The state of a view: the pointer, the owner, and whether the view is closed. It has no fields besides, because
/// programs hold many views.
pub(crate) struct View {
    /// The owner: a resource, or the view that this one is part of.
    pub(super) owner: Py<HandleClass>,
    /// The kind, with the bits.
    kind: AtomicPtr<HandleKind>,
    /// The native pointer, which stays also when the view is closed: a running call may use it, because the call has
    /// borrowed the owner.
    pub(crate) raw: *mut (),
}

// SAFETY: guarantee 3: `raw` is followed by calls that have entered the owner. annotation `thread_bound`: without the
// word C allows use on any thread.
unsafe impl Send for View {}
// SAFETY: guarantee 3: `raw` is followed by calls that have entered the owner. annotation `&self`: without exclusive
// use C allows calls on several threads.
unsafe impl Sync for View {}

impl View {
    pub(super) fn new(kind: &'static HandleKind, raw: *mut (), owner: Py<HandleClass>) -> Self {
        const { assert!(align_of::<HandleKind>() > BITS) };
        View {
            owner,
            kind: AtomicPtr::new(ptr::from_ref(kind).cast_mut()),
            raw,
        }
    }

    #[inline]
    pub(super) fn kind(&self) -> &'static HandleKind {
        let kind = self.kind.load(Ordering::Relaxed);
        // SAFETY: Rust: without the bits it is the pointer that `new` made of a static reference.
        unsafe { &*kind.map_addr(|address| address & !BITS) }
    }

    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        self.kind.load(Ordering::Relaxed).addr() & CLOSED != 0 || self.is_owner_closed()
    }

    /// Returns whether the view is part of a part that moves, and that is closed: it may have been released since.
    #[inline(always)]
    fn is_owner_closed(&self) -> bool {
        let owner = self.owner.get().state().as_view();
        owner.is_some_and(|owner| owner.kind().tree().is_some() && owner.is_closed())
    }

    /// Closes the view. Python gets another object of a part that moves from then on.
    pub(super) fn close(&self) {
        self.unregister();
        self.set(CLOSED);
    }

    fn set(&self, bits: usize) {
        self.change(|address| address | bits);
    }

    fn has(&self, bit: usize) -> bool {
        self.kind.load(Ordering::Relaxed).addr() & bit != 0
    }

    fn clear(&self, bits: usize) {
        self.change(|address| address & !bits);
    }

    fn change(&self, change: impl Fn(usize) -> usize) {
        let change = |kind: *mut HandleKind| Some(kind.map_addr(&change));
        match cfg!(Py_GIL_DISABLED) {
            true => {
                let _ = self
                    .kind
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
            }
            // Under the GIL.
            false => {
                let kind = self.kind.load(Ordering::Relaxed);
                self.kind
                    .store(change(kind).unwrap_or(kind), Ordering::Relaxed);
            }
        }
    }

    /// Makes this object the one of the part, in the place of `former`, which is being dropped, or null.
    ///
    /// # Safety
    ///
    /// As for [`view_of`]. The thread has the lock of the fields.
    pub(crate) unsafe fn take_place_of(&self, former: *mut c_void) {
        self.set(REGISTERED);
        // SAFETY: the caller's promise.
        if let Some(former) = unsafe { view_of(former) } {
            if former.has(WITNESS) {
                self.set_witness();
            }
            // The part may be released before the former object is dropped.
            former.clear(REGISTERED | WITNESS);
        }
    }

    /// Makes the object the witness of an unlinked subtree.
    fn set_witness(&self) {
        self.set(WITNESS);
    }

    /// Clears the field of the part, if that refers to this object. If the object was the witness of an unlinked
    /// subtree, another one becomes that, or the subtree is released.
    #[inline(always)]
    pub(super) fn unregister(&self) {
        if self.has(REGISTERED) {
            self.unregister_part();
        }
    }

    #[inline(never)]
    fn unregister_part(&self) {
        let Some(ops) = self.kind().tree() else {
            return;
        };
        let owner = self.owner.get().state().resource();
        if !self.has(WITNESS) {
            if self.clear_field(ops) {
                // On free-threaded Python, another thread made it the witness meanwhile.
                owner.settle_parts_later();
            }
            return;
        }
        // Before the field is cleared: without an object another thread may release the part.
        let borrowed = owner.borrow_for_release();
        let is_witness = self.clear_field(ops);
        match (is_witness, borrowed) {
            (true, true) => owner.lose_witness(ops, self.raw),
            (true, false) => owner.settle_parts_later(),
            (false, _) => {}
        }
        if borrowed {
            owner.end_borrow_for_release();
        }
    }

    /// Clears the field of the part, if this object is registered and the owner is open. Returns whether the object
    /// was the witness of an unlinked subtree. This is the last use of the part: it may be released from then on,
    /// unless the owner is borrowed.
    fn clear_field(&self, ops: &TreeOps) -> bool {
        let _fields = lock_fields();
        if !self.has(REGISTERED) {
            return false;
        }
        let is_witness = self.has(WITNESS);
        self.clear(REGISTERED | WITNESS);
        if self.owner.get().state().resource().raw().is_null() {
            return false;
        }
        // SAFETY: guarantee 26: the owner is open, and a part with an object is not released; who closes the owner
        // waits for the lock before the release.
        unsafe { *ops.object(self.raw) = ptr::null_mut() };
        is_witness
    }
}

/// PyO3 drops an object that [`allocation`](crate::python::allocation) does not drop.
impl Drop for View {
    fn drop(&mut self) {
        self.unregister();
    }
}

/// The state of a view that ends with the next exclusive borrow of its owner, or of a view of such a view.
pub(super) struct WatchedView {
    pub(super) view: View,
    /// The owner's `generation_with_ancestors` when the view was made.
    pub(super) generation: u64,
}

#[cfg(Py_GIL_DISABLED)]
static FIELDS: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[cfg(Py_GIL_DISABLED)]
inventory::submit! { crate::fork::Lock(|| Box::new(lock_fields())) }

/// Locks the fields of all parts that refer to their objects.
#[cfg(Py_GIL_DISABLED)]
pub(crate) fn lock_fields() -> std::sync::MutexGuard<'static, ()> {
    FIELDS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// With a GIL nobody else looks at the fields meanwhile.
#[cfg(not(Py_GIL_DISABLED))]
pub(crate) struct FieldsLock;

#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub(crate) fn lock_fields() -> FieldsLock {
    FieldsLock
}

/// Returns the state of the object of a part. Does not count an owner of the object.
///
/// # Safety
///
/// `object` is null, or the object of a part, of which the memory is there for as long as the result is used.
unsafe fn view_of<'a>(object: *mut c_void) -> Option<&'a View> {
    if object.is_null() {
        return None;
    }
    // SAFETY: the caller's promise: the thread is attached to the interpreter, as objects of parts are used.
    unsafe {
        let py = Python::assume_attached();
        let object = pyo3::Borrowed::from_ptr(py, object.cast());
        let object = object.cast_unchecked::<HandleClass>();
        let state: *const HandleState = object.get().state();
        (*state).as_view()
    }
}

/// Makes the object that the field of a part refers to the witness of an unlinked subtree. Returns false if there is no
/// object.
///
/// # Safety
///
/// The part is valid, and its owner is borrowed.
pub(super) unsafe fn set_witness(field: *mut *mut c_void) -> bool {
    let _fields = lock_fields();
    // SAFETY: the caller's promise. The field refers to an object whose memory is there until `View::clear_field` took
    // the lock.
    let view = unsafe { view_of(*field) };
    view.inspect(|view| view.set_witness()).is_some()
}
