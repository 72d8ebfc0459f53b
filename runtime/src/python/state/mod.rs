//! The state of a Python handle. A handle ends in one of three ways: its `close()`, its parent's `close()`, its drop.
//!
//! Children are linked into their parent, newest first. A call borrows its handle and, shared, every ancestor. So a
//! thread that borrows the parent exclusively knows that no descendant is in use, and closing the parent waits for no
//! other call. If another thread borrows an ancestor exclusively, the release of a closed or dropped descendant is
//! deferred to that ancestor. The release runs when the exclusive borrow ends, before another call can borrow the
//! ancestor. So closing never competes for a turn.

mod close;
mod deferred;
mod quick;
mod tree;

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;
use pyo3::{PyTraverseError, PyVisit};

use super::handle_class::HandleClass;
use super::pending_release::PendingRelease;
use super::thread_bound;
use super::trace::Traced;
use super::waiting::wait_for;
use crate::borrow_state::BorrowState;
use crate::error::{Error, Owner};
use crate::fork::forks;
use crate::handle::kind::HandleKind;
use crate::side_table::{self, SideData};

/// The borrow state, atomic on free-threaded Python.
pub(crate) type HandleBorrowState = BorrowState<{ cfg!(Py_GIL_DISABLED) }>;

/// The data of a Python handle.
pub struct HandleState {
    kind: &'static HandleKind,
    /// The native pointer; null once the handle is closed or its resource is transferred to C.
    raw: AtomicPtr<()>,
    /// The address of the native object when the handle was made. `==` and `hash()` compare it, also after `close()`.
    identity: usize,
    /// The borrow state. A view's own borrow state only records whether the view is closed: its borrows are counted in
    /// `base`.
    pub(super) borrow_state: HandleBorrowState,
    /// The parent: of a view its owner, of a reference-counted object its core.
    parent: Option<Py<HandleClass>>,
    /// The state that counts a view's borrows: the nearest ancestor that is no view. Null for a resource, which counts
    /// its own borrows. `up` keeps the ancestor alive.
    base: *const HandleState,
    /// This handle's place in its parent's list. Accessed only under the parent's `children` lock.
    links: UnsafeCell<Links>,
    children: Mutex<Children>,
    /// The number of exclusive borrows so far. Of a view with `until_mut`, the owner's `generation_with_ancestors` when
    /// the view was made.
    generation: AtomicU64,
    /// Set for a view that ends with the next exclusive borrow of its owner, and for a view of such a view.
    until_mut: bool,
    /// The native pointer, for [`HandleState::enter_quick`]; null if that does not borrow the handle.
    quick: AtomicPtr<()>,
    /// The state that counts a quick borrow: the handle's own or, for a view, `base`. Set with `quick`.
    counted: AtomicPtr<HandleState>,
    /// The fork count of the process when the handle was made. As wide as [`gate`](crate::fork::gate), which is compared
    /// to it.
    forks: u64,
    /// The data that few handles have.
    special: Option<Box<Special>>,
    /// The child that borrows this handle exclusively for as long as the child lives; null for none.
    pub(super) holder: AtomicPtr<HandleState>,
    /// The type of that child.
    pub(super) holder_kind: AtomicPtr<HandleKind>,
    /// The side data of the handle, valid until the release; null for a kind without side data.
    attached: *const SideData,
    /// The number of leases on this handle and its descendants: of handles with several parents, and of deferred
    /// releases.
    dependents: AtomicU32,
    /// The number of memoryviews that hold this handle or a descendant.
    exports: AtomicU32,
}

/// The data of a handle that is bound to a thread, traced, or has several parents. A view has none: its owner has.
pub(super) struct Special {
    /// The number of the thread that made the handle, if only that thread may use it; else 0.
    thread: u64,
    /// The parents besides `up`.
    extra_parents: Vec<Py<HandleClass>>,
    /// The number of the handle's lease on the parents in `beside`; 0 for none. `ParentLease` ends the lease.
    dependence: AtomicU64,
    /// The handle's entry among the traced handles; `None` if tracing was off when the handle was made.
    traced: Option<Traced>,
}

