//! Parents, children and dependents of a Python handle.

use std::ptr::{self};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use crate::error::{Error, Owner};
use crate::interpreter::attach_if_running;
use crate::python::exceptions::to_pyerr;
use crate::python::handle_class::HandleClass;
use crate::python::pending_release::{ParentLease, PendingRelease};
use crate::python::ref_counted;
use crate::python::waiting::notify_waiters;

use super::resource::{Children, Links, ResourceState};
use super::view::lock_fields;

impl ResourceState {
    /// Returns whether the handle has parents besides `up`.
    pub(in crate::python) fn has_more_parents(&self) -> bool {
        !self.extra_parents().is_empty()
    }

    /// Returns `up`, then the parents in `beside`.
    pub(in crate::python) fn parents(&self) -> impl Iterator<Item = &ResourceState> {
        let extra_parents = self
            .extra_parents()
            .iter()
            .map(|parent| parent.get().state().resource());
        self.parent().into_iter().chain(extra_parents)
    }

    /// Calls `each` with this state and with every ancestor, once for each path to the ancestor.
    pub(in crate::python) fn with_ancestors(&self, each: &mut dyn FnMut(&ResourceState)) {
        each(self);
        for parent in self.parents() {
            parent.with_ancestors(each);
        }
    }

    /// Counts a lease on this handle or on a descendant. `weak` refers to the handle that has the lease, if `close()`
    /// can close that handle.
    pub(in crate::python) fn gain_dependent(&self, weak: Option<(u64, Py<PyWeakrefReference>)>) {
        self.dependents.fetch_add(1, Ordering::Relaxed);
        if weak.is_some() {
            self.children().waiting().dependents.extend(weak);
        }
    }

    /// Ends the lease `number`, whose handle was released.
    pub(in crate::python) fn lose_dependent(&self, number: u64) {
        let mut children = self.children();
        let waiting = children.waiting.as_mut();
        let weak = waiting.and_then(|waiting| waiting.dependents.remove(&number));
        drop(children);
        self.dependents.fetch_sub(1, Ordering::Relaxed);
        attach_if_running(|| drop(weak));
    }

    pub(in crate::python) fn parent_object(&self) -> Option<&Py<HandleClass>> {
        self.parent.as_ref()
    }

    pub(in crate::python) fn parent(&self) -> Option<&ResourceState> {
        self.parent
            .as_ref()
            .map(|parent| parent.get().state().resource())
    }

