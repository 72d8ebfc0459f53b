//! Handles that C keeps in another handle, and that the caller releases: `scope` on an `Owned` parameter.
//!
//! The receiver of the call keeps the handle as it keeps a callback, in its side data. The handle is released when
//! another one takes its place, or right after the receiver's release. Until then nothing but C reaches it.

use std::marker::PhantomData;
use std::ptr::NonNull;

use crate::attachment::Attachment;
use crate::callback::{PendingValue, store_value};
use crate::children::{self, Id};
use crate::handle::kind::HandleKind;
use crate::handle::{Handle, HasAttachments, Owned, Resource};
use crate::interpreter::report;
use crate::outcome::Outcome;
use crate::side_table::{Scope, entry_of, release_idle};

/// The owner of a handle that C keeps. The drop releases the handle.
struct KeptHandle {
    kind: &'static HandleKind,
    raw: NonNull<()>,
}

// SAFETY: the caller's promise, given to `keep`: any thread may use and release the handle.
unsafe impl Send for KeptHandle {}
// SAFETY: Rust: a shared reference gives only the address.
unsafe impl Sync for KeptHandle {}

// The macros refuse handles with `attachments`, so no Python object is inside.
impl Attachment for KeptHandle {}

impl Drop for KeptHandle {
    fn drop(&mut self) {
        children::take_back(Id::new(self.kind, self.raw.as_ptr()));
        // SAFETY: guarantee 2: `keep` took the handle from its only owner; annotation `scope`: C is done with it.
        if let Err(unreleased) = unsafe { self.kind.release_once(self.raw.as_ptr()) } {
            report(unreleased.error);
        }
    }
}

/// A handle that a call passes to C, which may keep it. Dropping it after the call releases the handles that C does not
/// have.
#[doc(hidden)]
pub struct PendingHandle<T: Handle> {
    pending: PendingValue<KeptHandle>,
    raw: Option<NonNull<T::Raw>>,
    keeper: Id,
    _handle: PhantomData<fn() -> T>,
}

/// Stores a handle for as long as C has it.
///
/// # Panics
///
/// If other handles live in it: their guards were forgotten, or C keeps them. If it lives in a handle that C may
/// release at any time.
///
/// # Safety
///
/// C gets the handle by one call, keeps it as `scope` says and does not release it. [`PendingHandle::record_outcome`]
/// is told how that call ended: the handles that were in the same place before may be released then. `T` has neither
/// parents, values nor counted owners, and any thread may use its handles.
#[doc(hidden)]
pub unsafe fn keep<K: HasAttachments, T: Resource>(
    keeper: &K,
    scope: Scope,
    handle: Option<Owned<'_, T>>,
) -> PendingHandle<T> {
    if let Some(handle) = &handle {
        let id = Id::of(&**handle);
        release_idle(id);
        if let Err(error) = children::check_transferable(id) {
            panic!("{error}");
        }
    }
    let raw = handle.map(Owned::into_raw_for_now);
    let kept = raw.map(|raw| KeptHandle {
        kind: T::kind(),
        raw: raw.cast(),
    });
    PendingHandle {
        // SAFETY: the caller's promise.
        pending: unsafe { store_value(entry_of(keeper), scope, kept) },
        raw,
        keeper: Id::of(keeper),
        _handle: PhantomData,
    }
}

impl<T: Handle> PendingHandle<T> {
    /// Returns the handle, if there is one.
    pub fn optional(&self) -> Option<&T> {
        // SAFETY: guarantee 8: the receiver's side data holds the handle while the call runs.
        self.raw.map(|raw| unsafe { T::from_raw(raw) })
    }

    /// Returns the handle of a parameter that is no `Option`.
    pub fn required(&self) -> &T {
        self.optional()
            .unwrap_or_else(|| unreachable!("the parameter is an `Owned`"))
    }

    /// Records how the call ended, as for a callback; `left` says that a failing call leaves the handle to the runtime.
    pub fn record_outcome(&self, outcome: Outcome, left: bool) {
        self.pending.record_outcome(outcome, left);
        if let Some(raw) = self.raw
            && outcome.takes(left) != Some(false)
        {
            children::keep_ours(Id::new(T::kind(), raw.as_ptr().cast()), self.keeper);
        }
    }
}
