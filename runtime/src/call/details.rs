//! What C writes about a failure, through a parameter.
//!
//! The parameter is read whether the call failed or not: what C allocated for it is freed on every path. It is read
//! once everything else has its owner.

use std::marker::PhantomData;

use crate::error_source::FailureDetails;
use crate::outcome::Outcome;
use crate::panics::Caught;

/// Reads what C wrote about a failure, and tells the error source `E`.
pub trait ReadDetails<E> {
    /// The value that C wrote.
    type Written;

    /// Returns the value; `None` if there is none. C has returned, unless it unwound.
    fn read(self, outcome: Outcome) -> Option<Self::Written>;

    /// Tells `errors` the value. Runs only if the call failed.
    fn tell(written: Self::Written, errors: &mut E);
}

/// Parameters that explain a failure, while C runs and its results get their owners. If that panics, they are read all
/// the same, because C may have allocated something for them.
pub(super) struct Unread<E, D: ReadDetails<E>>(Option<D>, PhantomData<fn() -> E>);

impl<E, D: ReadDetails<E>> Unread<E, D> {
    #[inline(always)]
    pub(super) fn new(details: D) -> Self {
        Unread(Some(details), PhantomData)
    }

    /// As for [`ReadDetails::read`].
    #[inline(always)]
    pub(super) fn read(mut self, outcome: Outcome) -> Option<D::Written> {
        self.0.take()?.read(outcome)
    }
}

impl<E, D: ReadDetails<E>> Drop for Unread<E, D> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(details) = self.0.take() {
            // The thread unwinds: a second panic ends here.
            Caught::new().run(|| drop(details.read(Outcome::Unknown)));
        }
    }
}

/// A call whose parameters explain no failure.
#[derive(Debug)]
pub struct NoDetails;

impl<E> ReadDetails<E> for NoDetails {
    type Written = ();

    #[inline(always)]
    fn read(self, _: Outcome) -> Option<()> {
        None
    }

    #[inline(always)]
    fn tell((): (), _: &mut E) {}
}

/// `details = …`: the closure that reads the parameters.
#[derive(Debug)]
pub struct WrittenDetails<D>(pub(super) D);

impl<V, D: FnOnce() -> Option<V>, E: FailureDetails<V>> ReadDetails<E> for WrittenDetails<D> {
    type Written = V;

    fn read(self, outcome: Outcome) -> Option<V> {
        match outcome {
            Outcome::Unwound => None,
            _ => (self.0)(),
        }
    }

    fn tell(written: V, errors: &mut E) {
        errors.details(written);
    }
}
