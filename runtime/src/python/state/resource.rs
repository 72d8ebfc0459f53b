//! The state of a handle that owns a native resource.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;
use pyo3::{PyTraverseError, PyVisit};

use crate::borrow_state::BorrowState;
use crate::error::{Error, Owner};
use crate::fork::{NO_GATE, forks};
use crate::handle::kind::HandleKind;
use crate::python::handle_class::HandleClass;
use crate::python::pending_release::PendingRelease;
use crate::python::thread_bound;
use crate::python::trace::Traced;
use crate::side_table::{self, SideData};

/// The borrow state, atomic on free-threaded Python.
pub(crate) type HandleBorrowState = BorrowState<{ cfg!(Py_GIL_DISABLED) }>;

/// The state of a handle that owns a native resource. It stays at one address as long as the Python object.
pub(crate) struct ResourceState {
    pub(super) kind: &'static HandleKind,
    /// The native pointer; null once the handle is closed or its resource is transferred to C.
    pub(super) raw: AtomicPtr<()>,
    /// The address of the native object when the handle was made. `==` and `hash()` compare it, also after `close()`.
    identity: usize,
    /// The borrow state, which also counts the borrows of the views of this handle.
    pub(crate) borrow_state: HandleBorrowState,
    /// The parent; of a reference-counted object its core.
    pub(super) parent: Option<Py<HandleClass>>,
    /// This handle's place in its parent's list. Accessed only under the parent's `children` lock.
    pub(super) links: UnsafeCell<Links>,
    pub(super) children: Mutex<Children>,
    /// The number of exclusive borrows so far.
    generation: AtomicU64,
    /// The [`gate`](crate::fork::gate) at which [`enter_quick`](super::HandleState::enter_quick) borrows the handle:
    /// the fork count of the process when the handle was made, with [`NO_GATE`] if only one thread may use the handle,
    /// or it has parents.
    pub(super) quick_gate: u64,
    /// The data that few handles have.
    pub(super) special: Option<Box<Special>>,
    /// The child that borrows this handle exclusively for as long as the child lives; null for none.
    pub(crate) holder: AtomicPtr<ResourceState>,
    /// The type of that child.
    pub(crate) holder_kind: AtomicPtr<HandleKind>,
    /// The side data of the handle, valid until the release; null for a kind without side data.
    attached: *const SideData,
    /// The number of leases on this handle and its descendants: of handles with several parents, and of deferred
    /// releases.
    pub(super) dependents: AtomicU32,
    /// The number of memoryviews that hold this handle or a descendant.
    exports: AtomicU32,
}

/// The data of a handle that is bound to a thread, traced, or has several parents.
pub(crate) struct Special {
    /// The number of the thread that made the handle, if only that thread may use it; else 0.
    thread: u64,
    /// The parents besides `up`.
    pub(super) extra_parents: Vec<Py<HandleClass>>,
    /// The number of the handle's lease on the parents in `beside`; 0 for none. `ParentLease` ends the lease.
    pub(super) dependence: AtomicU64,
    /// The handle's entry among the traced handles; `None` if tracing was off when the handle was made.
    traced: Option<Traced>,
}

impl Special {
    /// Returns the data of a new handle with one parent at most; `None` for a handle without such data.
    #[inline(always)]
    pub(crate) fn of_alone(kind: &HandleKind, traced: Option<Traced>) -> Option<Box<Self>> {
        match traced.is_some() || kind.is_thread_bound() || kind.is_callback_only() {
            true => Self::of(kind, Vec::new(), traced),
            false => None,
        }
    }

    /// Returns the data of a new handle; `None` for a handle without such data.
    pub(crate) fn of(
        kind: &HandleKind,
        extra_parents: Vec<Py<HandleClass>>,
        traced: Option<Traced>,
    ) -> Option<Box<Self>> {
        // What C lends to a callback is used on the thread of the callback.
        let is_bound = kind.is_thread_bound() || kind.is_callback_only();
        let is_plain = !is_bound && extra_parents.is_empty() && traced.is_none();
        (!is_plain).then(|| {
            Box::new(Special {
                thread: match is_bound {
                    true => thread_bound::number(),
                    false => 0,
                },
                extra_parents,
                dependence: AtomicU64::new(0),
                traced,
            })
        })
    }
}

