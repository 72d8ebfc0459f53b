//! The state of a view: a handle that is part of another handle's resource.

use std::cell::{Cell, UnsafeCell};
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::{mem, ptr};

use pyo3::prelude::*;

use super::{HandleState, ResourceState};
use crate::handle::TreeOps;
use crate::handle::kind::HandleKind;
use crate::python::handle_class::HandleClass;
use crate::tree;

/// The bit of [`View::kind`] that says that the view is closed.
const CLOSED: usize = 1;
/// The bit of a part that moves which says that the field of the part refers to this object.
const REGISTERED: usize = 2;
/// The bit that says that the object is the witness of an unlinked subtree.
const WITNESS: usize = 4;
/// The bit of a view of a part that moves, or of a view of that, which says that both are at one address.
const AT_OWNER: usize = 8;
/// The bit of a part that moves which says that the part was adopted: this was the object of another part before.
const ADOPTED: usize = 16;
/// In the place of a kind: what is no view has a box with a [`WatchedView`].
const BOXED_VIEW: usize = 1;
const BITS: usize = CLOSED | REGISTERED | WITNESS | AT_OWNER | ADOPTED;

/// The type of what is in a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boxed {
    Watched,
    Resource,
}

/// The state of a view: the pointer, the owner, and whether the view is closed. It has no fields besides, because
/// programs hold many views.
pub(crate) struct View {
    /// The owner: a resource, or the view that this one is part of. It changes only in [`View::adopt_into`]. `None` for
    /// what is no view, and has a box.
    owner: UnsafeCell<Option<Py<HandleClass>>>,
    /// The kind, with the bits.
    kind: AtomicPtr<HandleKind>,
    /// The native pointer, which stays also when the view is closed: a running call may use it, because the call has
    /// borrowed the owner. It changes only in [`View::adopt_into`].
    raw: Cell<*mut ()>,
}

// SAFETY: guarantee 3: `raw` is followed by calls that have entered the owner. annotation `thread_bound`: without the
// word C allows use on any thread.
unsafe impl Send for View {}
// SAFETY: guarantee 3: `raw` is followed by calls that have entered the owner. annotation `&self`: without exclusive
// use C allows calls on several threads. guarantee 26: the fields change only under the GIL, in `adopt_into`.
unsafe impl Sync for View {}

impl View {
    pub(super) fn new(kind: &'static HandleKind, raw: *mut (), owner: Py<HandleClass>) -> Self {
        const { assert!(align_of::<HandleKind>() > BITS) };
        View {
            owner: UnsafeCell::new(Some(owner)),
            kind: AtomicPtr::new(ptr::from_ref(kind).cast_mut()),
            raw: Cell::new(raw),
        }
    }

    /// Makes it the view of what is at the address of its owner, also after the owner was adopted.
    pub(super) fn at_owner(self) -> Self {
        self.set(AT_OWNER);
        self
    }

    /// Makes it no view, but a box of this type at `state`.
    pub(super) fn of_box(state: *mut (), boxed: Boxed) -> Self {
        let kind = match boxed {
            Boxed::Resource => ptr::null_mut(),
            Boxed::Watched => ptr::without_provenance_mut(BOXED_VIEW),
        };
        View {
            owner: UnsafeCell::new(None),
            kind: AtomicPtr::new(kind),
            raw: Cell::new(state),
        }
    }

    /// Returns the address and the type of the box; `None` for a view.
    #[inline(always)]
    pub(super) fn boxed(&self) -> Option<(*mut (), Boxed)> {
        // No kind is at these addresses.
        match self.kind.load(Ordering::Relaxed).addr() {
            0 => Some((self.raw.get(), Boxed::Resource)),
            BOXED_VIEW => Some((self.raw.get(), Boxed::Watched)),
            _ => None,
        }
    }

    /// The owner. Nobody keeps the reference over a call in which parts are adopted.
    #[inline(always)]
    pub(crate) fn owner(&self) -> &Py<HandleClass> {
        // SAFETY: guarantee 26: `adopt_into` runs while nobody has such a reference. Rust: what is no view is not given
        // out as one (`HandleState::get`).
        unsafe { (*self.owner.get()).as_ref().unwrap_unchecked() }
    }

    /// The native pointer of a view that is open, and not of what is at the address of its owner.
    #[inline(always)]
    pub(super) fn plain_raw(&self) -> Option<*mut ()> {
        let is_plain = self.kind.load(Ordering::Relaxed).addr() & (CLOSED | AT_OWNER) == 0;
        is_plain.then(|| self.raw.get())
    }

    /// The native pointer.
    #[inline(always)]
    pub(super) fn raw(&self) -> *mut () {
        match self.has(AT_OWNER) {
            true => self.owner().get().state().entered_raw(),
            false => self.raw.get(),
        }
    }

    /// Returns whether this view goes with a part that is adopted: the view of such a part, or of what is at the
    /// address of one.
    pub(crate) fn is_adoptable(&self) -> bool {
        self.has(AT_OWNER) || self.kind().tree().is_some()
    }

    /// Returns whether the part that this view is of, or is part of, was adopted.
    pub(super) fn is_adopted(&self) -> bool {
        match self.kind().tree() {
            Some(_) => self.has(ADOPTED),
            None => {
                let owner = self.owner().get().state().as_view();
                owner.is_some_and(View::is_adopted)
            }
        }
    }

