//! A call of C with its settings.

use std::marker::PhantomData;

use super::details::{NoDetails, WrittenDetails};
use super::status::{AlwaysSucceeds, KeepsNothing, StatusExpressions};
use crate::error::Result;
use crate::helper_thread::{Aside, ThisThread};
use crate::outcome::Outcome;
use crate::panics::Caught;
use crate::uses::{Uses, UsesToBegin, begin_none};

/// A call of C, with the settings of its annotations.
#[derive(Debug)]
pub struct CCall<C, F, J, S, P = ThisThread, U = NoHandles, D = NoDetails> {
    pub(super) c: F,
    pub(super) handles: U,
    pub(super) runner: P,
    pub(super) check: J,
    pub(super) on_outcome: S,
    pub(super) details: D,
    pub(super) returned: PhantomData<fn() -> C>,
}

/// The result of C; `None` if C panicked.
///
/// Only unsafe code makes one, so a `return` in an expression of the author does not take the place of the call.
#[derive(Debug, Clone, Copy)]
pub struct Returned<C>(pub(super) Option<C>);

impl<C> Returned<C> {
    /// Returns the result.
    ///
    /// # Safety
    ///
    /// C returned it within [`Caught::run`], which gives `None` if C panicked.
    #[inline(always)]
    pub const unsafe fn of(returned: Option<C>) -> Self {
        Returned(returned)
    }
}

/// Returns a call of C with the default settings. `c` calls C and returns its result.
#[inline]
pub fn c_call<C: Copy, F: FnOnce(&Caught) -> Returned<C>>(
    c: F,
) -> CCall<C, F, AlwaysSucceeds, KeepsNothing> {
    CCall {
        c,
        handles: NoHandles,
        runner: ThisThread,
        check: AlwaysSucceeds,
        on_outcome: KeepsNothing,
        details: NoDetails,
        returned: PhantomData,
    }
}

impl<C: Copy, F, J, S, P, U> CCall<C, F, J, S, P, U> {
    /// Sets the closure that reads what C wrote about a failure, when C has returned.
    #[inline]
    pub fn with_details<V, D: FnOnce() -> Option<V>>(
        self,
        read: D,
    ) -> CCall<C, F, J, S, P, U, WrittenDetails<D>> {
        CCall {
            c: self.c,
            handles: self.handles,
            runner: self.runner,
            check: self.check,
            on_outcome: self.on_outcome,
            details: WrittenDetails(read),
            returned: PhantomData,
        }
    }
}

impl<C: Copy, F, J, S, P> CCall<C, F, J, S, P> {
    /// Sets the uses of the handles, which last until the result has its owner.
    #[inline]
    pub fn using<U: BeginUses>(self, handles: U) -> CCall<C, F, J, S, P, U> {
        CCall {
            c: self.c,
            handles,
            runner: self.runner,
            check: self.check,
            on_outcome: self.on_outcome,
            details: self.details,
            returned: PhantomData,
        }
    }
}

impl<C: Copy, F, J, S, U> CCall<C, F, J, S, ThisThread, U> {
    /// Moves the call to a helper thread, while this thread runs signal handlers.
    #[inline]
    pub fn interruptible<I: Fn()>(self, runner: Aside<I>) -> CCall<C, F, J, S, Aside<I>, U> {
        CCall {
            c: self.c,
            handles: self.handles,
            runner,
            check: self.check,
            on_outcome: self.on_outcome,
            details: self.details,
            returned: PhantomData,
        }
    }
}

impl<C: Copy, F, S, P, U> CCall<C, F, AlwaysSucceeds, S, P, U> {
    /// Sets the expressions that say that there is no result, and that C failed.
    #[inline]
    pub fn with_status<N: FnOnce(C) -> bool, G: FnOnce(C) -> bool>(
        self,
        none: N,
        fails: G,
    ) -> CCall<C, F, StatusExpressions<N, G>, S, P, U> {
        CCall {
            c: self.c,
            handles: self.handles,
            runner: self.runner,
            check: StatusExpressions {
                none,
                fails,
                are_the_authors: false,
            },
            on_outcome: self.on_outcome,
            details: self.details,
            returned: PhantomData,
        }
    }

    /// Sets the expressions, of which the author wrote one: `when(…)`.
    #[inline]
    pub fn with_conditions<N: FnOnce(C) -> bool, G: FnOnce(C) -> bool>(
        self,
        none: N,
        fails: G,
    ) -> CCall<C, F, StatusExpressions<N, G>, S, P, U> {
        let mut call = self.with_status(none, fails);
        call.check.are_the_authors = true;
        call
    }
}

impl<C: Copy, F, J, P, U> CCall<C, F, J, KeepsNothing, P, U> {
    /// Sets the closure that gives an owner to what C was passed.
    #[inline]
    pub fn on_outcome<S: FnOnce(Outcome)>(self, on_outcome: S) -> CCall<C, F, J, S, P, U> {
        CCall {
            c: self.c,
            handles: self.handles,
            runner: self.runner,
            check: self.check,
            on_outcome,
            details: self.details,
            returned: PhantomData,
        }
    }
}

/// The uses of the handles of a call.
pub trait BeginUses {
    /// Returns whether the table of uses has to know the call even where nobody looks at it: an argument has counted
    /// owners.
    fn is_counted(&self) -> bool;

    /// Returns whether an argument is used exclusively.
    fn is_exclusive(&self) -> bool;

    /// Returns whether an argument is used exclusively that is in a tree.
    fn edits_tree(&self) -> bool;

    /// Begins the uses.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`](crate::Error::Busy) if another use excludes one of them.
    fn begin(self) -> Result<Option<Uses>>;
}

/// A call without handles.
#[derive(Debug)]
pub struct NoHandles;

impl BeginUses for NoHandles {
    #[inline(always)]
    fn is_counted(&self) -> bool {
        false
    }

    #[inline(always)]
    fn is_exclusive(&self) -> bool {
        false
    }

    #[inline(always)]
    fn edits_tree(&self) -> bool {
        false
    }

    #[inline(always)]
    fn begin(self) -> Result<Option<Uses>> {
        begin_none()
    }
}

impl<B: FnOnce() -> Result<Option<Uses>>> BeginUses for UsesToBegin<B> {
    #[inline(always)]
    fn is_counted(&self) -> bool {
        self.is_counted
    }

    #[inline(always)]
    fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }

    #[inline(always)]
    fn edits_tree(&self) -> bool {
        self.edits_tree
    }

    #[inline(always)]
    fn begin(self) -> Result<Option<Uses>> {
        (self.begin)()
    }
}