/// The place of a handle in the list of its parent's children.
pub(super) struct Links {
    pub(super) linked: bool,
    pub(super) newer: *const ResourceState,
    pub(super) older: *const ResourceState,
}

/// The children of a handle, and what waits for it.
pub(super) struct Children {
    pub(super) newest: *const ResourceState,
    /// `None` until a release is deferred to the handle, or a dependent handle is recorded.
    pub(super) waiting: Option<Box<Waiting>>,
}

/// The releases and the dependent handles that wait for a handle.
#[derive(Default)]
pub(super) struct Waiting {
    /// Deferred releases: resources of handles that were closed or dropped while this handle could not be borrowed.
    pub(super) orphans: Vec<PendingRelease>,
    /// Weak references to handles that live in this one or in a descendant, and also in another handle. The keys are
    /// the numbers of their leases.
    pub(super) dependents: BTreeMap<u64, Py<PyWeakrefReference>>,
    /// Resources whose release C refused, and those that were to be released after them. The next `close()` tries
    /// again.
    pub(super) kept: Vec<PendingRelease>,
}

impl Links {
    /// The place of a handle that is in no list.
    const NONE: Self = Links {
        linked: false,
        newer: ptr::null(),
        older: ptr::null(),
    };
}

impl Children {
    /// The children of a new handle.
    const NONE: Self = Children {
        newest: ptr::null(),
        waiting: None,
    };

    /// Returns what waits for the handle, to add to it.
    pub(super) fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    /// Takes the releases that were deferred to the handle.
    pub(super) fn take_orphans(&mut self) -> Vec<PendingRelease> {
        let orphans = |waiting: &mut Box<Waiting>| std::mem::take(&mut waiting.orphans);
        self.waiting.as_mut().map(orphans).unwrap_or_default()
    }

    /// Takes the releases that were deferred to the handle, then the resources whose release C refused.
    pub(super) fn take_deferred(&mut self) -> Vec<PendingRelease> {
        let mut left = self.take_orphans();
        if let Some(waiting) = &mut self.waiting {
            left.append(&mut waiting.kept);
        }
        left
    }
}

// SAFETY: guarantee 3: `raw` is followed by calls that have entered the handle; guarantee 5: `links` is touched under
// the parent's lock. annotation `thread_bound`: without the word C allows use and release on any thread.
unsafe impl Send for ResourceState {}
// SAFETY: guarantee 3: `raw` is followed by calls that have entered the handle; guarantee 5: `links` is touched under
// the parent's lock. annotation `&self`: without exclusive use C allows calls on several threads.
unsafe impl Sync for ResourceState {}

impl ResourceState {
    /// Bars new borrows of the handle whose state is at `state`. Returns `false` if the handle is closed or borrowed
    /// exclusively.
    ///
    /// # Safety
    ///
    /// `state` is a valid [`ResourceState`].
    pub(crate) unsafe fn exclude_at(state: *mut ()) -> bool {
        // SAFETY: the caller's promise.
        unsafe { &*state.cast::<ResourceState>() }
            .borrow_state
            .try_exclude_new()
            .is_ok()
    }

    /// Ends [`exclude_at`](Self::exclude_at).
    ///
    /// # Safety
    ///
    /// `state` is a valid [`ResourceState`].
    pub(crate) unsafe fn include_at(state: *mut ()) {
        // SAFETY: the caller's promise.
        unsafe { &*state.cast::<ResourceState>() }.release_borrow_mut();
    }

