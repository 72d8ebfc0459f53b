//! The state of a view: a handle that is part of another handle's resource.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::prelude::*;

use crate::handle::kind::HandleKind;
use crate::python::handle_class::HandleClass;

/// The bit of [`View::kind`] that says that the view is closed.
const CLOSED: usize = 1;

/// The state of a view: the pointer, the owner, and whether the view is closed. It has no fields besides, because
/// programs hold many views.
pub(super) struct View {
    /// The owner: a resource, or the view that this one is part of.
    pub(super) owner: Py<HandleClass>,
    /// The kind, with [`CLOSED`].
    kind: AtomicPtr<HandleKind>,
    /// The native pointer, which stays also when the view is closed: a running call may use it, because the call has
    /// borrowed the owner.
    pub(super) raw: *mut (),
}

// SAFETY: guarantee 3: `raw` is followed by calls that have entered the owner. annotation `thread_bound`: without the
// word C allows use on any thread.
unsafe impl Send for View {}
// SAFETY: guarantee 3: `raw` is followed by calls that have entered the owner. annotation `&self`: without exclusive
// use C allows calls on several threads.
unsafe impl Sync for View {}

impl View {
    pub(super) fn new(kind: &'static HandleKind, raw: *mut (), owner: Py<HandleClass>) -> Self {
        const { assert!(align_of::<HandleKind>() > CLOSED) };
        View {
            owner,
            kind: AtomicPtr::new(ptr::from_ref(kind).cast_mut()),
            raw,
        }
    }

    #[inline]
    pub(super) fn kind(&self) -> &'static HandleKind {
        let kind = self.kind.load(Ordering::Relaxed);
        // SAFETY: Rust: without the bit it is the pointer that `new` made of a static reference.
        unsafe { &*kind.map_addr(|address| address & !CLOSED) }
    }

    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        self.kind.load(Ordering::Relaxed).addr() & CLOSED != 0
    }

    pub(super) fn close(&self) {
        let kind = self.kind.load(Ordering::Relaxed);
        // Whoever closes the view at the same time stores the same.
        let closed = kind.map_addr(|address| address | CLOSED);
        self.kind.store(closed, Ordering::Relaxed);
    }
}

/// The state of a view that ends with the next exclusive borrow of its owner, or of a view of such a view.
pub(super) struct WatchedView {
    pub(super) view: View,
    /// The owner's `generation_with_ancestors` when the view was made.
    pub(super) generation: u64,
}
