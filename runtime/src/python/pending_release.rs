//! A native resource between its Python object and its release, and the parents that must stay open until then.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::Py;

use super::ancestors::ParentHold;
use super::handle_class::HandleClass;
use super::waiting::notify_waiters;
use crate::error::Error;
use crate::handle::ReleaseError;
use crate::handle::kind::HandleKind;
use crate::interpreter::ReentrancyGuard;
use crate::interpreter::attach_if_running;
use crate::interpreter::report;

/// A native resource that was taken out of its Python object, for one release.
pub(super) struct PendingRelease {
    pub(super) kind: &'static HandleKind,
    pub(super) raw: *mut (),
    /// The lease on the parents that must stay open until the release, if nothing else keeps them open.
    pub(super) needs: Option<ParentLease>,
    /// The hold on the parent, which ends with the release.
    pub(super) holds: Option<ParentHold>,
    /// The outcome that a waiting thread reads; `None` if no thread waits.
    pub(super) heard: Option<Arc<ReleaseOutcome>>,
}

/// The outcome of a deferred release.
#[derive(Default)]
pub(super) struct ReleaseOutcome {
    ended: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl ReleaseOutcome {
    /// Returns whether the release has ended.
    pub(super) fn has_come(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Takes the error of the release, if there is one.
    pub(super) fn error(&self) -> Option<Error> {
        let mut told = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        told.take()
    }
}

/// A lease that keeps the parents of a handle open. `close()` of a parent closes the handle first, and raises
/// `BusyError` while a deferred release has the lease.
pub(super) struct ParentLease {
    pub(super) number: u64,
    pub(super) parents: Vec<Py<HandleClass>>,
}

static DEPENDENCES: AtomicU64 = AtomicU64::new(1);

impl ParentLease {
    pub(super) fn begin(parents: Vec<Py<HandleClass>>) -> Self {
        for parent in &parents {
            let state = parent.get().state().resource();
            state.with_ancestors(&mut |above| above.gain_dependent(None));
        }
        ParentLease {
            number: Self::number(),
            parents,
        }
    }

    /// Returns a number that no other lease has.
    pub(super) fn number() -> u64 {
        DEPENDENCES.fetch_add(1, Ordering::Relaxed)
    }

    /// Gives the lease back to the handle without ending it.
    pub(super) fn disarm(mut self) {
        drop(std::mem::take(&mut self.parents));
        std::mem::forget(self);
    }
}

impl Drop for ParentLease {
    fn drop(&mut self) {
        for parent in &self.parents {
            let state = parent.get().state().resource();
            state.with_ancestors(&mut |above| above.lose_dependent(self.number));
        }
        notify_waiters();
        let parents = std::mem::take(&mut self.parents);
        attach_if_running(|| drop(parents));
    }
}

// SAFETY: guarantee 2: the pointer is nobody else's. annotation `thread_bound`: what is bound to a thread is only
// released there.
unsafe impl Send for PendingRelease {}

impl PendingRelease {
    fn release(&self) -> Result<(), ReleaseError> {
        // A release function may end in Python code.
        let _python = ReentrancyGuard::begin();
        // SAFETY: guarantee 2: the pointer was taken out of its state by a swap, by who had the handle exclusively.
        unsafe { self.kind.release_once(self.raw) }
    }

    /// Releases the resource for a `close()`, which gets the error.
    pub(super) fn close(&self) -> Result<(), ReleaseError> {
        let _python = ReentrancyGuard::begin();
        // SAFETY: guarantee 2: the pointer was taken out of its state by a swap, by who had the handle exclusively.
        unsafe { self.kind.close(self.raw) }
    }

    /// Releases the resource outside a `close()` of its handle. A waiting thread gets the error; without one the error
    /// is reported. Returns the resource if C refused the release.
    pub(super) fn release_for_others(self) -> Option<PendingRelease> {
        match self.release() {
            Ok(()) if self.heard.is_none() => None,
            released => self.end(released),
        }
    }

    /// Releases a resource that needs no parent, outside a `close()` of its handle. An error is reported. If C refuses
    /// the release, the resource is lost.
    #[inline(always)]
    pub(super) fn release_alone(kind: &'static HandleKind, raw: *mut ()) {
        let released = {
            // A release function may end in Python code.
            let _python = ReentrancyGuard::begin();
            // SAFETY: guarantee 2: the caller took the pointer out of the state of a handle that nobody refers to.
            unsafe { kind.release_once(raw) }
        };
        if released.is_err() {
            let resource = PendingRelease {
                kind,
                raw,
                needs: None,
                holds: None,
                heard: None,
            };
            drop(resource.end(released));
        }
    }

    /// Passes on the outcome of a release. Returns the resource if C refused the release.
    #[cold]
    fn end(mut self, released: Result<(), ReleaseError>) -> Option<PendingRelease> {
        let heard = self.heard.take();
        let kept = matches!(&released, Err(unreleased) if unreleased.kept);
        if matches!(&released, Err(unreleased) if unreleased.lost) {
            // It may be there for ever, and so are its parents.
            std::mem::forget(self.needs.take());
        }
        if let Err(ReleaseError { error, .. }) = released {
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
            notify_waiters();
        }
        kept.then_some(self)
    }

    /// Abandons a resource of the parent process, which is not released here.
    pub(super) fn abandon(self) {
        self.kind.abandon(self.raw);
    }
}
