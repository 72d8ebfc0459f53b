//! What every Python handle holds, and the three ways in which it ends: `close()`, its parent's `close()`, its drop.
//!
//! Children are linked into their parent, newest first. A call holds its handle and, shared, every ancestor; so whoever
//! has the parent alone knows that no descendant is in use, and closing it waits for no one else. Where another thread
//! has an ancestor alone, a descendant that is closed or dropped is left to that ancestor: it is released when that use
//! ends, before anyone else can enter, so closing never competes for a turn.

mod close;
mod deferred;
mod tree;

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::ptr::{self};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;
use pyo3::{PyTraverseError, PyVisit};

use super::object::HandleClass;
use super::pending_release::PendingRelease;
use super::thread_bound;
use super::trace::Traced;
use super::waiting::wait_for;
use crate::attachment::{self, SideData};
use crate::borrow_state::BorrowState;
use crate::error::{Error, Owner};
use crate::fork::forks;
use crate::handle::kind::HandleKind;

/// The state word, atomic where Python runs threads at the same time.
pub(crate) type HandleBorrowState = BorrowState<{ cfg!(Py_GIL_DISABLED) }>;

/// The data of a Python handle.
pub struct HandleState {
    kind: &'static HandleKind,
    /// Null once it is closed.
    raw: AtomicPtr<()>,
    /// Where the handle was when it was made: what it is known by, closed or not.
    identity: usize,
    /// A view has none of its own: its owner's counts.
    pub(super) borrow_state: HandleBorrowState,
    /// The parent, or a view's owner.
    up: Option<Py<HandleClass>>,
    /// The state whose state a view's use is counted in: its nearest ancestor that is no view. Null for a resource,
    /// whose own it is. `up` keeps it.
    base: *const HandleState,
    /// This handle's place in its parent's list; only touched under the parent's `children` lock.
    links: UnsafeCell<Links>,
    children: Mutex<Children>,
    /// How often it was used alone; of a view, how often its owner was when the view was made.
    generation: AtomicU64,
    /// Whether it is a view that ends with its owner's next use alone, or lives in one.
    until_mut: bool,
    /// How many forks lay behind when it was made.
    forks: u32,
    /// The thread that made it, where only that may use it; else 0.
    thread: u64,
    /// The parents besides `up`.
    beside: Box<[Py<HandleClass>]>,
    /// The child that borrows this handle exclusively for as long as the child lives; null for none.
    pub(super) holder: AtomicPtr<HandleState>,
    /// The type of that child.
    pub(super) holder_kind: AtomicPtr<HandleKind>,
    /// The number of its hold on these; 0 for none. [`ParentLease`] ends it.
    dependence: AtomicU64,
    /// What it has besides its pointer, while it has that; null if that is nothing to Python.
    attached: *const SideData,
    /// How many handles that have other parents, too, live in it or in what lives in it.
    dependents: AtomicU32,
    /// How many views of memory hold it, or what lives in it.
    exports: AtomicU32,
    /// Where it was made, if that is remembered.
    traced: Option<Traced>,
}

struct Links {
    linked: bool,
    newer: *const HandleState,
    older: *const HandleState,
}

struct Children {
    newest: *const HandleState,
    /// Resources that were closed or dropped while this handle could not be entered.
    orphans: Vec<PendingRelease>,
    /// Weak references to handles that live in this one, or in what lives in it, and also in another one.
    dependents: BTreeMap<u64, Py<PyWeakrefReference>>,
    /// Closed resources that C kept, and what they live in; for the next `close()`.
    kept: Vec<PendingRelease>,
}

// SAFETY: guarantee 3: `raw` is followed by calls that have entered the handle; guarantee 5: `links` is touched under
// the parent's lock. annotation `thread_bound`: without the word C allows use and release on any thread.
unsafe impl Send for HandleState {}
// SAFETY: guarantee 3: `raw` is followed by calls that have entered the handle; guarantee 5: `links` is touched under
// the parent's lock. annotation `&self`: without exclusive use C allows calls on several threads.
unsafe impl Sync for HandleState {}

impl HandleState {
    /// Refuses new uses of the handle whose state is at `state`, and returns `false` if it is in use.
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
    /// As there.
    pub(super) unsafe fn include_at(state: *mut ()) {
        // SAFETY: the caller's promise.
        unsafe { &*state.cast::<HandleState>() }.release_borrow_mut();
    }