    /// Returns the state of a new handle. `raw` is null for the core of a reference-counted object.
    #[inline(always)]
    pub(super) fn new(
        kind: &'static HandleKind,
        raw: *mut (),
        parent: Option<Py<HandleClass>>,
        special: Option<Box<Special>>,
    ) -> Self {
        let is_bound = special.as_ref().is_some_and(|special| special.thread != 0);
        let has_parents = parent.is_some() || !kind.extra_parents().is_empty();
        let is_quick = !is_bound && !has_parents && !kind.is_counted();
        ResourceState {
            quick_gate: u64::from(forks()) | (NO_GATE * u64::from(!is_quick)),
            generation: AtomicU64::new(0),
            kind,
            raw: AtomicPtr::new(raw),
            identity: raw.addr(),
            borrow_state: HandleBorrowState::new(),
            parent,
            // Constants, so that nothing is put together elsewhere and then moved here.
            links: const { UnsafeCell::new(Links::NONE) },
            children: const { Mutex::new(Children::NONE) },
            special,
            holder: AtomicPtr::new(ptr::null_mut()),
            holder_kind: AtomicPtr::new(ptr::null_mut()),
            attached: attached_of(kind, raw),
            dependents: AtomicU32::new(0),
            exports: AtomicU32::new(0),
        }
    }

    /// Returns the number of the thread that made the handle, if only that thread may use it; else 0.
    #[inline]
    pub(super) fn thread(&self) -> u64 {
        let special = &self.special;
        special.as_ref().map_or(0, |special| special.thread)
    }

    /// Returns whether [`enter_quick`](super::HandleState::enter_quick) may borrow the handle at all.
    #[inline(always)]
    pub(super) fn is_quick(&self) -> bool {
        self.quick_gate & NO_GATE == 0
    }

    /// Returns the fork count of the process when the handle was made.
    #[inline(always)]
    pub(super) fn forks(&self) -> u32 {
        // The lower half.
        self.quick_gate as u32
    }

    /// Returns whether the drop of this state drops no Python object, and the drop of its fields does nothing: the
    /// handle has no parents and keeps nothing.
    #[inline(always)]
    pub(super) fn drops_no_objects(&mut self) -> bool {
        let is_quick = self.is_quick();
        let children = self.children.get_mut();
        let children = children.unwrap_or_else(PoisonError::into_inner);
        is_quick
            && self.special.is_none()
            && children.waiting.is_none()
            && !self.kind.has_attachments()
    }

    /// Returns the parents besides the first.
    #[inline]
    pub(crate) fn extra_parents(&self) -> &[Py<HandleClass>] {
        let special = self.special.as_ref();
        special.map_or(&[], |special| &special.extra_parents)
    }

    /// Ends the handle's entry among the traced handles.
    pub(super) fn end_trace(&self) {
        if let Some(traced) = self.special.as_ref().and_then(|special| special.traced) {
            traced.end();
        }
    }

    /// Returns whether the handle is bound to a thread, or was made before the last fork. `check_owner` then decides.
    #[inline]
    pub(crate) fn may_be_on_wrong_thread(&self) -> bool {
        self.thread() != 0 || self.forks() != forks()
    }

    /// Returns whether only a parent process may use the handle: the kind is process-bound, and the process was forked
    /// since.
    pub(super) fn is_from_parent_process(&self) -> bool {
        self.kind.is_process_bound() && self.forks() != forks()
    }

    /// Returns whether the handle is bound to another thread.
    pub(super) fn is_on_wrong_thread(&self) -> bool {
        self.thread() != 0 && self.thread() != thread_bound::current()
    }

    /// Returns the thread or the process that the handle is bound to, if this is another one.
    pub(super) fn other_owner(&self) -> Option<Owner> {
        if self.is_from_parent_process() {
            Some(Owner::Process)
        } else if self.is_on_wrong_thread() {
            Some(Owner::Thread)
        } else {
            None
        }
    }

    /// Refuses a handle that is bound to another thread or to a parent process. A closed handle passes, because its use
    /// raises `ClosedError`.
    pub(super) fn check_owner(&self) -> Result<(), Error> {
        match self.other_owner().filter(|_| !self.is_closed()) {
            Some(owner) => Err(Error::Owner(self.kind.name(), owner)),
            None => Ok(()),
        }
    }

