//! What every Python handle holds, and the three ways in which it ends: `close()`, its parent's `close()`, its drop.
//!
//! Children are linked into their parent, newest first. A call holds its handle and, shared, every ancestor; so whoever
//! has the parent alone knows that no descendant is in use, and closing it waits for no one else. Where another thread
//! has an ancestor alone, a descendant that is closed or dropped is left to that ancestor: it is released when that use
//! ends, before anyone else can enter, so closing never competes for a turn.

use std::cell::UnsafeCell;
use std::ffi::CString;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::depth::{MayRunPython, inside_python};
use super::exceptions::to_pyerr;
use super::handle::HandleClass;
use super::trace::Traced;
use super::wait::{forks, wait_for, wake};
use crate::error::Error;
use crate::ledger::Kind;
use crate::state::{Refusal, Word};

/// The state word, atomic where Python runs threads at the same time.
pub(crate) type State = Word<{ cfg!(Py_GIL_DISABLED) }>;

/// The data of a Python handle.
pub struct Header {
    kind: &'static Kind,
    /// Null once it is closed.
    raw: AtomicPtr<()>,
    /// Where the handle was when it was made: what it is known by, closed or not.
    identity: usize,
    /// A view has none of its own: its owner's counts.
    pub(super) state: State,
    /// The parent, or a view's owner.
    up: Option<Py<HandleClass>>,
    /// The header whose state a view's use is counted in: its nearest ancestor that is no view. Null for a resource,
    /// whose own it is. `up` keeps it.
    base: *const Header,
    /// This handle's place in its parent's list; only touched under the parent's `children` lock.
    links: UnsafeCell<Links>,
    children: Mutex<Children>,
    /// How many forks lay behind when it was made.
    forks: u32,
    /// Where it was made, if that is remembered.
    traced: Option<Traced>,
}

struct Links {
    linked: bool,
    newer: *const Header,
    older: *const Header,
}

struct Children {
    newest: *const Header,
    /// Resources that were closed or dropped while this handle could not be entered.
    orphans: Vec<Resource>,
}

/// An acquired resource that is nobody's but the holder's.
struct Resource {
    kind: &'static Kind,
    raw: *mut (),
    /// Set when it is released, for a thread that waits for it.
    released: Option<Arc<AtomicBool>>,
}

impl Resource {
    fn release(self) {
        // A release function may end in Python code.
        let _python = MayRunPython::begin();
        // SAFETY: it was taken out of its header by a swap, so this is its only owner, and whoever built it had the
        // handle alone.
        unsafe { self.kind.dispose(self.raw) }
        if let Some(released) = self.released {
            released.store(true, Ordering::Release);
            wake();
        }
    }
}

// SAFETY: the pointers in a header are followed under the state word (`raw`) or the parent's lock (`links`); what the
// C handle allows from several threads is what its annotations say.
unsafe impl Send for Header {}
// SAFETY: as above.
unsafe impl Sync for Header {}

impl Header {
    pub(super) fn new(
        kind: &'static Kind,
        raw: *mut (),
        up: Option<Py<HandleClass>>,
        traced: Option<Traced>,
    ) -> Self {
        Header {
            kind,
            raw: AtomicPtr::new(raw),
            identity: raw.addr(),
            state: State::new(),
            base: match &up {
                Some(owner) if kind.is_view() => owner.get().header().base(),
                _ => ptr::null(),
            },
            up,
            links: UnsafeCell::new(Links {
                linked: false,
                newer: ptr::null(),
                older: ptr::null(),
            }),
            children: Mutex::new(Children {
                newest: ptr::null(),
                orphans: Vec::new(),
            }),
            forks: forks(),
            traced,
        }
    }