    pub(super) fn new(
        kind: &'static HandleKind,
        raw: *mut (),
        up: Option<Py<HandleClass>>,
        traced: Option<Traced>,
    ) -> Self {
        let owner = up.as_ref().filter(|_| kind.is_view());
        let owner = owner.map(|owner| owner.get().state());
        let thread = match owner {
            Some(owner) => owner.borrow_owner().thread,
            None if kind.is_thread_bound() => thread_bound::number(),
            None => 0,
        };
        HandleState {
            generation: AtomicU64::new(owner.map_or(0, |owner| {
                owner
                    .borrow_owner()
                    .lock_owner()
                    .generation_with_ancestors()
            })),
            until_mut: owner.is_some_and(|owner| {
                kind.is_until_mut() || owner.kind.is_view() && owner.until_mut
            }),
            kind,
            raw: AtomicPtr::new(raw),
            identity: raw.addr(),
            borrow_state: HandleBorrowState::new(),
            base: owner.map_or(ptr::null(), |owner| ptr::from_ref(owner.borrow_owner())),
            up,
            links: UnsafeCell::new(Links {
                linked: false,
                newer: ptr::null(),
                older: ptr::null(),
            }),
            children: Mutex::new(Children {
                newest: ptr::null(),
                orphans: Vec::new(),
                dependents: BTreeMap::new(),
                kept: Vec::new(),
            }),
            forks: forks(),
            thread,
            beside: Box::default(),
            holder: AtomicPtr::new(ptr::null_mut()),
            holder_kind: AtomicPtr::new(ptr::null_mut()),
            dependence: AtomicU64::new(0),
            attached: attached_of(kind, raw),
            dependents: AtomicU32::new(0),
            exports: AtomicU32::new(0),
            traced,
        }
    }

    /// The same, and it lives also in `keep_alive`, which are not null until it was released.
    pub(super) fn beside(mut self, parents: Vec<Py<HandleClass>>) -> Self {
        if !parents.is_empty() {
            self.beside = parents.into();
        }
        self
    }

    /// Whether it is bound to a thread, or older than this process: then `check_owner` looks closer.
    #[inline]
    pub(super) fn may_be_on_wrong_thread(&self) -> bool {
        self.thread != 0 || self.forks != forks()
    }

    /// Whether this process was forked from the one that alone may use it.
    fn is_from_parent_process(&self) -> bool {
        self.kind.is_process_bound() && self.forks != forks()
    }

    /// Whether another thread alone may use it.
    fn is_on_wrong_thread(&self) -> bool {
        self.thread != 0 && self.thread != thread_bound::current()
    }

    /// Whether this thread, in this process, may use it.
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

    /// What it keeps, while it is open.
    fn attached(&self) -> Option<&SideData> {
        if self.attached.is_null() || self.entered_raw().is_null() {
            return None;
        }
        // SAFETY: guarantee 9: the entry is freed with the resource, by who took the pointer; both happen on threads
        // that are attached to the interpreter, and so not while this one looks.
        unsafe { self.attached.as_ref() }
    }

    /// Show what it refers to to the garbage collector.
    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.up)?;
        for parent in &self.beside {
            visit.call(parent)?;
        }
        self.attached()
            .map_or(Ok(()), |attached| attached.traverse(visit))
    }

    /// Drop the Python objects that it keeps: nobody can reach it any more.
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

    /// Where a handle is that was entered. Another thread may have closed a view since; what it shows is still there.
    #[inline]
    pub(super) fn entered_raw(&self) -> *mut () {
        self.raw.load(Ordering::Acquire)
    }

    /// A view of memory holds it, and all that it lives in.
    pub(super) fn begin_export(&self) {
        self.exports.fetch_add(1, Ordering::Relaxed);
        if let Some(parent) = self.parent() {
            parent.begin_export();
        }
    }

    /// End that.
    pub(super) fn end_export(&self) {
        self.exports.fetch_sub(1, Ordering::Relaxed);
        if let Some(parent) = self.parent() {
            parent.end_export();
        }
    }

    /// Whether a view of memory holds it.
    pub(super) fn is_exported(&self) -> bool {
        self.exports.load(Ordering::Relaxed) > 0
    }

    /// How often this handle was used alone.
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// It is used alone: its `until_mut` views are gone.
    #[inline]
    pub(super) fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it is a view whose owner was used alone since.
    pub(super) fn is_stale(&self) -> bool {
        self.until_mut
            && self.generation() != self.borrow_owner().lock_owner().generation_with_ancestors()
    }

    /// How often this handle and its ancestors were used alone: a number that each such use changes.
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

    /// The state whose state this handle's use is counted in.
    #[inline]
    pub(super) fn borrow_owner(&self) -> &HandleState {
        // SAFETY: Rust: null, or the state of an object that `up` keeps, or the `up` of what that keeps.
        unsafe { self.base.as_ref() }.unwrap_or(self)
    }

    /// Where the uses of this handle, which is no view, exclude each other: the core that it shares with the other
    /// handles of a reference-counted object, or itself.
    #[inline]
    pub(super) fn lock_owner(&self) -> &HandleState {
        match &self.up {
            Some(core) if self.kind.is_counted() => core.get().state().lock_owner(),
            _ => self,
        }
    }

    /// Whether it is closed; never blocks, never touches C.
    pub(super) fn is_closed(&self) -> bool {
        self.raw().is_null() || self.borrow_owner().borrow_state.is_closed()
    }
}

/// Closing and dropping don't compete for a turn.
pub(super) fn never_queued(_: &HandleState) -> bool {
    true
}

/// What the handle at `raw` has besides its pointer, if that is anything to Python: it is there until the release.
fn attached_of(kind: &'static HandleKind, raw: *mut ()) -> *const SideData {
    if !kind.keeps() || raw.is_null() {
        return ptr::null();
    }
    attachment::find(kind, raw).map_or(ptr::null(), |attached| Arc::as_ptr(&attached))
}

/// Wait until `ready`, for which somebody calls [`wake`].
fn wait_until(py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
    while !ready() {
        wait_for(py, &ready)?;
    }
    Ok(())
}