impl Special {
    /// Returns the data of a new handle; `None` for a handle without such data.
    #[inline]
    pub(super) fn of(
        kind: &HandleKind,
        extra_parents: Vec<Py<HandleClass>>,
        traced: Option<Traced>,
    ) -> Option<Box<Self>> {
        let is_plain = !kind.is_thread_bound() && extra_parents.is_empty() && traced.is_none();
        (!is_plain).then(|| {
            Box::new(Special {
                thread: match kind.is_thread_bound() {
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

/// A quick borrow, until this is dropped.
pub(super) struct QuickBorrow<'a, const EXCLUSIVE: bool> {
    counted: &'a HandleState,
    raw: NonNull<()>,
}

impl<const EXCLUSIVE: bool> QuickBorrow<'_, EXCLUSIVE> {
    /// The native pointer of the handle.
    #[inline(always)]
    pub(super) fn raw(&self) -> NonNull<()> {
        self.raw
    }
}

impl<const EXCLUSIVE: bool> Drop for QuickBorrow<'_, EXCLUSIVE> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.counted.borrow_state.release_quick(EXCLUSIVE) {
            self.counted.release_slow(EXCLUSIVE);
        }
    }
}

struct Links {
    linked: bool,
    newer: *const HandleState,
    older: *const HandleState,
}

struct Children {
    newest: *const HandleState,
    /// `None` until a release is deferred to the handle, or a dependent handle is recorded.
    waiting: Option<Box<Waiting>>,
}

/// The releases and the dependent handles that wait for a handle.
#[derive(Default)]
struct Waiting {
    /// Deferred releases: resources of handles that were closed or dropped while this handle could not be borrowed.
    orphans: Vec<PendingRelease>,
    /// Weak references to handles that live in this one or in a descendant, and also in another handle. The keys are
    /// the numbers of their leases.
    dependents: BTreeMap<u64, Py<PyWeakrefReference>>,
    /// Resources whose release C refused, and those that were to be released after them. The next `close()` tries
    /// again.
    kept: Vec<PendingRelease>,
}

impl Children {
    /// Returns what waits for the handle, to add to it.
    fn waiting(&mut self) -> &mut Waiting {
        self.waiting.get_or_insert_default()
    }

    /// Takes the releases that were deferred to the handle.
    fn take_orphans(&mut self) -> Vec<PendingRelease> {
        let orphans = |waiting: &mut Box<Waiting>| std::mem::take(&mut waiting.orphans);
        self.waiting.as_mut().map(orphans).unwrap_or_default()
    }

    /// Takes the releases that were deferred to the handle, then the resources whose release C refused.
    fn take_deferred(&mut self) -> Vec<PendingRelease> {
        let mut left = self.take_orphans();
        if let Some(waiting) = &mut self.waiting {
            left.append(&mut waiting.kept);
        }
        left
    }
}

// SAFETY: guarantee 3: `raw` is followed by calls that have entered the handle; guarantee 5: `links` is touched under
// the parent's lock. annotation `thread_bound`: without the word C allows use and release on any thread.
unsafe impl Send for HandleState {}
// SAFETY: guarantee 3: `raw` is followed by calls that have entered the handle; guarantee 5: `links` is touched under
// the parent's lock. annotation `&self`: without exclusive use C allows calls on several threads.
unsafe impl Sync for HandleState {}

impl HandleState {
    /// Bars new borrows of the handle whose state is at `state`. Returns `false` if the handle is closed or borrowed
    /// exclusively.
    ///
    /// # Safety
    ///
    /// `state` is a valid [`HandleState`].
    pub(super) unsafe fn exclude_at(state: *mut ()) -> bool {
        // SAFETY: the caller's promise.
        unsafe { &*state.cast::<HandleState>() }
            .borrow_state
            .try_exclude_new()
            .is_ok()
    }

    /// Ends [`exclude_at`](Self::exclude_at).
    ///
    /// # Safety
    ///
    /// `state` is a valid [`HandleState`].
    pub(super) unsafe fn include_at(state: *mut ()) {
        // SAFETY: the caller's promise.
        unsafe { &*state.cast::<HandleState>() }.release_borrow_mut();
    }

    pub(super) fn new(
        kind: &'static HandleKind,
        raw: *mut (),
        parent: Option<Py<HandleClass>>,
        special: Option<Box<Special>>,
    ) -> Self {
        let owner = parent.as_ref().filter(|_| kind.is_view());
        let owner = owner.map(|owner| owner.get().state());
        let until_mut = owner
            .is_some_and(|owner| kind.is_until_mut() || owner.kind.is_view() && owner.until_mut);
        let watched = owner.filter(|_| until_mut);
        HandleState {
            quick: AtomicPtr::new(ptr::null_mut()),
            counted: AtomicPtr::new(ptr::null_mut()),
            generation: AtomicU64::new(watched.map_or(0, |owner| {
                owner
                    .borrow_owner()
                    .lock_owner()
                    .generation_with_ancestors()
            })),
            until_mut,
            kind,
            raw: AtomicPtr::new(raw),
            identity: raw.addr(),
            borrow_state: HandleBorrowState::new(),
            base: owner.map_or(ptr::null(), |owner| ptr::from_ref(owner.borrow_owner())),
            parent,
            links: UnsafeCell::new(Links {
                linked: false,
                newer: ptr::null(),
                older: ptr::null(),
            }),
            children: Mutex::new(Children {
                newest: ptr::null(),
                waiting: None,
            }),
            forks: forks().into(),
            special,
            holder: AtomicPtr::new(ptr::null_mut()),
            holder_kind: AtomicPtr::new(ptr::null_mut()),
            attached: attached_of(kind, raw),
            dependents: AtomicU32::new(0),
            exports: AtomicU32::new(0),
        }
    }

    /// Returns the number of the thread that made the handle or, for a view, the owner, if only that thread may use it;
    /// else 0.
    #[inline]
    pub(super) fn thread(&self) -> u64 {
        let special = &self.borrow_owner().special;
        special.as_ref().map_or(0, |special| special.thread)
    }

    /// Returns the parents besides `up`.
    #[inline]
    pub(super) fn extra_parents(&self) -> &[Py<HandleClass>] {
        let special = self.special.as_ref();
        special.map_or(&[], |special| &special.extra_parents)
    }

    /// Ends the handle's entry among the traced handles.
    fn end_trace(&self) {
        if let Some(traced) = self.special.as_ref().and_then(|special| special.traced) {
            traced.end();
        }
    }

    /// Returns whether the handle is bound to a thread, or was made before the last fork. `check_owner` then decides.
    #[inline]
    pub(super) fn may_be_on_wrong_thread(&self) -> bool {
        self.thread() != 0 || self.forks != u64::from(forks())
    }

    /// Returns whether only a parent process may use the handle: the kind is process-bound, and the process was forked
    /// since.
    fn is_from_parent_process(&self) -> bool {
        self.kind.is_process_bound() && self.forks != u64::from(forks())
    }

    /// Returns whether the handle is bound to another thread.
    fn is_on_wrong_thread(&self) -> bool {
        self.thread() != 0 && self.thread() != thread_bound::current()
    }

    /// Refuses a handle that is bound to another thread or to a parent process. A closed handle passes, because its use
    /// raises `ClosedError`.
    pub(super) fn check_owner(&self) -> Result<(), Error> {
        if self.is_closed() {
            // Whoever uses it hears that.
            return Ok(());
        }
        let owner = if self.is_from_parent_process() {
            Owner::Process
        } else if self.is_on_wrong_thread() {
            Owner::Thread
        } else {
            return Ok(());
        };
        Err(Error::Owner(self.kind.name(), owner))
    }

    /// Returns the side data while the handle is open.
    fn attached(&self) -> Option<&SideData> {
        if self.attached.is_null() || self.entered_raw().is_null() {
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

    pub(super) fn kind(&self) -> &'static HandleKind {
        self.kind
    }

    pub(super) fn raw(&self) -> *mut () {
        // A view's own state only says whether it was closed.
        if !self.base.is_null() && (self.borrow_state.is_closed() || self.is_stale()) {
            return ptr::null_mut();
        }
        self.entered_raw()
    }

    /// Returns the native pointer of a borrowed handle. A view's pointer stays valid if another thread closes the view,
    /// because the call has borrowed the owner.
    #[inline]
    pub(super) fn entered_raw(&self) -> *mut () {
        self.raw.load(Ordering::Acquire)
    }

    /// Counts a memoryview that holds this handle, in the handle and in its ancestors by first parents.
    pub(super) fn begin_export(&self) {
        self.exports.fetch_add(1, Ordering::Relaxed);
        if let Some(parent) = self.parent() {
            parent.begin_export();
        }
    }

    /// Ends [`HandleState::begin_export`].
    pub(super) fn end_export(&self) {
        self.exports.fetch_sub(1, Ordering::Relaxed);
        if let Some(parent) = self.parent() {
            parent.end_export();
        }
    }

    /// Returns whether a memoryview holds this handle or a descendant.
    pub(super) fn is_exported(&self) -> bool {
        self.exports.load(Ordering::Relaxed) > 0
    }

    /// Returns the number of exclusive borrows so far. Of a view with `until_mut`, returns the owner's when the view was
    /// made.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Counts an exclusive borrow, which ends the `until_mut` views of this handle.
    #[inline]
    pub(super) fn begin_generation(&self) {
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

    /// Returns whether this is an `until_mut` view whose owner, or an ancestor of the owner, was borrowed exclusively
    /// since.
    pub(super) fn is_stale(&self) -> bool {
        self.until_mut
            && self.generation() != self.borrow_owner().lock_owner().generation_with_ancestors()
    }

    /// Returns the sum of the generations of this handle and its ancestors. Each exclusive borrow of one of them
    /// changes the sum.
    pub(super) fn generation_with_ancestors(&self) -> u64 {
        self.parents().fold(self.generation(), |sum, parent| {
            sum.wrapping_add(
                parent
                    .borrow_owner()
                    .lock_owner()
                    .generation_with_ancestors(),
            )
        })
    }

    pub(super) fn identity(&self) -> usize {
        self.identity
    }

    /// Returns the state that counts this handle's borrows: of a view, the nearest ancestor that is no view.
    #[inline]
    pub(super) fn borrow_owner(&self) -> &HandleState {
        // SAFETY: Rust: null, or the state of an object that `up` keeps, or the `up` of what that keeps.
        unsafe { self.base.as_ref() }.unwrap_or(self)
    }

    /// Returns the state on which the borrows of this handle, which is no view, exclude each other: for a
    /// reference-counted object, the core of the object or of its group; else the handle itself.
    #[inline]
    pub(super) fn lock_owner(&self) -> &HandleState {
        match &self.parent {
            Some(core) if self.kind.is_counted() => core.get().state().lock_owner(),
            _ => self,
        }
    }

    /// Returns whether the handle is closed. Never blocks, and never calls C.
    pub(super) fn is_closed(&self) -> bool {
        self.raw().is_null() || self.borrow_owner().borrow_state.is_closed()
    }
}

/// Returns `true`: closing and dropping pass the queue of every handle.
pub(super) fn never_queued(_: &HandleState) -> bool {
    true
}

/// Returns the side data of the handle at `raw`, which stays in the table until the release; null for a kind without
/// side data.
fn attached_of(kind: &'static HandleKind, raw: *mut ()) -> *const SideData {
    if !kind.has_attachments() || raw.is_null() {
        return ptr::null();
    }
    side_table::get(kind, raw).map_or(ptr::null(), |attached| Arc::as_ptr(&attached))
}

/// Waits until `ready` returns `true`. The thread that changes the answer calls [`wake`](super::waiting::wake).
fn wait_until(py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
    while !ready() {
        wait_for(py, &ready)?;
    }
    Ok(())
}
