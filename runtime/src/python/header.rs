//! What every Python handle holds, and the three ways in which it ends: `close()`, its parent's `close()`, its drop.
//!
//! Children are linked into their parent, newest first. A call holds its handle and, shared, every ancestor; so whoever
//! has the parent alone knows that no descendant is in use, and closing it waits for no one else. Where another thread
//! has an ancestor alone, a descendant that is closed or dropped is left to that ancestor: it is released when that use
//! ends, before anyone else can enter, so closing never competes for a turn.

use std::cell::UnsafeCell;
use std::ffi::CString;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

use super::apart_from_pending;
use super::cores;
use super::depth::{MayRunPython, inside_python};
use super::exceptions::to_pyerr;
use super::handle::HandleClass;
use super::trace::Traced;
use super::wait::{forks, wait_for, wake};
use crate::error::{Error, report};
use crate::handle::Unreleased;
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
    /// How often it was used alone; of a view, how often its owner was when the view was made.
    generation: AtomicU64,
    /// Whether it is a view that ends with its owner's next use alone, or lives in one.
    transient: bool,
    /// How many forks lay behind when it was made.
    forks: u32,
    /// How many views of memory hold it, or what lives in it.
    exports: AtomicU32,
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
    /// Closed resources that C kept, and what they live in; for the next `close()`.
    kept: Vec<Resource>,
}

/// An acquired resource that is nobody's but the holder's.
struct Resource {
    kind: &'static Kind,
    raw: *mut (),
    /// Where a thread waits to hear how its release ended.
    heard: Option<Arc<Ending>>,
}