    /// Makes this object, which is that of a part, the object of the part at `raw`, and returns the former owner.
    ///
    /// # Safety
    ///
    /// The object is registered. Both parts are valid, the call uses both owners exclusively, the part at `raw` has no
    /// object, `owner` is the object of its owner, and nobody has a reference of [`View::owner`].
    pub(crate) unsafe fn adopt_into(
        &self,
        ops: &TreeOps,
        raw: *mut (),
        owner: Py<HandleClass>,
    ) -> Py<HandleClass> {
        // SAFETY: the caller's promise.
        unsafe {
            let former = ops.object(self.raw.get());
            *ops.object(raw) = mem::replace(&mut *former, ptr::null_mut());
            self.raw.set(raw);
            self.clear(WITNESS);
            self.set(ADOPTED);
            (*self.owner.get()).replace(owner).unwrap_unchecked()
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

    /// Returns whether the view is part of a part that moves, directly or not, and that is closed: it may have been
    /// released since.
    #[inline(always)]
    fn is_owner_closed(&self) -> bool {
        let mut owner = self.owner().get().state().as_view();
        while let Some(view) = owner {
            if view.kind().tree().is_some() && view.has(CLOSED) {
                return true;
            }
            owner = view.owner().get().state().as_view();
        }
        false
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
    #[inline(always)]
    pub(crate) unsafe fn take_place_of(&self, former: *mut c_void) {
        self.set(REGISTERED);
        // SAFETY: the caller's promise.
        if let Some(former) = unsafe { view_of(former) } {
            if former.has(WITNESS) {
                self.set_witness();
            }
            former.forget_part();
        }
    }

    /// Makes this object, which is being dropped, one that the part does not refer to: the part may be released before.
    pub(crate) fn forget_part(&self) {
        self.clear(REGISTERED | WITNESS);
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

    #[inline(always)]
    fn unregister_part(&self) {
        let Some(ops) = self.kind().tree() else {
            return;
        };
        let owner = self.owner().get().state().resource();
        if self.has(WITNESS) {
            self.unregister_witness(ops, owner);
        } else if self.clear_field(ops, owner) {
            // On free-threaded Python, another thread made it the witness meanwhile.
            owner.settle_parts_later();
        }
    }

    #[cold]
    fn unregister_witness(&self, ops: &TreeOps, owner: &ResourceState) {
        // Before the field is cleared: without an object another thread may release the part.
        let borrowed = owner.borrow_for_release();
        let is_witness = self.clear_field(ops, owner);
        match (is_witness, borrowed) {
            (true, true) => owner.lose_witness(ops, self.raw.get()),
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
    #[inline(always)]
    fn clear_field(&self, ops: &TreeOps, owner: &ResourceState) -> bool {
        let _fields = lock_fields();
        if !self.has(REGISTERED) {
            return false;
        }
        let is_witness = self.has(WITNESS);
        self.clear(REGISTERED | WITNESS);
        if owner.raw().is_null() {
            // A call that was given the owner may not have released it.
            if !owner.borrow_state.is_closed() {
                LEFT_FIELDS.fetch_add(1, Ordering::Relaxed);
            }
            return false;
        }
        // SAFETY: guarantee 26: the owner is open, and a part with an object is not released; who closes the owner
        // waits for the lock before the release.
        unsafe { *ops.object(self.raw.get()) = ptr::null_mut() };
        is_witness
    }
}

/// PyO3 drops an object that [`allocation`](crate::python::allocation) does not drop.
impl Drop for View {
    fn drop(&mut self) {
        self.unregister();
    }
}

/// The number of fields that refer to an object which was dropped while a call had been given the owner.
static LEFT_FIELDS: AtomicUsize = AtomicUsize::new(0);

/// Returns a number that changes if a part and its object no longer refer to each other because a call had been given
/// the owner: the object was dropped, or the part was released.
pub(crate) fn left_fields() -> usize {
    LEFT_FIELDS.load(Ordering::Relaxed) + tree::releases_before_end()
}

/// The number of adoptions.
static ADOPTIONS: AtomicUsize = AtomicUsize::new(0);

/// Notes that parts were adopted.
pub(crate) fn note_adoption() {
    ADOPTIONS.fetch_add(1, Ordering::Relaxed);
}

/// Returns the number of adoptions.
pub(crate) fn adoptions() -> usize {
    ADOPTIONS.load(Ordering::Relaxed)
}

/// The state of a view that may end before its owner: with the next exclusive borrow of the owner (`until_mut`), with
/// the adoption of the part that it is part of, or with the view that it is part of.
pub(super) struct WatchedView {
    pub(super) view: View,
    /// The owner's `generation_with_ancestors` when the view was made; `None` for a view that is not `until_mut`, nor
    /// part of such a view.
    generation: Option<u64>,
    /// The number of adoptions when the view was made.
    adoptions: usize,
}

impl WatchedView {
    pub(super) fn new(view: View, generation: Option<u64>) -> Self {
        WatchedView {
            view,
            generation,
            adoptions: adoptions(),
        }
    }

    /// Returns whether the view has ended. A view of an adopted part also ends with the next adoption of any part.
    pub(super) fn is_stale(&self) -> bool {
        let owner = self.view.owner().get().state();
        owner.is_adopted_since(self.adoptions)
            || self
                .generation
                .is_some_and(|made| made != owner.generation_with_ancestors())
            || owner.is_stale()
    }

    pub(super) fn generation(&self) -> Option<u64> {
        self.generation
    }
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
pub(crate) unsafe fn view_of<'a>(object: *mut c_void) -> Option<&'a View> {
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