    pub(super) fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Links this handle into its parent's list as the newest child, and into its side data. `self` must not move any
    /// more: it is inside its Python object.
    pub(in crate::python) fn link(&self) {
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

    /// Leases the parents in `beside`, so that their `close()` closes this handle first. `weak` refers to this handle's
    /// Python object.
    pub(in crate::python) fn depend(&self, weak: &Bound<'_, PyWeakrefReference>) {
        let number = ParentLease::number();
        for parent in self.extra_parents() {
            parent
                .get()
                .state()
                .resource()
                .with_ancestors(&mut |above| {
                    above.gain_dependent(Some((number, weak.clone().unbind())));
                });
        }
        self.set_dependence(number);
    }

    /// Gives the handle, which has several parents, the lease `number` on those in `beside`.
    pub(super) fn set_dependence(&self, number: u64) {
        if let Some(special) = &self.special {
            special.dependence.store(number, Ordering::Release);
        }
    }

    pub(super) fn unlink(&self, children: &mut Children) {
        // SAFETY: guarantee 5: the caller holds the parent's lock, as `children` shows.
        let links = unsafe { &mut *self.links.get() };
        if !links.linked {
            return;
        }
        links.linked = false;
        // SAFETY: guarantee 5: the neighbors in the list have not gone, as they are linked.
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

    pub(super) fn take(&self) -> Option<PendingRelease> {
        if let Some(attached) = self.attached() {
            attached.state.store(ptr::null_mut(), Ordering::Release);
        }
        let raw = self.raw.swap(ptr::null_mut(), Ordering::AcqRel);
        if raw.is_null() {
            return None;
        }
        // The objects of parts that are being dropped have seen the handle open and are done with it, or see it closed.
        {
            let _fields = lock_fields();
        }
        self.end_trace();
        if self.kind.is_counted() {
            ref_counted::remove_handle(raw);
        }
        Some(PendingRelease {
            kind: self.kind,
            raw,
            needs: self.take_dependence(),
            holds: self.take_parent_hold(),
            heard: None,
        })
    }

    /// Takes the lease on the parents in `beside`, for the code that releases this handle. The thread is attached to
    /// the interpreter.
    pub(super) fn take_dependence(&self) -> Option<ParentLease> {
        let special = self.special.as_ref()?;
        if special.extra_parents.is_empty() {
            return None;
        }
        let number = special.dependence.swap(0, Ordering::AcqRel);
        (number != 0).then(|| ParentLease {
            number,
            parents: self.clone_parents(None),
        })
    }

    /// Returns new references to `first` and to the parents in `beside`.
    pub(in crate::python) fn clone_parents(
        &self,
        first: Option<&Py<HandleClass>>,
    ) -> Vec<Py<HandleClass>> {
        // SAFETY: CPython: this thread is attached, since resources are taken by Python objects and their calls.
        let py = unsafe { Python::assume_attached() };
        let parents = first.into_iter().chain(self.extra_parents());
        parents.map(|parent| parent.clone_ref(py)).collect()
    }

    /// Returns the type name of an open descendant that is bound to another thread.
    pub(super) fn descendant_on_wrong_thread(&self) -> Option<&'static str> {
        let children = self.children();
        // SAFETY: guarantee 5: the lock is held, so the children cannot go before they have been unlinked.
        let mut next = unsafe { children.newest.as_ref() };
        while let Some(child) = next {
            let open = !child.raw().is_null();
            if open && child.is_on_wrong_thread() {
                return Some(child.kind.name());
            }
            if let Some(name) = child.descendant_on_wrong_thread() {
                return Some(name);
            }
            // SAFETY: guarantee 5: the lock is held, so the children cannot go before they have been unlinked.
            next = unsafe { (*child.links.get()).older.as_ref() };
        }
        None
    }

    /// Moves the resources of all descendants to `doomed`, children before their parents and newest first.
    ///
    /// The caller ensures that no call uses the descendants.
    pub(super) fn take_descendants(&self, doomed: &mut Vec<PendingRelease>) {
        let mut children = self.children();
        // SAFETY: guarantee 5: the lock is held, so the child cannot go before it has been unlinked.
        while let Some(child) = unsafe { children.newest.as_ref() } {
            child.take_descendants(doomed);
            doomed.extend(child.take());
            if child.borrow_state.close() {
                notify_waiters();
            }
            child.unlink(&mut children);
        }
        doomed.append(&mut children.take_deferred());
    }

    /// Refuses a `close()` that is certain to fail, before it closes a dependent handle.
    pub(super) fn check_dependents_first(&self, py: Python<'_>) -> PyResult<()> {
        if self.dependents.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        if let Some(name) = self.descendant_on_wrong_thread() {
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

    /// Closes the handles that live in this one or in a descendant, and also in another handle.
    pub(super) fn close_dependents(&self, py: Python<'_>) -> PyResult<()> {
        // The newest first, as among children.
        let mut below = u64::MAX;
        while self.dependents.load(Ordering::Relaxed) > 0 {
            let found = {
                let children = self.children();
                let waiting = children.waiting.as_ref();
                waiting.and_then(|waiting| {
                    let (number, weak) = waiting.dependents.range(..below).next_back()?;
                    Some((*number, weak.clone_ref(py)))
                })
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

    /// Checks that this thread can release the descendants of this handle, which it borrows exclusively. If not,
    /// releases the exclusive borrow.
    pub(super) fn check_descendants(&self) -> Result<(), Error> {
        if let Some(name) = self.descendant_on_wrong_thread() {
            return Err(self.abort_close(Error::Owner(name, Owner::Thread)));
        }
        if self.dependents.load(Ordering::Relaxed) > 0 {
            return Err(self.abort_close(Error::Busy(self.kind.name())));
        }
        Ok(())
    }
}
