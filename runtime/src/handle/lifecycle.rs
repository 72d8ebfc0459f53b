//! The life of a handle: its start in all tables, its transfer to C and back, and its only release.

use std::mem;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use crate::body_arguments::put_off_release;
use crate::callback::expected;
use crate::children::{self, ReleaseRecord, TransferRecord};
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::fork;
use crate::handle::kind::{HandleKind, Id};
use crate::handle::release_error::ReleaseError;
use crate::interpreter::report;
use crate::panics::Caught;
use crate::quiet::notes_nothing;
use crate::side_table::{self, DetachedSideData, release_idle};
use crate::single_owner;
use crate::tree;
use crate::uses::{self, owners};

impl HandleKind {
    /// Wakes the C functions that block on the handle at `raw`, if the kind has an `interrupt`.
    ///
    /// # Safety
    ///
    /// `raw` is a valid handle of this kind.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python closes beside calls")
    )]
    pub(crate) unsafe fn interrupt(&'static self, raw: NonNull<()>) {
        if let Some(interrupt) = self.interrupt {
            let id = Id::new(self, raw.as_ptr());
            // SAFETY: the caller's promise.
            uses::interrupting(id, || unsafe { interrupt(raw) });
        }
    }

    /// Removes the parents of the handle at `raw`, which is about to go, from the table of [`children`].
    pub(crate) fn remove_parents(&'static self, raw: *mut ()) -> Option<ReleaseRecord> {
        self.has_relatives()
            .then(|| children::end(Id::new(self, raw)))?
    }

    /// Notes that a call gives the handle at `raw` to C.
    pub(crate) fn begin_transfer(&'static self, raw: *mut ()) -> Option<TransferRecord> {
        let has_relatives = self.has_relatives.load(Ordering::Relaxed);
        has_relatives.then(|| TransferRecord::begin(Id::new(self, raw)))?
    }

    /// Counts the handle at `raw`, which C just made. Returns false if the handle has another owner, which keeps it.
    #[must_use = "a handle that has another owner is not owned here"]
    pub(crate) fn on_acquire(&'static self, raw: *mut ()) -> bool {
        if !self.ref_counted && !single_owner::own(self.name, self.key(raw)) {
            return false;
        }
        self.live.fetch_add(1, Ordering::Relaxed);
        if self.ref_counted && self.may_be_left_to_c() {
            owners::owned(Id::new(self, raw));
        }
        uses::forget_former(Id::new(self, raw));
        if children::is_any_transferred() {
            children::given_out(Id::new(self, raw));
        }
        if self.is_noted_as_ours() {
            self.note_relatives();
            children::own(Id::new(self, raw));
        }
        if self.process_bound {
            fork::made(self.key(raw));
        }
        if self.attachments {
            expected::expect();
            side_table::insert(self, raw);
        }
        true
    }

    /// Notes one owner less of the counted object at `raw`.
    #[inline(always)]
    fn disown(&'static self, raw: *mut ()) {
        if self.ref_counted && self.may_be_left_to_c() {
            owners::disowned(Id::new(self, raw));
        }
    }

    /// Notes that the object at `raw`, which C lends, is about to get one owner more.
    #[inline]
    pub(crate) fn before_retain(&'static self, raw: *mut ()) {
        if self.may_be_left_to_c() {
            owners::retained(Id::new(self, raw));
        }
    }

    /// Removes the side data of the handle at `raw`, whose address C may soon give to another handle.
    pub(crate) fn remove_side_data(&'static self, raw: *mut ()) -> Option<DetachedSideData> {
        single_owner::disown(self.key(raw));
        self.attachments.then(|| side_table::remove(self, raw))?
    }

    /// Restores the owner of the handle at `raw` after [`HandleKind::remove_side_data`]: C did not release the handle,
    /// or did not take it over.
    pub(crate) fn restore_owner(&'static self, raw: *mut (), ended: Option<DetachedSideData>) {
        if !self.ref_counted {
            single_owner::own_again(self.key(raw));
        }
        if self.is_noted_as_ours() {
            children::own(Id::new(self, raw));
        }
        if let Some(ended) = ended {
            ended.put_back(raw);
        }
    }

    /// Forgets the handle at `raw`, which belongs to the process that this one was forked from, without a release.
    pub(crate) fn abandon(&'static self, raw: *mut ()) {
        tree::forget_all(Id::new(self, raw));
        self.disown(raw);
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.remove_parents(raw)
            .into_iter()
            .for_each(ReleaseRecord::end_in_forked_child);
        if let Some(ended) = self.remove_side_data(raw) {
            // A panic of what is dropped ends here: there is no call that it could come out of.
            ended.finish(&Caught::new());
        }
    }

    /// Counts one handle less: C has taken over the one at `raw`.
    pub(crate) fn on_transfer(&'static self, raw: *mut ()) {
        self.disown(raw);
        self.live.fetch_sub(1, Ordering::Relaxed);
        if self.process_bound {
            fork::gone(self.key(raw));
        }
    }

    /// Releases the handle as [`HandleKind::release_once`], for a caller that gets the error. If C's function can fail,
    /// there is a failpoint. The release of a dropped handle has none, because no caller could handle the failure.
    ///
    /// # Safety
    ///
    /// As for `release_once`.
    pub(crate) unsafe fn close(&'static self, raw: *mut ()) -> Result<(), ReleaseError> {
        let refusal = self
            .fallible_release
            .filter(|(site, _)| site.should_fail(FailPoint::Release));
        let refusal = refusal.map(|(site, kept)| ReleaseError {
            error: Error::Failed(site.function),
            kept,
            lost: false,
        });
        match refusal {
            Some(refusal) if refusal.kept => Err(refusal),
            // SAFETY: the caller's promise.
            refusal => unsafe { self.release_once(raw) }.and(refusal.map_or(Ok(()), Err)),
        }
    }

    /// Releases the resource and counts one handle less, unless the resource is still there. A panic of the author's
    /// code, such as the `Drop` of a value that the handle kept, becomes the error: nothing unwinds from here. While
    /// other handles live in this one, its release is deferred. If a running body got the handle from Python, the
    /// release waits for the outcome of that body.
    ///
    /// # Safety
    ///
    /// `raw` is an acquired handle of this kind, and this is its only release.
    pub(crate) unsafe fn release_once(&'static self, raw: *mut ()) -> Result<(), ReleaseError> {
        let Some(release) = self.release else {
            return Ok(());
        };
        let id = Id::new(self, raw);
        if put_off_release(id) {
            return Ok(());
        }
        let caught = Caught::new();
        let release = || {
            // SAFETY: the caller's promise: nobody uses the handle any more, and it is valid until `release` below.
            unsafe { tree::release_all(id) };
            self.disown(raw);
            // SAFETY: guarantee 2: this is the only release of the handle, which is of the type that `release` was made
            // for. the caller's promise: nobody uses the handle any more.
            unsafe { release(raw) }
        };
        if self.is_unknown_elsewhere() {
            single_owner::disown(self.key(raw));
            let mut refused = None;
            let ended = caught.run(|| {
                let _attached = self.attached();
                refused = release().err();
            });
            if ended.is_some() && refused.is_none() {
                self.live.fetch_sub(1, Ordering::Relaxed);
                return Ok(());
            }
            let released = ended.map(|()| refused.map_or(Ok(()), Err));
            return self.finish(id, released, None, None, &caught);
        }
        // What lives in the handle for reuse goes first.
        release_idle(id);
        let is_own = !self.process_bound || fork::is_own(self.key(raw));
        if self.has_relatives()
            && !self.ref_counted
            && is_own
            && let Some(deferred) = children::defer_until_childless(id)
        {
            return deferred;
        }
        // From here on a callback of the release finds a handle that is partly gone.
        let begun = match is_own {
            true => uses::begin_release(id),
            false => None,
        };
        if is_own && begun.is_none() {
            return Ok(());
        }
        if self.process_bound && !fork::gone(self.key(raw)) {
            self.abandon(raw);
            return Ok(());
        }
        let (ended, record) = (self.remove_side_data(raw), self.remove_parents(raw));
        let released = caught.run(|| {
            let _attached = self.attached();
            match &record {
                None => release(),
                Some(record) => record.during(release),
            }
        });
        drop(begun);
        self.finish(id, released, ended, record, &caught)
    }

    /// Returns whether no table knows the handles: they keep nothing, live in nothing, and no call and no process has
    /// to be asked before their release.
    #[inline]
    fn is_unknown_elsewhere(&self) -> bool {
        let is_plain = !self.process_bound && !self.attachments && !self.has_relatives();
        is_plain && notes_nothing()
    }

    /// Updates the tables after the release of a handle. `released` is `None` if the release panicked.
    #[inline(never)]
    fn finish(
        &'static self,
        id: Id,
        released: Option<Result<(), ReleaseError>>,
        ended: Option<DetachedSideData>,
        record: Option<ReleaseRecord>,
        caught: &Caught,
    ) -> Result<(), ReleaseError> {
        let released = released.unwrap_or_else(|| Err(ReleaseError::lost(caught)));
        self.pass_side_data(id.raw, &released, ended, caught);
        if let Some(record) = record {
            match &released {
                Err(unreleased) if unreleased.kept => record.put_back(id),
                Err(unreleased) if unreleased.lost => mem::forget(record),
                _ => drop(record),
            }
        }
        match (released, caught.take()) {
            (released, None) => released,
            (Ok(()), Some(panic)) => Err(ReleaseError::gone(Error::panic(panic))),
            (Err(unreleased), Some(panic)) => Err(unreleased.panicked(panic)),
        }
    }

    /// Gives the side data of the handle at `raw` to its owner, after the release.
    fn pass_side_data(
        &'static self,
        raw: *mut (),
        released: &Result<(), ReleaseError>,
        ended: Option<DetachedSideData>,
        caught: &Caught,
    ) {
        let kept = matches!(released, Err(unreleased) if unreleased.kept);
        if self.process_bound && kept {
            fork::made(self.key(raw));
        }
        match (released, ended) {
            (Err(ReleaseError { kept: true, .. }), ended) => self.restore_owner(raw, ended),
            // C may still call what the handle keeps; so nothing of that is dropped.
            (Err(ReleaseError { lost: true, .. }), _) => report(Error::Value(format!(
                "nobody knows whether a {} was released, because what should have told panicked: it is leaked",
                self.name
            ))),
            (_, ended) => {
                self.live.fetch_sub(1, Ordering::Relaxed);
                if let Some(ended) = ended {
                    ended.finish(caught);
                }
            }
        }
    }
}