    pub(super) fn kind(&self) -> &'static Kind {
        self.kind
    }

    pub(super) fn raw(&self) -> *mut () {
        // A view's own state only says whether it was closed.
        if !self.base.is_null() && self.state.is_closed() {
            return ptr::null_mut();
        }
        self.entered_raw()
    }

    /// Where a handle is that was entered. Another thread may have closed a view since; what it shows is still there.
    #[inline]
    pub(super) fn entered_raw(&self) -> *mut () {
        self.raw.load(Ordering::Acquire)
    }

    pub(super) fn identity(&self) -> usize {
        self.identity
    }

    pub(super) fn up(&self) -> Option<&Py<HandleClass>> {
        self.up.as_ref()
    }

    pub(super) fn parent(&self) -> Option<&Header> {
        self.up.as_ref().map(|up| up.get().header())
    }

    /// The header whose state this handle's use is counted in.
    #[inline]
    pub(super) fn base(&self) -> &Header {
        // SAFETY: null, or a header that is kept by `up`, or by the `up` of what that keeps.
        unsafe { self.base.as_ref() }.unwrap_or(self)
    }

    /// Whether it is closed; never blocks, never touches C.
    pub(super) fn is_closed(&self) -> bool {
        self.raw().is_null() || self.base().state.is_closed()
    }

    fn has_closing_ended(&self) -> bool {
        self.state.is_closed() || !self.state.is_closing()
    }

    fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Become the newest child of the parent. `self` must be where it stays: inside its Python object.
    pub(super) fn link(&self) {
        let Some(parent) = self.parent() else { return };
        let mut children = parent.children();
        // SAFETY: the parent's lock is held; the list holds only headers that unlink themselves before they go.
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

    fn unlink(&self, children: &mut Children) {
        // SAFETY: the caller holds the parent's lock, as `children` shows.
        let links = unsafe { &mut *self.links.get() };
        if !links.linked {
            return;
        }
        links.linked = false;
        // SAFETY: neighbours in the list are alive; see `link`.
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

    fn take(&self) -> Option<Resource> {
        let raw = self.raw.swap(ptr::null_mut(), Ordering::AcqRel);
        if raw.is_null() {
            return None;
        }
        if let Some(traced) = self.traced {
            traced.end();
        }
        Some(Resource {
            kind: self.kind,
            raw,
            released: None,
        })
    }

    /// Move the resources of all descendants to `doomed`, children before their parents and newest first.
    ///
    /// The caller has this handle alone.
    fn take_descendants(&self, doomed: &mut Vec<Resource>) {
        let mut children = self.children();
        // SAFETY: the lock is held, so the child can't go before it has been unlinked.
        while let Some(child) = unsafe { children.newest.as_ref() } {
            child.take_descendants(doomed);
            doomed.extend(child.take());
            if child.state.close() {
                wake();
            }
            child.unlink(&mut children);
        }
        doomed.append(&mut children.orphans);
    }

    /// End a use of this handle alone, after releasing what was left to it.
    pub(super) fn leave_exclusive(&self) {
        loop {
            let mut children = self.children();
            if children.orphans.is_empty() {
                // Under the lock, so that no one leaves an orphan to a handle that is just being left.
                if self.state.leave_exclusive() {
                    wake();
                }
                return;
            }
            let orphans = std::mem::take(&mut children.orphans);
            drop(children);
            orphans.into_iter().for_each(Resource::release);
        }
    }

    #[inline]
    pub(super) fn leave_shared(&self) {
        if self.state.leave_shared() {
            wake();
        }
    }

    /// Share every ancestor; on refusal, the one that refused and why.
    #[inline]
    pub(super) fn share_ancestors(&self) -> Result<(), (&Header, Refusal)> {
        match self.parent() {
            None => Ok(()),
            Some(parent) => parent.share_with_ancestors(),
        }
    }

    fn share_with_ancestors(&self) -> Result<(), (&Header, Refusal)> {
        self.share_ancestors()?;
        let shared = self.state.try_share().map_err(|refusal| (self, refusal));
        shared.inspect_err(|_| self.leave_ancestors())
    }

    #[inline]
    pub(super) fn leave_ancestors(&self) {
        if let Some(parent) = self.parent() {
            parent.leave_with_ancestors();
        }
    }

    fn leave_with_ancestors(&self) {
        self.leave_shared();
        self.leave_ancestors();
    }

    /// Close this handle and all that live in it. Returns when the native resource is gone.
    pub(super) fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.kind.is_view() {
            self.state.close();
            return Ok(());
        }
        loop {
            match self.state.mark_closing() {
                Ok(()) => break,
                Err(Refusal::Closed) => return self.wait_for_closing_ancestor(py),
                Err(Refusal::Busy) => self.wait(py, || self.has_closing_ended())?,
            }
        }
        let _marked = Marked(self);
        loop {
            match self.share_ancestors() {
                Ok(()) => match self.state.try_take() {
                    Ok(()) => {
                        self.release_all();
                        self.leave_ancestors();
                        return Ok(());
                    }
                    Err(refusal) => {
                        self.leave_ancestors();
                        if refusal == Refusal::Closed {
                            return self.wait_for_closing_ancestor(py);
                        }
                        self.wait(py, || !self.state.is_used())?;
                    }
                },
                Err(_) if self.state.is_closed() => return self.wait_for_closing_ancestor(py),
                Err((ancestor, Refusal::Closed)) => {
                    ancestor.wait(py, || ancestor.has_closing_ended())?;
                }
                Err((ancestor, Refusal::Busy)) => {
                    ancestor.allow_wait(py)?;
                    if let Some(released) = self.leave_to(ancestor) {
                        let waited = wait_until(py, || released.load(Ordering::Acquire));
                        // Also if a signal ended the wait: it is out of this thread's hands.
                        self.become_closed();
                        return waited;
                    }
                }
            }
        }
    }

    /// Release what this thread has alone, and all that lives in it.
    fn release_all(&self) {
        self.take_all().into_iter().for_each(Resource::release);
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        self.become_closed();
    }

    fn take_all(&self) -> Vec<Resource> {
        let mut doomed = Vec::new();
        self.take_descendants(&mut doomed);
        doomed.extend(self.take());
        doomed
    }

    fn become_closed(&self) {
        if self.state.close() {
            wake();
        }
    }

    /// Leave this handle, marked as closing, and all that lives in it to `ancestor`, which another thread has alone:
    /// that use's end releases them. `None` if it has ended already, else what says when they are gone.
    fn leave_to(&self, ancestor: &Header) -> Option<Arc<AtomicBool>> {
        let parent = self.parent()?;
        let mut above = ancestor.children();
        // It can't be left while its children are locked, and until then no one uses what lives in it.
        if !ancestor.state.is_exclusive() {
            return None;
        }
        if ptr::eq(ancestor, parent) {
            self.unlink(&mut above);
        } else {
            self.unlink(&mut parent.children());
        }
        let released = Arc::new(AtomicBool::new(false));
        let mut doomed = self.take_all();
        // The last one is this handle's own. If there is none, the ancestor's close was faster.
        doomed.last_mut()?.released = Some(released.clone());
        above.orphans.append(&mut doomed);
        Some(released)
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
        // A signal handler or a finalizer may run meanwhile, and must not wait for what this thread is about to do.
        let _python = MayRunPython::begin();
        self.state.expect_wake();
        // Someone else may have been woken and the handle be in use again: then no one would wake this thread.
        wait_for(py, || !self.state.is_expected() || ready())
    }

    /// Whether this thread may wait for this handle: not inside a call that runs Python, nor where whoever uses it may
    /// be a thread of the process that this one was forked from.
    fn allow_wait(&self, py: Python<'_>) -> PyResult<()> {
        if inside_python() || self.forks != forks() {
            return Err(to_pyerr(py, Error::Busy(self.kind.name())));
        }
        Ok(())
    }

    /// Release what the last reference leaves behind, or leave it to the ancestor that can't be entered now.
    fn drop_resource(&self) {
        let Some(parent) = self.parent() else {
            if let Some(resource) = self.take() {
                self.children()
                    .orphans
                    .drain(..)
                    .for_each(Resource::release);
                resource.release();
            }
            return;
        };
        loop {
            let blocked = match self.share_ancestors() {
                Ok(()) => {
                    self.unlink(&mut parent.children());
                    if let Some(resource) = self.take() {
                        self.children()
                            .orphans
                            .drain(..)
                            .for_each(Resource::release);
                        resource.release();
                    }
                    return self.leave_ancestors();
                }
                Err((blocked, _)) => blocked,
            };
            let mut above = blocked.children();
            if blocked.state.is_exclusive() || blocked.state.is_closing() {
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
}

/// Wait until `ready`, for which somebody calls [`wake`].
fn wait_until(py: Python<'_>, ready: impl Fn() -> bool + Sync) -> PyResult<()> {
    let _python = MayRunPython::begin();
    while !ready() {
        wait_for(py, &ready)?;
    }
    Ok(())
}

impl Drop for Header {
    fn drop(&mut self) {
        if self.kind.is_view() {
            return;
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
#[allow(deprecated, reason = "what replaces PyErr_Fetch came with Python 3.12")]
fn warn_unclosed(kind: &Kind) {
    let message = CString::new(format!("unclosed {}", kind.name())).unwrap_or_default();
    let mut pending = [ptr::null_mut(); 3];
    let [class, value, trace] = &mut pending;
    // SAFETY: a header is dropped by its Python object, which only goes while this thread is attached. PyO3's `PyErr`
    // is no use here: it panics when it takes the exception that a panic became.
    unsafe {
        pyo3::ffi::PyErr_Fetch(class, value, trace);
        if pyo3::ffi::PyErr_WarnEx(pyo3::ffi::PyExc_ResourceWarning, message.as_ptr(), 1) != 0 {
            pyo3::ffi::PyErr_WriteUnraisable(ptr::null_mut());
        }
        pyo3::ffi::PyErr_Restore(*class, *value, *trace);
    }
}

/// A handle that is marked as closing, until it is closed or the closing is given up.
struct Marked<'a>(&'a Header);

impl Drop for Marked<'_> {
    fn drop(&mut self) {
        let header = self.0;
        if header.state.is_closed() {
            return;
        }
        if header.state.unmark_closing() {
            wake();
        }
        // What died while the mark kept it from entering. Where this can't enter either, the one in the way will.
        if header.share_with_ancestors().is_ok() {
            let orphans = std::mem::take(&mut header.children().orphans);
            orphans.into_iter().for_each(Resource::release);
            header.leave_with_ancestors();
        }
    }
}
