//! The handles that the new handles of a call live in, and how a result records them.

use crate::children::{self, Unplaced};
use crate::handle::guard::{Borrowed, Owned};
use crate::handle::kind::Id;
use crate::handle::spec::Home;
use crate::handle::traits::{Handle, Parent, Resource};

/// The handles that the new handles of a call live in.
#[derive(Debug, Clone, Copy)]
pub struct CallOrigin<'a> {
    /// The receiver, in which or in whose ancestors the first parent is found.
    maker: Option<Id>,
    /// The other parents.
    extra_parents: &'a [Id],
    /// The arguments of a call without a receiver that lend what the call lends; `None` for one that is not there.
    lenders: &'a [Option<Id>],
    /// Handles that the call gave to C, which keeps them in those that it makes.
    unplaced: Option<&'a Unplaced>,
}

impl<'a> CallOrigin<'a> {
    const NOWHERE: Self = CallOrigin {
        maker: None,
        extra_parents: &[],
        lenders: &[],
        unplaced: None,
    };

    /// Returns the origin of a result of a call without a receiver.
    ///
    /// # Safety
    ///
    /// What C lends by the call, and what is not ours, goes with the handles that [`CallOrigin::lent_by`] adds: their
    /// borrows limit that of the result.
    #[inline]
    pub const unsafe fn without_receiver() -> Self {
        Self::NOWHERE
    }

    /// Records the lenders of a handle, if the handle has a release.
    #[inline]
    pub(crate) fn of_lent<T: Handle>(&self, lent: &Borrowed<'_, T>) {
        if let Some(unplaced) = self.unplaced {
            unplaced.add_keeper(Id::of(lent.get()));
        }
        if const { matches!(T::SPEC.home, Home::Itself) } {
            let lenders = self
                .maker
                .into_iter()
                .chain(self.extra_parents.iter().copied())
                .chain(self.lenders.iter().copied().flatten());
            children::lent(Id::of(lent.get()), lenders);
        } else if const { T::SPEC.calls_back() }
            && let Some(maker) = self.maker
            && maker.kind().is_callback_only()
        {
            children::keep_values(Id::of(lent.get()), Some(maker));
        }
    }

    /// Returns the origin of a call on `receiver`.
    ///
    /// # Safety
    ///
    /// C makes its result in this handle or in a handle that this one lives in: `check_place` was asked.
    #[inline]
    pub unsafe fn by<T: Handle>(receiver: &T) -> Self {
        CallOrigin {
            maker: Some(Id::of(receiver)),
            ..Self::NOWHERE
        }
    }

    /// Adds other parents.
    #[inline]
    pub fn extra_parents(self, extra_parents: &'a [Id]) -> Self {
        CallOrigin {
            extra_parents,
            ..self
        }
    }

    /// Adds the arguments that lend what the call lends; `None` for one that is not there.
    #[inline]
    pub fn lent_by(self, lenders: &'a [Option<Id>]) -> Self {
        CallOrigin { lenders, ..self }
    }

    /// Adds the handles that the call gave to C.
    #[inline]
    pub fn keeping(self, unplaced: &'a Unplaced) -> Self {
        CallOrigin {
            unplaced: Some(unplaced),
            ..self
        }
    }

    /// Ends what is noted of the result: C keeps what it was given in the handles of that.
    #[inline]
    fn end(&self) {
        if let Some(unplaced) = self.unplaced {
            unplaced.place();
        }
    }

    /// Notes what a handle lives in that C just made.
    #[inline]
    pub(crate) fn of<T: Resource>(&self, made: &Owned<'_, T>) {
        let id = || Id::of(&**made);
        if const { T::SPEC.parent.is_some() }
            && let (Some(maker), Some(parent)) = (self.maker, <T::Parent as Parent>::kind())
        {
            children::born(id(), maker, parent, self.extra_parents);
        }
        if let Some(unplaced) = self.unplaced {
            unplaced.add_keeper(id());
        }
    }
}

/// A result that may hold handles that C just made or lent.
#[doc(hidden)]
pub trait RecordParents {
    /// Records the parents of the handles.
    fn record_parents(&self, origin: &CallOrigin<'_>);
}

impl<T: Resource> RecordParents for Owned<'_, T> {
    #[inline]
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        origin.of(self);
    }
}

impl<T: Handle> RecordParents for Borrowed<'_, T> {
    #[inline]
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        origin.of_lent(self);
    }
}

impl<R: RecordParents> RecordParents for Option<R> {
    #[inline]
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        self.iter().for_each(|made| made.record_parents(origin));
    }
}

impl<R: RecordParents> RecordParents for Vec<R> {
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        self.iter().for_each(|made| made.record_parents(origin));
    }
}

/// Records that the handles in `lent` were lent by a call on `receiver`.
///
/// # Safety
///
/// What C lends by the call, and what is not ours, goes with the receiver: the borrow of the result is limited by its.
#[inline]
pub unsafe fn record_lender<T: Handle, R: RecordParents>(receiver: &T, lent: R) -> R {
    lent.record_parents(&CallOrigin {
        maker: Some(Id::of(receiver)),
        ..CallOrigin::NOWHERE
    });
    lent
}

/// Returns `own` for a call that gives back what C had before the call.
///
/// # Safety
///
/// Each handle that `own` makes the caller the owner of is the one that C had at its address before the call, whole.
/// What C keeps in it C keeps nowhere else.
#[inline]
pub unsafe fn then_give_back<C, R>(own: impl FnOnce(C) -> R) -> impl FnOnce(C) -> R {
    move |raw| {
        let _same = children::giving_back();
        own(raw)
    }
}

/// Returns `own` with a second step, which records the parents of the handles that C made.
#[inline]
pub fn then_record_parents<C, R: RecordParents>(
    origin: CallOrigin<'_>,
    own: impl FnOnce(C) -> R,
) -> impl FnOnce(C) -> R {
    move |raw| {
        let made = own(raw);
        made.record_parents(&origin);
        origin.end();
        made
    }
}

/// Returns `own` with the second step of [`then_record_parents`], for a tuple. `notes` shows each handle in the tuple.
#[inline]
pub fn then_record_parents_in<C, R>(
    origin: CallOrigin<'_>,
    own: impl FnOnce(C) -> Option<R>,
    notes: impl FnOnce(&R, &dyn Fn(&dyn RecordParents)),
) -> impl FnOnce(C) -> Option<R> {
    move |raw| {
        let made = own(raw)?;
        notes(&made, &|handle| handle.record_parents(&origin));
        origin.end();
        Some(made)
    }
}