/// How the release of a resource ended that was left to somebody else.
#[derive(Default)]
struct Ending {
    ended: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Resource {
    fn release(&self) -> Result<(), Unreleased> {
        // A release function may end in Python code.
        let _python = MayRunPython::begin();
        // SAFETY: it was taken out of its header by a swap, so this is its only owner, and whoever built it had the
        // handle alone.
        unsafe { self.kind.dispose(self.raw) }
    }

    /// Release it for a `close()` that hears how that ended.
    fn close(&self) -> Result<(), Unreleased> {
        let _python = MayRunPython::begin();
        // SAFETY: as in `release`.
        unsafe { self.kind.close(self.raw) }
    }

    /// Release it for somebody who waits for that, or for nobody. It comes back if C kept it.
    fn release_for_others(mut self) -> Option<Resource> {
        let released = self.release();
        let heard = self.heard.take();
        let kept = matches!(&released, Err(unreleased) if unreleased.kept);
        if let Err(Unreleased { error, .. }) = released {
            match &heard {
                Some(ending) => {
                    let mut told = ending.error.lock().unwrap_or_else(PoisonError::into_inner);
                    *told = Some(error);
                }
                None => report(error),
            }
        }
        if let Some(ending) = heard {
            ending.ended.store(true, Ordering::Release);
            wake();
        }
        kept.then_some(self)
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
        let owner = up.as_ref().filter(|_| kind.is_view());
        let owner = owner.map(|owner| owner.get().header());
        Header {
            generation: AtomicU64::new(owner.map_or(0, |owner| owner.base().locked().generation())),
            transient: owner.is_some_and(|owner| {
                kind.is_transient() || owner.kind.is_view() && owner.transient
            }),
            kind,
            raw: AtomicPtr::new(raw),
            identity: raw.addr(),
            state: State::new(),
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
                kept: Vec::new(),
            }),
            forks: forks(),
            exports: AtomicU32::new(0),
            traced,
        }
    }

    pub(super) fn kind(&self) -> &'static Kind {
        self.kind
    }

    pub(super) fn raw(&self) -> *mut () {
        // A view's own state only says whether it was closed.
        if !self.base.is_null() && (self.state.is_closed() || self.is_stale()) {
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

    /// It is used alone: what was transient is gone.
    #[inline]
    pub(super) fn begin_generation(&self) {
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether it is a view whose owner was used alone since.
    pub(super) fn is_stale(&self) -> bool {
        self.transient && self.generation() != self.base().locked().generation()
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

    /// Where the uses of this handle, which is no view, exclude each other: the core that it shares with the other
    /// handles of a reference-counted object, or itself.
    #[inline]
    pub(super) fn locked(&self) -> &Header {
        match &self.up {
            Some(core) if self.kind.is_counted() => core.get().header(),
            _ => self,
        }
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
        if self.kind.is_counted() {
            cores::leave(raw);
        }
        Some(Resource {
            kind: self.kind,
            raw,
            heard: None,
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
        doomed.append(&mut children.kept);
    }

    /// End a use of this handle alone, after releasing what was left to it.
    pub(super) fn leave_exclusive(&self) {
        loop {
            let children = self.children();
            if children.orphans.is_empty() {
                // Under the lock, so that no one leaves an orphan to a handle that is just being left.
                if self.state.leave_exclusive() {
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
                        let released = self.release_all();
                        self.leave_ancestors();
                        return released.map_err(|error| to_pyerr(py, error));
                    }
                    Err(refusal) => {
                        let waits = refusal == Refusal::Busy && !self.is_exported();
                        if waits && self.allow_wait(py).is_ok() {
                            self.interrupt();
                        }
                        self.leave_ancestors();
                        if refusal == Refusal::Closed {
                            return self.wait_for_closing_ancestor(py);
                        }
                        if self.is_exported() {
                            return Err(to_pyerr(py, Error::Exported(self.kind.name())));
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
                    if let Some(ending) = self.leave_to(ancestor) {
                        let waited = wait_until(py, || ending.ended.load(Ordering::Acquire));
                        // Also if a signal ended the wait: it is out of this thread's hands.
                        self.become_closed();
                        waited?;
                        let mut told = ending.error.lock().unwrap_or_else(PoisonError::into_inner);
                        return told.take().map_or(Ok(()), |error| Err(to_pyerr(py, error)));
                    }
                }
            }
        }
    }

    /// Release what this thread has alone, and all that lives in it. Where C keeps one of them, that and what it lives
    /// in stay for another time, and this handle is not closed.
    fn release_all(&self) -> Result<(), Error> {
        let mut first = match self.release_descendants() {
            Err(Unreleased { error, kept: true }) => return Err(self.give_up(error)),
            released => released.map_err(|unreleased| unreleased.error),
        };
        if let Some(resource) = self.take()
            && let Err(Unreleased { error, kept }) = resource.close()
        {
            first = first.and(Err(error));
            if kept {
                self.raw.store(resource.raw, Ordering::Release);
                return first.map_err(|error| self.give_up(error));
            }
        }
        if let Some(parent) = self.parent() {
            self.unlink(&mut parent.children());
        }
        self.become_closed();
        first
    }

    /// Release all that lives in this handle, which this thread has alone, up to one that C keeps. What went wrong first.
    fn release_descendants(&self) -> Result<(), Unreleased> {
        let mut first = Ok(());
        let mut doomed = Vec::new();
        self.take_descendants(&mut doomed);
        let mut doomed = doomed.into_iter();
        while let Some(resource) = doomed.next() {
            let Err(Unreleased { error, kept }) = resource.close() else {
                continue;
            };
            first = first.and(Err(error));
            if kept {
                let left = [resource].into_iter().chain(doomed);
                self.children().kept.extend(left);
                return first.map_err(|error| Unreleased { error, kept });
            }
        }
        first.map_err(|error| Unreleased { error, kept: false })
    }

    /// Take the resource out of this handle, which this call has alone, for C to have; first what lives in it is
    /// released. Then [`Header::take_back`] or [`Header::given`].
    pub(super) fn give_away(&self) -> Result<NonNull<()>, Error> {
        self.release_descendants()
            .map_err(|unreleased| unreleased.error)?;
        let raw = self.raw.swap(ptr::null_mut(), Ordering::AcqRel);
        Ok(NonNull::new(raw).unwrap_or_else(|| unreachable!("an entered handle is open")))
    }

    /// C did not want it after all.
    pub(super) fn take_back(&self, raw: NonNull<()>) {
        self.raw.store(raw.as_ptr(), Ordering::Release);
    }

    /// What was given away is gone: the handle is closed.
    pub(super) fn given(&self, raw: NonNull<()>) {
        if let Some(traced) = self.traced {
            traced.end();
        }
        if self.kind.is_counted() {
            cores::leave(raw.as_ptr());
        }
        // The call still has it, and leaves it when it ends; its drop takes it out of the parent's list.
        if self.state.close_in_use() {
            wake();
        }
    }

    /// Wake the calls that block on this handle, which this thread closes.
    fn interrupt(&self) {
        let Some(raw) = NonNull::new(self.entered_raw()) else {
            return;
        };
        // What is called may be written in Rust, and use handles.
        let _python = MayRunPython::begin();
        // SAFETY: who releases it is this thread, or one that closes an ancestor, which are held.
        unsafe { self.kind.interrupt(raw) };
    }

    /// Be no longer alone with a handle that was not closed after all; whoever marked it takes the mark back.
    fn give_up(&self, error: Error) -> Error {
        if self.state.leave_exclusive() {
            wake();
        }
        error
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
    fn leave_to(&self, ancestor: &Header) -> Option<Arc<Ending>> {
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
        let ending = Arc::new(Ending::default());
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
            // What C keeps now is lost, and reported.
            self.release_dropped();
            return;
        };
        loop {
            let blocked = match self.share_ancestors() {
                Ok(()) => {
                    self.unlink(&mut parent.children());
                    let kept = self.release_dropped();
                    parent.children().kept.extend(kept);
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
    while !ready() {
        wait_for(py, &ready)?;
    }
    Ok(())
}

impl Header {
    /// Release all that is left of a handle whose last reference is gone; what C keeps comes back.
    fn release_dropped(&self) -> Vec<Resource> {
        let mut left = {
            let mut children = self.children();
            let kept = std::mem::take(&mut children.kept);
            let mut left = std::mem::take(&mut children.orphans);
            left.extend(kept);
            left
        };
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
fn warn_unclosed(kind: &Kind) {
    let message = CString::new(format!("unclosed {}", kind.name())).unwrap_or_default();
    // A header is dropped by its Python object, which only goes while this thread is attached.
    apart_from_pending(|| {
        // SAFETY: as just said; no exception is set.
        unsafe {
            if pyo3::ffi::PyErr_WarnEx(pyo3::ffi::PyExc_ResourceWarning, message.as_ptr(), 1) != 0 {
                pyo3::ffi::PyErr_WriteUnraisable(ptr::null_mut());
            }
        }
    });
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
            header.release_orphans();
            header.leave_with_ancestors();
        }
    }
}
