//! The judgment of a call by the value that C returned, and what follows from it.

use std::any::Any;

use crate::outcome::Outcome;
use crate::panics::Caught;
use crate::uses::AuthorCode;

/// Judges how a call ended, by the value that C returned.
pub trait CheckStatus<C> {
    /// Returns how the call ended. `caught` keeps a panic of the author's expressions.
    fn check_status(self, returned: C, caught: &Caught) -> Outcome;
}

/// C always succeeds.
#[derive(Debug)]
pub struct AlwaysSucceeds;

impl<C> CheckStatus<C> for AlwaysSucceeds {
    #[inline]
    fn check_status(self, _: C, _: &Caught) -> Outcome {
        Outcome::Succeeded
    }
}

/// `none = …` and `fails = …`.
#[derive(Debug)]
pub struct StatusExpressions<N, F> {
    pub(super) none: N,
    pub(super) fails: F,
    /// Set if the author wrote one of them.
    pub(super) are_the_authors: bool,
}

impl<C: Copy, N: FnOnce(C) -> bool, F: FnOnce(C) -> bool> CheckStatus<C>
    for StatusExpressions<N, F>
{
    #[inline]
    fn check_status(self, returned: C, caught: &Caught) -> Outcome {
        let _code = self.are_the_authors.then(AuthorCode::begin);
        let outcome = caught.run(|| match () {
            () if (self.none)(returned) => Outcome::Nothing,
            () if (self.fails)(returned) => Outcome::Failed,
            () => Outcome::Succeeded,
        });
        outcome.unwrap_or(Outcome::Unknown)
    }
}

/// Gives an owner to what C was passed, such as a callback.
pub trait OnOutcome {
    /// Runs once, as soon as it is known how the call ended. Runs no code of the author's.
    fn on_outcome(self, outcome: Outcome);
}

/// C keeps nothing.
#[derive(Debug)]
pub struct KeepsNothing;

impl OnOutcome for KeepsNothing {
    #[inline]
    fn on_outcome(self, _: Outcome) {}
}

impl<F: FnOnce(Outcome)> OnOutcome for F {
    #[inline]
    fn on_outcome(self, outcome: Outcome) {
        self(outcome);
    }
}

/// The outcomes, other than success, after which C's result is converted.
#[derive(Debug, Clone, Copy)]
pub struct ConvertAfter {
    /// Set if the result is converted after a failure.
    pub failed: bool,
    /// Set if the result is converted after an unknown outcome.
    pub unknown: bool,
}

impl ConvertAfter {
    /// Returns the policy with these two settings.
    #[inline]
    pub const fn of(failed: bool, unknown: bool) -> Self {
        ConvertAfter { failed, unknown }
    }
}

/// Returns the value of `raw` if that is an integer.
#[inline]
pub(super) fn status_of(raw: &dyn Any) -> Option<i64> {
    fn integer<N: Copy + TryInto<i64> + 'static>(raw: &dyn Any) -> Option<i64> {
        raw.downcast_ref::<N>().and_then(|n| (*n).try_into().ok())
    }
    integer::<i32>(raw)
        .or_else(|| integer::<u32>(raw))
        .or_else(|| integer::<i64>(raw))
        .or_else(|| integer::<u64>(raw))
        .or_else(|| integer::<i8>(raw))
        .or_else(|| integer::<u8>(raw))
        .or_else(|| integer::<i16>(raw))
        .or_else(|| integer::<u16>(raw))
}
