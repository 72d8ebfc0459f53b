//! Owned handles on their way to C, which may keep them.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::body_arguments;
use crate::children::{self, TransferRecord, Unplaced};
use crate::error::Error;
use crate::handle::guard::Owned;
use crate::handle::kind::Id;
use crate::handle::release_error::ReleaseError;
use crate::handle::traits::{Handle, PointerHandle, Resource};
use crate::interpreter::report;
use crate::panics::Caught;
use crate::side_table::{DetachedSideData, release_idle};
use crate::uses::owners;

/// An owned handle that is passed to C, which may keep it.
#[doc(hidden)]
pub struct Transfer<'p, T: Handle> {
    raw: NonNull<T::Raw>,
    /// The side data of the handle. C may soon give the handle's address to another handle.
    side_data: Option<DetachedSideData>,
    /// Its place among the handles that it lives in, and that C keeps in it.
    record: Option<TransferRecord>,
    _parent: PhantomData<&'p fn() -> T>,
}

impl<'p, T: Handle> Transfer<'p, T> {
    /// Takes the handle out of its guard, to pass it to C.
    ///
    /// # Panics
    ///
    /// If other handles live in it: their guards were forgotten, or C keeps them. If it lives in a handle that C may
    /// release at any time.
    pub fn new(owned: Owned<'p, T>) -> Self
    where
        T: Resource + PointerHandle,
    {
        release_idle(Id::of(&*owned));
        if let Err(error) = children::check_transferable(Id::of(&*owned)) {
            panic!("{error}");
        }
        let raw = owned.into_raw_for_now();
        Transfer {
            raw,
            side_data: T::kind().remove_side_data(raw.as_ptr().cast()),
            record: T::kind().begin_transfer(raw.as_ptr().cast()),
            _parent: PhantomData,
        }
    }

    /// The handle.
    pub(crate) fn raw(&self) -> NonNull<T::Raw> {
        self.raw
    }

    /// Gives the handle to C, which keeps it in `keeper` from now on: the runtime no longer releases it. Returns the
    /// side data.
    pub(crate) fn commit(self, keeper: Keeper<'_>) -> TransferredData {
        let mut handle = ManuallyDrop::new(self);
        body_arguments::passed_on(Id::new(T::kind(), handle.raw.as_ptr().cast()));
        T::kind().on_transfer(handle.raw.as_ptr().cast());
        let side_data = handle.side_data.take();
        if const { T::SPEC.sharing.counted } {
            let owned = Id::new(T::kind(), handle.raw.as_ptr().cast());
            match keeper {
                Keeper::Handle(keeper) => children::keep_owner(owned, keeper),
                Keeper::Result(unplaced) => unplaced.push_owned(owned),
                Keeper::Unknown => owners::left_to_c(owned),
            }
        }
        match (handle.record.take(), keeper) {
            (None, _) => {}
            (Some(record), Keeper::Handle(keeper)) => record.kept_in(&[keeper]),
            (Some(record), Keeper::Result(unplaced)) => unplaced.push(record),
            (Some(record), Keeper::Unknown) => record.never_ends(),
        }
        TransferredData(side_data)
    }

    /// Leaks the handle, because it is unknown whether C has it. The handle is neither used nor released again, and its
    /// values stay. If C has it, C may use what it lives in, and the object of a counted one, by any call.
    pub(crate) fn leak(self) {
        let mut handle = ManuallyDrop::new(self);
        body_arguments::passed_on(Id::new(T::kind(), handle.raw.as_ptr().cast()));
        if const { T::SPEC.sharing.counted } {
            owners::left_to_c(Id::new(T::kind(), handle.raw.as_ptr().cast()));
        }
        if let Some(record) = handle.record.take() {
            record.may_be_owned_by_c();
        }
        report(Error::Value(format!(
            "nobody knows whether C has a {}, because what should have told panicked: it is leaked, and so is what it lives \
             in",
            T::NAME
        )));
    }

    /// Restores the state of the handle from before the transfer.
    fn restore(&mut self) {
        let raw = self.raw.as_ptr().cast();
        T::kind().restore_owner(raw, self.side_data.take());
        if let Some(record) = self.record.take() {
            record.restore();
        }
    }

    /// Restores the handle without releasing it: its previous owner keeps it.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python objects get it back")
    )]
    pub(crate) fn rollback(mut self) {
        self.restore();
        std::mem::forget(self);
    }
}

/// Refuses handles that C cannot be given.
pub const fn check_transferable<T: PointerHandle>() {}

/// The place where C keeps a handle that it was given.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Keeper<'g> {
    /// The receiver of the call.
    Handle(Id),
    /// The handles in the result of a call without a receiver; if there are none, C was done with it when it returned.
    Result(&'g Unplaced),
    /// None that is known: C got it from a callback.
    Unknown,
}

/// The side data of a handle that C has taken over. Dropping it drops the values.
#[doc(hidden)]
#[must_use = "it is dropped when the call has ended"]
pub struct TransferredData(Option<DetachedSideData>);

impl TransferredData {
    /// Returns no side data.
    pub fn nothing() -> Self {
        TransferredData(None)
    }
}

impl Drop for TransferredData {
    fn drop(&mut self) {
        if let Some(ended) = self.0.take() {
            let caught = Caught::new();
            ended.finish(&caught);
            caught.resume_in_drop();
        }
    }
}

impl<T: Handle> fmt::Debug for Transfer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:p})", T::NAME, self.raw)
    }
}

impl<T: Handle> Drop for Transfer<'_, T> {
    fn drop(&mut self) {
        self.restore();
        // SAFETY: guarantee 2: `new` took the handle from its only owner, and C did not take it over.
        let released = unsafe { T::kind().release_once(self.raw.as_ptr().cast()) };
        if let Err(ReleaseError { error, .. }) = released {
            crate::interpreter::report_in_drop(error);
        }
    }
}