    /// Returns the side data while the handle is open.
    pub(super) fn attached(&self) -> Option<&SideData> {
        if self.attached.is_null() || self.raw().is_null() {
            return None;
        }
        // SAFETY: guarantee 9: the entry is freed with the resource, by who took the pointer; both happen on threads
        // that are attached to the interpreter, and so not while this one looks.
        unsafe { self.attached.as_ref() }
    }

    /// Shows the parents, and the Python objects in the side data, to the garbage collector.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.parent)?;
        for parent in self.extra_parents() {
            visit.call(parent)?;
        }
        self.attached()
            .map_or(Ok(()), |attached| attached.traverse(visit))
    }

    /// Drops the Python objects in the side data. The garbage collector calls this when nothing reaches the handle any
    /// more.
    pub(super) fn clear(&self) {
        if let Some(attached) = self.attached() {
            attached.clear();
        }
    }

    pub(crate) fn kind(&self) -> &'static HandleKind {
        self.kind
    }

    /// Returns the native pointer; null once the handle is closed or C has the resource.
    #[inline]
    pub(crate) fn raw(&self) -> *mut () {
        self.raw.load(Ordering::Acquire)
    }

    /// Counts a memoryview that holds this handle, in the handle and in its ancestors by first parents.
    pub(crate) fn begin_export(&self) {
        self.exports.fetch_add(1, Ordering::Relaxed);
        if let Some(parent) = self.parent() {
            parent.begin_export();
        }
    }

    /// Ends [`ResourceState::begin_export`].
    pub(crate) fn end_export(&self) {
        self.exports.fetch_sub(1, Ordering::Relaxed);
        if let Some(parent) = self.parent() {
            parent.end_export();
        }
    }

    /// Returns whether a memoryview holds this handle or a descendant.
    pub(crate) fn is_exported(&self) -> bool {
        self.exports.load(Ordering::Relaxed) > 0
    }

    /// Returns the number of exclusive borrows so far.
    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Counts an exclusive borrow, which ends the `until_mut` views of this handle.
    #[inline]
    pub(crate) fn begin_generation(&self) {
        match cfg!(Py_GIL_DISABLED) {
            true => {
                self.generation.fetch_add(1, Ordering::Relaxed);
            }
            // Under the GIL.
            false => self
                .generation
                .store(self.generation() + 1, Ordering::Relaxed),
        }
    }

    /// Returns the sum of the generations of this handle and its ancestors. Each exclusive borrow of one of them
    /// changes the sum.
    pub(crate) fn generation_with_ancestors(&self) -> u64 {
        self.parents().fold(self.generation(), |sum, parent| {
            sum.wrapping_add(parent.lock_owner().generation_with_ancestors())
        })
    }

    /// Returns the address that the native object had when the handle was made.
    pub(super) fn identity(&self) -> usize {
        self.identity
    }

    /// Returns the state on which the borrows of this handle exclude each other: for a reference-counted object, the
    /// core of the object or of its group; else the handle itself.
    #[inline]
    pub(crate) fn lock_owner(&self) -> &ResourceState {
        match &self.parent {
            Some(core) if self.kind.is_counted() => core.get().state().resource().lock_owner(),
            _ => self,
        }
    }

    /// Returns whether the handle is closed. Never blocks, and never calls C.
    pub(crate) fn is_closed(&self) -> bool {
        self.raw().is_null() || self.borrow_state.is_closed()
    }
}

/// Returns the side data of the handle at `raw`, which stays in the table until the release; null for a kind without
/// side data.
fn attached_of(kind: &'static HandleKind, raw: *mut ()) -> *const SideData {
    if !kind.has_attachments() || raw.is_null() {
        return ptr::null();
    }
    side_table::get(kind, raw).map_or(ptr::null(), |attached| Arc::as_ptr(&attached))
}
