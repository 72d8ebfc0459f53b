//! What every Python handle holds, and the three ways in which it ends: `close()`, its parent's `close()`, its drop.
//!
//! Children are linked into their parent, newest first. A call holds its handle and, shared, every ancestor; so whoever
//! has the parent alone knows that no descendant is in use, and closing it waits for no one else. Where another thread
//! has an ancestor alone, a descendant that is closed or dropped is left to that ancestor: it is released when that use
//! ends, before anyone else can enter, so closing never competes for a turn.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};
use pyo3::{PyTraverseError, PyVisit};

use super::ancestors::Refused;
use super::apart_from_pending;
use super::call::Mode;
use super::exceptions::to_pyerr;
use super::interpreter::is_ending;
use super::object::HandleClass;
use super::pending_release::{ParentLease, PendingRelease, ReleaseOutcome};
use super::reentrancy::{ReentrancyGuard, inside_python};
use super::ref_counted;
use super::thread_bound;
use super::trace::Traced;
use super::waiting::{Place, wait_for, wake};
use crate::attachment::{self, SideData, with_python};
use crate::borrow_state::{BorrowError, BorrowState};
use crate::children::{self, Id};
use crate::error::{Error, Owner, report};
use crate::fork::forks;
use crate::handle::ReleaseError;
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
    pub(super) fn new(
        kind: &'static HandleKind,
        raw: *mut (),
        up: Option<Py<HandleClass>>,
        traced: Option<Traced>,
    ) -> Self {
        let owner = up.as_ref().filter(|_| kind.is_view());
        let owner = owner.map(|owner| owner.get().state());
        let thread = match owner {
            Some(owner) => owner.base().thread,
            None if kind.is_thread_bound() => thread_bound::number(),
            None => 0,
        };
        HandleState {
            generation: AtomicU64::new(
                owner.map_or(0, |owner| owner.base().locked().generation_with_ancestors()),
            ),
            until_mut: owner.is_some_and(|owner| {
                kind.is_until_mut() || owner.kind.is_view() && owner.until_mut
            }),
            kind,
            raw: AtomicPtr::new(raw),
            identity: raw.addr(),
            borrow_state: HandleBorrowState::new(),
            base: owner.map_or(ptr::null(), |owner| ptr::from_ref(owner.base())),
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

    /// Whether it has parents besides `up`.
    pub(super) fn has_more_parents(&self) -> bool {
        !self.beside.is_empty()
    }

    /// `up` and the others.
    pub(super) fn parents(&self) -> impl Iterator<Item = &HandleState> {
        let beside = self.beside.iter().map(|parent| parent.get().state());
        self.parent().into_iter().chain(beside)
    }

    /// Do something to this one and to all that it lives in.
    pub(super) fn with_ancestors(&self, each: &mut dyn FnMut(&HandleState)) {
        each(self);
        for parent in self.parents() {
            parent.with_ancestors(each);
        }
    }

    /// One more handle that has other parents, too, lives in it; what refers to that, if it can be closed from here.
    pub(super) fn gain_dependent(&self, weak: Option<(u64, Py<PyWeakrefReference>)>) {
        self.dependents.fetch_add(1, Ordering::Relaxed);
        self.children().dependents.extend(weak);
    }

    /// The one of that number was released.
    pub(super) fn lose_dependent(&self, number: u64) {
        let weak = self.children().dependents.remove(&number);
        self.dependents.fetch_sub(1, Ordering::Relaxed);
        with_python(|| drop(weak));
    }

    /// Whether it is bound to a thread, or older than this process: then `check_owner` looks closer.
    #[inline]
    pub(super) fn may_be_elsewhere(&self) -> bool {
        self.thread != 0 || self.forks != forks()
    }

    /// Whether this process was forked from the one that alone may use it.
    fn is_left_behind(&self) -> bool {
        self.kind.is_process_bound() && self.forks != forks()
    }

    /// Whether another thread alone may use it.
    fn is_elsewhere(&self) -> bool {
        self.thread != 0 && self.thread != thread_bound::current()
    }

    /// Whether this thread, in this process, may use it.
    pub(super) fn check_owner(&self) -> Result<(), Error> {
        if self.is_closed() {
            // Whoever uses it hears that.
            return Ok(());
        }
        let owner = if self.is_left_behind() {
            Owner::Process
        } else if self.is_elsewhere() {
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
        self.until_mut && self.generation() != self.base().locked().generation_with_ancestors()
    }

    /// How often this handle and its ancestors were used alone: a number that each such use changes.
    pub(super) fn generation_with_ancestors(&self) -> u64 {
        self.parents().fold(self.generation(), |sum, parent| {
            sum.wrapping_add(parent.base().locked().generation_with_ancestors())
        })
    }

    pub(super) fn identity(&self) -> usize {
        self.identity
    }

    pub(super) fn up(&self) -> Option<&Py<HandleClass>> {
        self.up.as_ref()
    }

    pub(super) fn parent(&self) -> Option<&HandleState> {
        self.up.as_ref().map(|up| up.get().state())
    }

    /// The state whose state this handle's use is counted in.
    #[inline]
    pub(super) fn base(&self) -> &HandleState {
        // SAFETY: Rust: null, or the state of an object that `up` keeps, or the `up` of what that keeps.
        unsafe { self.base.as_ref() }.unwrap_or(self)
    }

    /// Where the uses of this handle, which is no view, exclude each other: the core that it shares with the other
    /// handles of a reference-counted object, or itself.
    #[inline]
    pub(super) fn locked(&self) -> &HandleState {
        match &self.up {
            Some(core) if self.kind.is_counted() => core.get().state().locked(),
            _ => self,
        }
    }

    /// Whether it is closed; never blocks, never touches C.
    pub(super) fn is_closed(&self) -> bool {
        self.raw().is_null() || self.base().borrow_state.is_closed()
    }

    fn has_closing_ended(&self) -> bool {
        self.borrow_state.is_closed() || !self.borrow_state.is_closing()
    }

    fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Become the newest child of the parent. `self` must be where it stays: inside its Python object.
    pub(super) fn link(&self) {
        if let Some(attached) = self.attached() {
            attached
                .state
                .store(ptr::from_ref(self).cast_mut().cast(), Ordering::Release);
        }
        let Some(parent) = self.parent() else { return };
        let mut children = parent.children();
        // SAFETY: guarantee 5: the parent's lock is held, and the list holds only headers that unlink themselves
        // before they go.
        unsafe {
            *self.links.get() = Links {
                linked: true,
                newer: ptr::null(),
                older: children.newest,
            };
            if let Some(older) = children.newest.as_ref() {
                (*older.links.get()).newer = self;
            }
        }
        children.newest = self;
    }

    /// Become one that the other parents close first; `weak` refers to this handle's object.
    pub(super) fn depend(&self, weak: &Bound<'_, PyWeakrefReference>) {
        let number = ParentLease::number();
        for parent in &self.beside {
            parent.get().state().with_ancestors(&mut |above| {
                above.gain_dependent(Some((number, weak.clone().unbind())));
            });
        }
        self.dependence.store(number, Ordering::Release);
    }

    fn unlink(&self, children: &mut Children) {
        // SAFETY: guarantee 5: the caller holds the parent's lock, as `children` shows.
        let links = unsafe { &mut *self.links.get() };
        if !links.linked {
            return;
        }
        links.linked = false;
        // SAFETY: guarantee 5: the neighbours in the list have not gone, as they are linked.
        unsafe {
            match links.newer.as_ref() {
                Some(newer) => (*newer.links.get()).older = links.older,
                None => children.newest = links.older,
            }
            if let Some(older) = links.older.as_ref() {
                (*older.links.get()).newer = links.newer;
            }
        }
    }

    fn take(&self) -> Option<PendingRelease> {
        if let Some(attached) = self.attached() {
            attached.state.store(ptr::null_mut(), Ordering::Release);
        }
        let raw = self.raw.swap(ptr::null_mut(), Ordering::AcqRel);
        if raw.is_null() {
            return None;
        }
        if let Some(traced) = self.traced {
            traced.end();
        }
        if self.kind.is_counted() {
            ref_counted::leave(raw);
        }
        Some(PendingRelease {
            kind: self.kind,
            raw,
            needs: self.take_dependence(),
            holds: self.take_parent_hold(),
            heard: None,
        })
    }

    /// This handle's hold on its other parents, for whoever releases it. The thread is attached to the interpreter.
    fn take_dependence(&self) -> Option<ParentLease> {
        if !self.has_more_parents() {
            return None;
        }
        let number = self.dependence.swap(0, Ordering::AcqRel);
        (number != 0).then(|| ParentLease {
            number,
            parents: self.clone_parents(None),
        })
    }

    /// The other parents, after `first`.
    pub(super) fn clone_parents(&self, first: Option<&Py<HandleClass>>) -> Vec<Py<HandleClass>> {
        // SAFETY: CPython: this thread is attached, since resources are taken by Python objects and their calls.
        let py = unsafe { Python::assume_attached() };
        let parents = first.into_iter().chain(&self.beside);
        parents.map(|parent| parent.clone_ref(py)).collect()
    }

    /// The name of something that lives in it and belongs to another thread.
    fn descendant_elsewhere(&self) -> Option<&'static str> {
        let children = self.children();
        // SAFETY: guarantee 5: the lock is held, so the children cannot go before they have been unlinked.
        let mut next = unsafe { children.newest.as_ref() };
        while let Some(child) = next {
            let open = !child.entered_raw().is_null();
            if open && child.is_elsewhere() {
                return Some(child.kind.name());
            }
            if let Some(name) = child.descendant_elsewhere() {
                return Some(name);
            }
            // SAFETY: guarantee 5: the lock is held, so the children cannot go before they have been unlinked.
            next = unsafe { (*child.links.get()).older.as_ref() };
        }
        None
    }

    /// Move the resources of all descendants to `doomed`, children before their parents and newest first.
    ///
    /// The caller has this handle alone.
    fn take_descendants(&self, doomed: &mut Vec<PendingRelease>) {
        let mut children = self.children();
        // SAFETY: guarantee 5: the lock is held, so the child cannot go before it has been unlinked.
        while let Some(child) = unsafe { children.newest.as_ref() } {
            child.take_descendants(doomed);
            doomed.extend(child.take());
            if child.borrow_state.close() {
                wake();
            }
            child.unlink(&mut children);
        }
        doomed.append(&mut children.orphans);
        doomed.append(&mut children.kept);
    }

    /// End a use of this handle alone, after releasing what was left to it.
    pub(super) fn release_borrow_mut(&self) {
        loop {
            let children = self.children();
            if children.orphans.is_empty() {
                // Under the lock, so that no one leaves an orphan to a handle that is just being left.
                if self.borrow_state.release_borrow_mut() {
                    wake();
                }
                return;
            }
            drop(children);
            self.release_orphans();
        }
    }

    /// Release what was left to this handle.
    fn release_orphans(&self) {
        let orphans = std::mem::take(&mut self.children().orphans);
        for orphan in orphans {
            if let Some(kept) = orphan.release_for_others() {
                self.children().kept.push(kept);
            }
        }
    }

    #[inline]
    pub(super) fn release_borrow(&self) {
        if self.borrow_state.release_borrow() {
            wake();
        }
    }

    /// Close this handle and all that live in it. Returns when the native resource is gone.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        thread_bound::receive();
        if self.is_left_behind() {
            self.abandon();
            return Ok(());
        }
        if self.kind.is_view() {
            self.close_dependents(py)?;
            self.borrow_state.close();
            return Ok(());
        }
        if !self.is_closed() {
            self.check_owner().map_err(|error| to_pyerr(py, error))?;
            self.check_dependents_first(py)?;
            self.close_dependents(py)?;
        }
        loop {
            match self.borrow_state.begin_close() {
                Ok(()) => break,
                Err(BorrowError::Closed) => return self.wait_for_closing_ancestor(py),
                Err(BorrowError::Busy) => self.wait(py, || self.has_closing_ended())?,
            }
        }
        let _marked = ClosingGuard(self);
        let mut place = None;
        loop {
            match self.borrow_ancestors(Mode::Shared, never_queued) {
                Ok(()) => match self.borrow_state.try_finish_close() {
                    Ok(()) => {
                        let released = self.check_descendants().and_then(|()| self.release_all());
                        self.release_ancestors(Mode::Shared);
                        return released.map_err(|error| to_pyerr(py, error));
                    }
                    Err(refusal) => {
                        let waits = refusal == BorrowError::Busy && !self.is_exported();
                        if waits && self.allow_wait(py).is_ok() {
                            self.interrupt();
                        }
                        self.release_ancestors(Mode::Shared);
                        if refusal == BorrowError::Closed {
                            return self.wait_for_closing_ancestor(py);
                        }
                        if self.is_exported() {
                            return Err(to_pyerr(py, Error::Exported(self.kind.name())));
                        }
                        self.wait(py, || !self.borrow_state.is_borrowed())?;
                    }
                },
                Err(_) if self.borrow_state.is_closed() => {
                    return self.wait_for_closing_ancestor(py);
                }
                Err((ancestor, Refused::Held)) => {
                    return Err(to_pyerr(py, ancestor.held_error()));
                }
                Err((ancestor, Refused::Closed)) => {
                    ancestor.wait(py, || ancestor.has_closing_ended())?;
                }
                Err((ancestor, Refused::Busy)) => {
                    ancestor.allow_wait(py)?;
                    if self.thread != 0 || self.has_more_parents() {
                        // What is left to the ancestor would be released on another thread, or after a parent.
                        ancestor.queue(py, &mut place, false)?;
                    } else if let Some(ending) = self.leave_to(ancestor) {
                        let waited = wait_until(py, || ending.has_come());
                        // Also if a signal ended the wait: it is out of this thread's hands.
                        self.become_closed();
                        waited?;
                        return ending
                            .error()
                            .map_or(Ok(()), |error| Err(to_pyerr(py, error)));
                    }
                }
            }
        }
    }

    /// Whether it is certain already that this handle can't be closed: then what lives in it stays as it is.
    fn check_dependents_first(&self, py: Python<'_>) -> PyResult<()> {
        if self.dependents.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        if let Some(name) = self.descendant_elsewhere() {
            return Err(to_pyerr(py, Error::Owner(name, Owner::Thread)));
        }
        if self.is_exported() {
            return Err(to_pyerr(py, Error::Exported(self.kind.name())));
        }
        match self.borrow_state.is_borrowed() {
            true => self.allow_wait(py),
            false => Ok(()),
        }
    }

    /// Close the handles that live in this one, or in what lives in it, and also in another one.
    fn close_dependents(&self, py: Python<'_>) -> PyResult<()> {
        // The newest first, as among children.
        let mut below = u64::MAX;
        while self.dependents.load(Ordering::Relaxed) > 0 {
            let found = {
                let children = self.children();
                let mut left = children.dependents.range(..below);
                left.next_back()
                    .map(|(number, weak)| (*number, weak.clone_ref(py)))
            };
            let Some((number, weak)) = found else { break };
            if let Some(object) = weak.bind(py).upgrade()
                && let Ok(handle) = object.cast::<HandleClass>()
            {
                handle.get().state().close(py)?;
            }
            below = number;
        }
        Ok(())
    }

    /// Whether this thread can release all that lives in this handle, which it has alone.
    fn check_descendants(&self) -> Result<(), Error> {
        if let Some(name) = self.descendant_elsewhere() {
            return Err(self.give_up(Error::Owner(name, Owner::Thread)));
        }
        if self.dependents.load(Ordering::Relaxed) > 0 {
            return Err(self.give_up(Error::Busy(self.kind.name())));
        }
        Ok(())
    }

    /// Let all that belongs to the process that this one was forked from be, and call that closed.
    fn abandon(&self) {
        let mut left = Vec::new();
        self.take_descendants(&mut left);
        left.extend(self.take());
        left.into_iter().for_each(PendingRelease::abandon);
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        self.become_closed();
    }

    /// Release what this thread has alone, and all that lives in it. Where C keeps one of them, that and what it lives
    /// in stay for another time, and this handle is not closed.
    fn release_all(&self) -> Result<(), Error> {
        let mut first = match self.release_descendants() {
            Err(ReleaseError {
                error, kept: true, ..
            }) => return Err(self.give_up(error)),
            released => released.map_err(|unreleased| unreleased.error),
        };
        if let Some(mut resource) = self.take()
            && let Err(ReleaseError { error, kept, lost }) = resource.close()
        {
            if lost {
                // It may be there for ever, and so are its parents.
                std::mem::forget(ParentLease::begin(self.clone_parents(self.up.as_ref())));
            }
            first = first.and(Err(error));
            if kept {
                self.keep(&mut resource);
                return first.map_err(|error| self.give_up(error));
            }
        }
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        self.become_closed();
        first
    }

    /// Have the resource again, which C kept.
    fn keep(&self, resource: &mut PendingRelease) {
        if let Some(needs) = resource.needs.take() {
            self.dependence.store(needs.number, Ordering::Release);
            needs.leave();
        }
        if let Some(holds) = resource.holds.take() {
            holds.leave();
            self.hold_parent();
        }
        self.raw.store(resource.raw, Ordering::Release);
        if let Some(attached) = self.attached() {
            let here = ptr::from_ref(self).cast_mut().cast();
            attached.state.store(here, Ordering::Release);
        }
    }

    /// Release all that lives in this handle, which this thread has alone, up to one that C keeps. What went wrong first.
    fn release_descendants(&self) -> Result<(), ReleaseError> {
        let mut first = Ok(());
        let mut doomed = Vec::new();
        self.take_descendants(&mut doomed);
        let mut doomed = doomed.into_iter();
        while let Some(resource) = doomed.next() {
            let Err(ReleaseError { error, kept, lost }) = resource.close() else {
                continue;
            };
            first = first.and(Err(error));
            if kept {
                let left = [resource].into_iter().chain(doomed);
                self.children().kept.extend(left);
                return first.map_err(|error| ReleaseError { error, kept, lost });
            }
        }
        first.map_err(ReleaseError::gone)
    }

    /// Take the resource out of this handle, which this call has alone, for C to have; first what lives in it is
    /// released. Then [`HandleState::take_back`] or [`HandleState::given`].
    pub(super) fn give_away(&self) -> Result<NonNull<()>, Error> {
        self.release_descendants()
            .map_err(|unreleased| unreleased.error)?;
        children::check_childless(Id::new(self.kind, self.entered_raw()))?;
        let raw = self.raw.swap(ptr::null_mut(), Ordering::AcqRel);
        Ok(NonNull::new(raw).unwrap_or_else(|| unreachable!("an entered handle is open")))
    }

    /// C did not want it after all.
    pub(super) fn take_back(&self, raw: NonNull<()>) {
        self.raw.store(raw.as_ptr(), Ordering::Release);
    }

    /// What was given away is gone: the handle is closed.
    pub(super) fn given(&self, raw: NonNull<()>) {
        drop(self.take_dependence());
        drop(self.take_parent_hold());
        if let Some(traced) = self.traced {
            traced.end();
        }
        if self.kind.is_counted() {
            ref_counted::leave(raw.as_ptr());
        }
        // The call still has it, and leaves it when it ends; its drop takes it out of the parent's list.
        if self.borrow_state.close_while_borrowed() {
            wake();
        }
    }

    /// Wake the calls that block on this handle, which this thread closes.
    fn interrupt(&self) {
        let Some(raw) = NonNull::new(self.entered_raw()) else {
            return;
        };
        // What is called may be written in Rust, and use handles.
        let _python = ReentrancyGuard::begin();
        // SAFETY: guarantee 2: who releases the handle is this thread, or one that closes an ancestor; the ancestors
        // are held.
        unsafe { self.kind.interrupt(raw) };
    }

    /// Be no longer alone with a handle that was not closed after all; whoever marked it takes the mark back.
    fn give_up(&self, error: Error) -> Error {
        if self.borrow_state.release_borrow_mut() {
            wake();
        }
        error
    }

    fn take_all(&self) -> Vec<PendingRelease> {
        let mut doomed = Vec::new();
        self.take_descendants(&mut doomed);
        doomed.extend(self.take());
        doomed
    }

    fn become_closed(&self) {
        if self.borrow_state.close() {
            wake();
        }
    }

    /// Leave this handle, marked as closing, and all that lives in it to `ancestor`, which another thread has alone:
    /// that use's end releases them. `None` if it has ended already, else what says when they are gone.
    fn leave_to(&self, ancestor: &HandleState) -> Option<Arc<ReleaseOutcome>> {
        let parent = self.parent()?;
        let mut above = ancestor.children();
        // It can't be left while its children are locked, and until then no one uses what lives in it.
        if !ancestor.borrow_state.is_borrowed_mut() {
            return None;
        }
        if ptr::eq(ancestor, parent) {
            self.unlink(&mut above);
        } else {
            self.unlink(&mut parent.children());
        }
        let ending = Arc::new(ReleaseOutcome::default());
        let mut doomed = self.take_all();
        // The last one is this handle's own. If there is none, the ancestor's close was faster.
        doomed.last_mut()?.heard = Some(ending.clone());
        above.orphans.append(&mut doomed);
        Some(ending)
    }

    /// A handle is closed as soon as its parent's `close()` took it; it is gone when that ends.
    fn wait_for_closing_ancestor(&self, py: Python<'_>) -> PyResult<()> {
        let mut above = self.parent();
        while let Some(ancestor) = above {
            // Inside of Python code it is perhaps this thread that closes it.
            while !ancestor.has_closing_ended() && ancestor.allow_wait(py).is_ok() {
                ancestor.wait(py, || ancestor.has_closing_ended())?;
            }
            above = ancestor.parent();
        }
        Ok(())
    }

    /// Wait for a while, or until this handle's present use ends or it is `ready`.
    pub(super) fn wait(&self, py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
        self.allow_wait(py)?;
        self.borrow_state.register_waiter();
        // Someone else may have been woken and the handle be in use again: then no one would wake this thread.
        wait_for(py, || !self.borrow_state.has_waiter() || ready())
    }

    /// Wait for a while, or until this handle can be used, in its queue: in `place`, or at its end.
    pub(super) fn queue<'a>(
        &'a self,
        py: Python<'_>,
        place: &mut Option<Place<'a>>,
        exclusive: bool,
    ) -> PyResult<()> {
        self.allow_wait(py)?;
        if !place
            .as_ref()
            .is_some_and(|place| place.is_for(self, exclusive))
        {
            // The old one first: a call that stood in two queues could wait for itself.
            *place = None;
            *place = Some(Place::take(self, exclusive));
        }
        place.as_ref().map_or(Ok(()), |place| place.wait(py))
    }

    /// `BusyError` where this thread must not wait for this handle.
    fn allow_wait(&self, py: Python<'_>) -> PyResult<()> {
        match self.may_wait() {
            true => Ok(()),
            false => Err(to_pyerr(py, Error::Busy(self.kind.name()))),
        }
    }

    /// Whether this thread may wait for this handle: not inside a call that runs Python, nor where the thread that uses
    /// it may be one of the process that this one was forked from, or one that the ending interpreter has hung.
    pub(super) fn may_wait(&self) -> bool {
        !inside_python() && self.forks == forks() && !is_ending()
    }

    /// Release what the last reference leaves behind, or leave it to the ancestor that can't be entered now.
    fn drop_resource(&self) {
        if self.is_left_behind() {
            return self.abandon();
        }
        if self.is_elsewhere() {
            return self.leave_to_thread();
        }
        let Some(parent) = self.parent() else {
            // What C keeps now is lost, and reported.
            self.release_dropped();
            return;
        };
        loop {
            let blocked = match self.borrow_ancestors(Mode::Shared, never_queued) {
                Ok(()) => {
                    self.unlink(&mut parent.children());
                    let kept = self.release_dropped();
                    parent.children().kept.extend(kept);
                    return self.release_ancestors(Mode::Shared);
                }
                Err((holder, Refused::Held)) if self.thread == 0 && self.has_more_parents() => {
                    return self.leave_to_held(holder);
                }
                Err((blocked, _)) => blocked,
            };
            if self.thread != 0 || self.has_more_parents() {
                // Whoever has the ancestor is another thread, and does not keep the other parents.
                return self.leave_to_thread();
            }
            let mut above = blocked.children();
            if blocked.borrow_state.is_borrowed_mut()
                || blocked.borrow_state.is_closing()
                || blocked.is_held()
            {
                if ptr::eq(blocked, parent) {
                    self.unlink(&mut above);
                } else {
                    self.unlink(&mut parent.children());
                }
                above.orphans.append(&mut self.children().orphans);
                above.orphans.extend(self.take());
                return;
            }
        }
    }

    /// Leave the resource of a dropped handle, with its hold on all parents, to an ancestor that another child holds: the
    /// end of that hold releases it.
    fn leave_to_held(&self, ancestor: &HandleState) {
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        let mut left = self.take_left();
        left.extend(self.take());
        for resource in &mut left {
            let needs = ParentLease::begin(self.clone_parents(self.up.as_ref()));
            drop(resource.needs.replace(needs));
        }
        ancestor.children().orphans.append(&mut left);
        if !ancestor.is_held() {
            ancestor.release_deferred();
        }
    }

    /// Release what was left to this handle, unless a call is in the way, whose end then does.
    pub(super) fn release_deferred(&self) {
        if self.borrow_with_ancestors(never_queued).is_ok() {
            self.release_orphans();
            self.release_with_ancestors();
        }
    }

    /// Leave the resource of a dropped handle to the thread that made it, which may be this one; where that does not
    /// matter, to this one.
    fn leave_to_thread(&self) {
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        // What was left to it goes first.
        let mut left = self.take_left();
        left.extend(self.take());
        left.into_iter().for_each(|resource| self.send(resource));
    }

    /// What was left to this handle, or kept by C.
    fn take_left(&self) -> Vec<PendingRelease> {
        let mut children = self.children();
        let kept = std::mem::take(&mut children.kept);
        let mut left = std::mem::take(&mut children.orphans);
        left.extend(kept);
        left
    }

    fn send(&self, mut resource: PendingRelease) {
        // What it had itself ends only now.
        let needs = ParentLease::begin(self.clone_parents(self.up.as_ref()));
        drop(resource.needs.replace(needs));
        let thread = match self.thread {
            0 => thread_bound::number(),
            thread => thread,
        };
        if let Err(resource) = thread_bound::send(thread, resource) {
            report(Error::Owner(self.kind.name(), Owner::EndedThread));
            // Its parents stay as they are for ever, as it does.
            std::mem::forget(resource);
        }
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

impl HandleState {
    /// Release all that is left of a handle whose last reference is gone; what C keeps comes back.
    fn release_dropped(&self) -> Vec<PendingRelease> {
        let mut left = self.take_left();
        left.extend(self.take());
        let mut left = left.into_iter();
        while let Some(resource) = left.next() {
            if let Some(kept) = resource.release_for_others() {
                return [kept].into_iter().chain(left).collect();
            }
        }
        Vec::new()
    }
}

impl Drop for HandleState {
    fn drop(&mut self) {
        if self.kind.is_view() {
            return;
        }
        if self.thread != 0 {
            thread_bound::dropped(self.thread, self);
        }
        if self.raw().is_null() {
            // Whoever took it may still be about to unlink it, under the parent's lock.
            if let Some(parent) = self.parent() {
                self.unlink(&mut parent.children());
            }
            return;
        }
        if self.kind.warns_unclosed() {
            warn_unclosed(self.kind);
        }
        self.drop_resource();
    }
}

/// Emit a `ResourceWarning`, as an unclosed file does. It never replaces the exception that is on its way.
#[cold]
fn warn_unclosed(kind: &HandleKind) {
    let message = CString::new(format!("unclosed {}", kind.name())).unwrap_or_default();
    // A state is dropped by its Python object, which only goes while this thread is attached.
    apart_from_pending(|| {
        // SAFETY: CPython: a state is dropped by its Python object, on a thread that is attached; no exception is
        // set.
        unsafe {
            if pyo3::ffi::PyErr_WarnEx(pyo3::ffi::PyExc_ResourceWarning, message.as_ptr(), 1) != 0 {
                pyo3::ffi::PyErr_WriteUnraisable(ptr::null_mut());
            }
        }
    });
}

/// A handle that is marked as closing, until it is closed or the closing is given up.
struct ClosingGuard<'a>(&'a HandleState);

impl Drop for ClosingGuard<'_> {
    fn drop(&mut self) {
        let state = self.0;
        if state.borrow_state.is_closed() {
            return;
        }
        if state.borrow_state.cancel_close() {
            wake();
        }
        // What died while the mark kept it from entering. Where this can't enter either, the one in the way will.
        state.release_deferred();
    }
}
