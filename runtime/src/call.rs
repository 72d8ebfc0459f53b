//! The call sequence: every C function of a generated method is called here.
//!
//! Each call has the same steps, in this order:
//!
//! 1. The error source prepares for the call.
//! 2. C is called.
//! 3. The author's expressions say how the call ended ([`Outcome`]). A panic in them is kept.
//! 4. Everything that C was passed, and everything that it returned, gets its owner.
//! 5. The panic continues, or the error source words the failure.
//!
//! No other code of the author's runs between C and the owners.
//!
//! A call that is not marked `detach` runs with the GIL from step 1 to the end: where its thread gave the GIL up, the call
//! takes it.
//!
//! If the handle names the library's own lock, the call enters the lock before step 1 and leaves it at the end. A
//! message and a count are then those of this call, whatever other threads do with the same handle. A thread waits for
//! the lock without the GIL. The thread that has the lock may wait for the GIL, because no thread holds the GIL while
//! it waits for the lock.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::ptr::{self, NonNull};

use crate::callback::expected;
use crate::callback::{CallbackFailure, framed, report_raised};
use crate::children::{self, Id};
pub use crate::convert::from_c::expect_some;
use crate::convert::to_c::{CallString, IntoCString, Memory};
use crate::error::{Error, Result};
use crate::error_source::{CallInfo, ErrorSource, Hook, Listening};
use crate::failpoint::{CallSite, FailPoint};
pub use crate::handle::origin::{CallOrigin, lending, then_record_parents, then_record_parents_in};
use crate::handle::{Handle, Keeper, PassedOn, ReleaseError, Transfer};
use crate::helper_thread::{Aside, RaisedBySignal, Runner, ThisThread};
use crate::interpreter::{self, Attached, report};
pub use crate::outcome::Outcome;
pub use crate::panics::Caught;
use crate::quiet::may_be_quiet;
use crate::single_owner;
use crate::thread_locals::PerThread;
use crate::uses::depth::is_inside;
use crate::uses::{self, AtEnd, Uses, UsesToBegin};

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
    none: N,
    fails: F,
}

impl<C: Copy, N: FnOnce(C) -> bool, F: FnOnce(C) -> bool> CheckStatus<C>
    for StatusExpressions<N, F>
{
    #[inline]
    fn check_status(self, returned: C, caught: &Caught) -> Outcome {
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

/// Converts C's result to the type, for no longer than `life`.
///
/// The expansion of `#[calls]` uses the macro on the value that C has just returned. The author's return type says who
/// owns the value, and the author vouches for that with `unsafe`.
#[doc(hidden)]
#[macro_export]
macro_rules! __from_c {
    (unsafe $value:ty, $returned:expr, $life:expr) => {
        match $returned {
            // SAFETY: annotation `calls`: C just returned it, and the return type says who owns it; guarantee 14: it
            // lives no longer than `$life`.
            returned => unsafe {
                <$value as $crate::__private::from_c::FromC<_>>::from_c_within(returned, $life)
            },
        }
    };
}

/// The names and values of arguments, for messages.
#[doc(hidden)]
#[macro_export]
macro_rules! __named {
    ($($name:ident $value:expr),*) => {
        &[$((::core::stringify!($name), &$value as &dyn ::core::fmt::Debug)),*]
    };
}

/// A call of C, with the settings of its annotations.
#[derive(Debug)]
pub struct CCall<C, F, J, S, P = ThisThread, U = NoHandles> {
    c: F,
    handles: U,
    runner: P,
    check: J,
    on_outcome: S,
    returned: PhantomData<fn() -> C>,
}

/// The uses of the handles of a call.
pub trait BeginUses {
    /// Returns whether the table of uses has to know the call even where nobody looks at it: an argument has counted
    /// owners.
    fn is_counted(&self) -> bool;

    /// Begins the uses.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another use excludes one of them.
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
    fn begin(self) -> Result<Option<Uses>> {
        Ok(None)
    }
}

impl<B: FnOnce() -> Result<Option<Uses>>> BeginUses for UsesToBegin<B> {
    #[inline(always)]
    fn is_counted(&self) -> bool {
        self.is_counted
    }

    #[inline(always)]
    fn begin(self) -> Result<Option<Uses>> {
        (self.begin)()
    }
}

/// Returns a call of C with the default settings. `c` calls C within [`Caught::run`] and returns C's result: `None` if
/// C panicked.
#[inline]
pub fn c_call<C: Copy, F: FnOnce(&Caught) -> Option<C>>(
    c: F,
) -> CCall<C, F, AlwaysSucceeds, KeepsNothing> {
    CCall {
        c,
        handles: NoHandles,
        runner: ThisThread,
        check: AlwaysSucceeds,
        on_outcome: KeepsNothing,
        returned: PhantomData,
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
            check: StatusExpressions { none, fails },
            on_outcome: self.on_outcome,
            returned: PhantomData,
        }
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
            returned: PhantomData,
        }
    }
}

/// The library's own lock of a handle, which this thread has entered. Dropping it leaves the lock.
struct Locked<'h, T: Handle> {
    lock: *mut (),
    _handle: PhantomData<&'h T>,
}

impl<'h, T: Handle> Locked<'h, T> {
    /// Enters the lock, if the handle names one.
    #[inline]
    fn enter(handle: &'h T) -> Option<Self> {
        const { T::LOCKS }.then(|| {
            let lock = detach_unchecked(
                // SAFETY: annotation `lock`: taking the lock uses no Python.
                unsafe { WithoutPython::promised() },
                // SAFETY: guarantee 3: a reference to a handle is a valid handle.
                || unsafe { T::enter_lock(handle.as_raw()) },
            );
            Locked {
                lock,
                _handle: PhantomData,
            }
        })
    }
}

impl<T: Handle> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        // SAFETY: annotation `lock`: this thread entered the lock in `enter`, since a guard with a raw pointer stays
        // on its thread; guarantee 3: the handle is still borrowed.
        unsafe { T::leave_lock(self.lock) };
    }
}

/// Runs `f` while this thread holds the library's own lock of the handle, `lock(…)`. No other thread's call on the
/// handle, or on handles that share the lock, comes between the calls in `f`.
///
/// ```ignore
/// let (status, changes) = locked(connection, || (statement.step(), connection.changes()));
/// ```
pub fn locked<T: Handle, R>(handle: &T, f: impl FnOnce() -> R) -> R {
    const {
        assert!(
            T::LOCKS,
            "the handle names no lock of its library: add `lock(of = …, enter = …, leave = …)` to its annotation"
        )
    };
    let _locked = Locked::enter(handle);
    f()
}

/// Takes the GIL for a call that is not marked `detach`, where this thread gave it up: in a `#[detach]` body, or in a
/// callback of a detached call. So at most one thread is in such calls. A call whose error is asked of the handle takes the
/// GIL on C's own threads, too. Calls on what C lends to a callback run as the call that called back.
#[inline]
fn attached<T: Handle>(site: &'static CallSite) -> Option<Attached> {
    if site.is_detached || const { T::SPEC.is_callback_only() } {
        return None;
    }
    match const { T::SPEC.is_asked() } && is_inside() {
        true => Attached::begin(),
        false => Attached::again(),
    }
}

/// A call that has ended. Everything has its owner.
struct EndedCall<C, R> {
    returned: Option<C>,
    outcome: Outcome,
    errno: i32,
    owned: Option<R>,
    /// The error for a handle in the result that has another owner.
    twice: Option<Error>,
    raised: Option<CallbackFailure>,
}

impl<C: 'static, R> EndedCall<C, R> {
    /// Returns the result, or the error that `errors` words.
    #[inline(always)]
    fn finish<T: Handle>(
        self,
        site: &'static CallSite,
        errors: T::Errors,
        call: &CallInfo<'_, T>,
        caught: &Caught,
        made: impl FnOnce(&R) -> Option<&T>,
    ) -> Result<R> {
        let EndedCall { owned, outcome, .. } = self;
        let CallInfo {
            handle, arguments, ..
        } = *call;
        // From here on everything has its owner, and a panic releases what has to be released.
        continue_panics(self.raised, caught)?;
        if let Some(error) = self.twice {
            return Err(error);
        }
        let errno = self.errno;
        let status = self.returned.as_ref();
        let status = status.and_then(|returned| status_of(returned));
        let call = CallInfo {
            handle: handle.or_else(|| owned.as_ref().and_then(made)),
            status,
            errno,
            ..*call
        };
        if owned.is_none()
            || outcome != Outcome::Succeeded && outcome != Outcome::Nothing
            || errors.failed_silently(&call)
            || site.should_fail(FailPoint::Failed)
        {
            let is_held = |handle: &T| children::is_any_held() && children::is_held(Id::of(handle));
            if !handle.is_some_and(is_held) {
                // What a failing call left behind is released after its message was read.
                return Err(errors.into_error(&call));
            }
            // A child that holds the handle would be in the way of the question.
            drop(owned);
            let function = site.function;
            return Err(errors.into_error(&CallInfo {
                handle,
                function,
                status,
                errno,
                arguments,
            }));
        }
        assert!(!site.should_fail(FailPoint::Panic), "a panic was asked for");
        // While the result is still a variable: a panic in here releases it.
        errors.succeeded(&call);
        Ok(expect_some(owned))
    }
}

/// What follows C: the check of the status, and the owners.
struct Settle<J, S> {
    check: J,
    on_outcome: S,
    convert_after: ConvertAfter,
}

impl<J, S: OnOutcome> Settle<J, S> {
    /// Gives everything its owner.
    #[inline(always)]
    fn own<C: Copy, R>(
        self,
        site: &'static CallSite,
        (returned, errno): (Option<C>, i32),
        raised: Option<CallbackFailure>,
        caught: &Caught,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> EndedCall<C, R>
    where
        J: CheckStatus<C>,
    {
        let outcome = match returned {
            Some(returned) => self.check.check_status(returned, caught),
            None => Outcome::Unwound,
        };
        self.on_outcome.on_outcome(outcome);
        let owned = single_owner::check(site, || match (outcome, returned) {
            (Outcome::Nothing, _) => nothing(),
            (Outcome::Failed, _) if !self.convert_after.failed => None,
            (Outcome::Unknown, _) if !self.convert_after.unknown => None,
            (_, returned) => returned.and_then(own),
        });
        let (owned, twice) = owned.map_or_else(|twice| (None, Some(twice)), |owned| (owned, None));
        EndedCall {
            returned,
            outcome,
            errno,
            owned,
            twice,
            raised,
        }
    }
}

/// Returns the errors of a call that is about to begin.
#[inline(always)]
fn errors_of<T: Handle>(call: &CallInfo<'_, T>) -> T::Errors {
    let mut errors = T::Errors::default();
    errors.before_call(call);
    errors
}

/// Returns `errno`, if the errors of the handle may ask for it.
#[inline(always)]
fn errno_of<T: Handle>() -> i32 {
    match const { <T::Errors as ErrorSource<T>>::IS_SILENT } {
        true => 0,
        false => errno::errno().0,
    }
}

/// Returns whether C can neither call back nor report during the call, so that nobody has to listen.
#[inline(always)]
fn is_quiet<T: Handle, P: Runner>(site: &'static CallSite) -> bool {
    let is_silent = const { P::IS_THIS_THREAD && !T::LISTENS && !T::REPORTS };
    is_silent && !site.calls_back && may_be_quiet()
}

impl<C, F, J, S, P, U> CCall<C, F, J, S, P, U>
where
    U: BeginUses,
    C: Copy + 'static,
    F: FnOnce(&Caught) -> Option<C>,
    J: CheckStatus<C>,
    S: OnOutcome,
{
    /// Separates the uses of the handles from the call.
    #[inline(always)]
    fn split(self) -> (U, CCall<C, F, J, S, P>) {
        let call = CCall {
            c: self.c,
            handles: NoHandles,
            runner: self.runner,
            check: self.check,
            on_outcome: self.on_outcome,
            returned: PhantomData,
        };
        (self.handles, call)
    }

    /// Calls C, which may call back and report, and gives everything its owner.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "each is one annotation")]
    fn call_and_own<T: Handle, R>(
        self,
        site: &'static CallSite,
        handle: Option<&T>,
        errors: &mut T::Errors,
        uses: Option<Uses>,
        caught: &Caught,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> EndedCall<C, R>
    where
        P: Runner,
    {
        let CCall {
            c,
            runner,
            check,
            on_outcome,
            ..
        } = self;
        let ((returned, raised), by_signal) = runner.run(|| {
            with_error_hook(site, handle, errors, caught, || {
                // Whatever follows may change `errno`.
                (c(caught), errno_of::<T>())
            })
        });
        let settle = Settle {
            check,
            on_outcome,
            convert_after,
        };
        let mut ended = settle.own(site, returned, None, caught, nothing, own);
        // What C lent of the handles was copied, or has an owner of its own.
        uses.into_iter().for_each(Uses::end);
        ended.raised = raised_first(raised, by_signal);
        ended
    }

    /// Calls C, which neither calls back nor reports ([`is_quiet`]), and gives everything its owner.
    #[inline(always)]
    fn call_quietly_and_own<T: Handle, R>(
        self,
        site: &'static CallSite,
        caught: &Caught,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> EndedCall<C, R> {
        let CCall {
            c,
            check,
            on_outcome,
            ..
        } = self;
        // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for each thread.
        let returned = T::with_thread_locals(unsafe { PerThread::promised() }, || {
            let returned = c(caught);
            (returned, errno_of::<T>())
        });
        let settle = Settle {
            check,
            on_outcome,
            convert_after,
        };
        settle.own(site, returned, None, caught, nothing, own)
    }

    /// Calls C and owns its result. A failure becomes the error that `T::Errors` words.
    ///
    /// `nothing` returns the result where there is none. `own` gets C's result and gives it to its owner at once.
    /// `made` is for constructors: it returns the handle in the result, which may know the cause of a failure.
    ///
    /// # Errors
    ///
    /// The error that the handle's `errors` word, or that a callback raised.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "each is one annotation")]
    pub fn call_fallible<T: Handle, R>(
        self,
        site: &'static CallSite,
        handle: Option<&T>,
        arguments: &[(&'static str, &dyn fmt::Debug)],
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
        made: impl FnOnce(&R) -> Option<&T>,
    ) -> Result<R>
    where
        P: Runner,
    {
        let call = CallInfo {
            handle,
            function: site.function,
            status: None,
            errno: 0,
            arguments,
        };
        if is_quiet::<T, P>(site) && !self.handles.is_counted() {
            return self.call_fallible_quietly(&call, site, convert_after, nothing, own, made);
        }
        self.call_fallible_watched(&call, site, convert_after, nothing, own, made)
    }

    /// [`CCall::call_fallible`] where C neither calls back nor reports.
    #[inline(always)]
    fn call_fallible_quietly<T: Handle, R>(
        self,
        call: &CallInfo<'_, T>,
        site: &'static CallSite,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
        made: impl FnOnce(&R) -> Option<&T>,
    ) -> Result<R> {
        let _locked = call.handle.and_then(Locked::enter);
        let errors = errors_of(call);
        if site.should_fail(FailPoint::NotCalled) {
            // The borrows of the call end here: `errors` may ask the handles.
            drop(self);
            return Err(errors.into_error(call));
        }
        let caught = Caught::new();
        let ended = self.call_quietly_and_own::<T, R>(site, &caught, convert_after, nothing, own);
        ended.finish(site, errors, call, &caught, made)
    }

    /// [`CCall::call_fallible`] where C may call back or report.
    #[inline(never)]
    fn call_fallible_watched<T: Handle, R>(
        self,
        call: &CallInfo<'_, T>,
        site: &'static CallSite,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
        made: impl FnOnce(&R) -> Option<&T>,
    ) -> Result<R>
    where
        P: Runner,
    {
        let _at_end = AtEnd;
        let _attached = attached::<T>(site);
        let (handles, this) = self.split();
        let uses = handles.begin()?;
        let handle = call.handle;
        let _locked = handle.and_then(Locked::enter);
        let mut errors = errors_of(call);
        if site.should_fail(FailPoint::NotCalled) {
            // The borrows of the call end here: `errors` may ask the handles.
            drop((this, uses));
            return Err(errors.into_error(call));
        }
        let caught = Caught::new();
        let ended = this.call_and_own(
            site,
            handle,
            &mut errors,
            uses,
            &caught,
            convert_after,
            nothing,
            own,
        );
        ended.finish(site, errors, call, &caught, made)
    }

    /// Calls [`CCall::call_infallible`] while the library's own lock of the handle is held, for C functions that take that lock
    /// themselves.
    #[inline]
    pub fn call_infallible_locked<T: Handle, R>(
        self,
        site: &'static CallSite,
        handle: Option<&T>,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> R
    where
        P: Runner,
    {
        let _locked = handle.and_then(Locked::enter);
        self.call_infallible(site, handle, convert_after, nothing, own)
    }

    /// Calls C where nothing can fail. Reports of C during the call are dropped.
    #[inline]
    pub fn call_infallible<T: Handle, R>(
        self,
        site: &'static CallSite,
        handle: Option<&T>,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> R
    where
        P: Runner,
    {
        site.reach();
        if is_quiet::<T, P>(site) && !self.handles.is_counted() {
            let caught = Caught::new();
            let ended =
                self.call_quietly_and_own::<T, R>(site, &caught, convert_after, nothing, own);
            caught.resume();
            return match ended.twice {
                Some(error) => panic!("{error}"),
                None => expect_some(ended.owned),
            };
        }
        self.call_infallible_watched(site, handle, convert_after, nothing, own)
    }

    /// [`CCall::call_infallible`] where C may call back or report.
    #[inline(never)]
    fn call_infallible_watched<T: Handle, R>(
        self,
        site: &'static CallSite,
        handle: Option<&T>,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> R
    where
        P: Runner,
    {
        let _at_end = AtEnd;
        let _attached = attached::<T>(site);
        let (handles, this) = self.split();
        let uses = uses::granted(handles.begin());
        let caught = Caught::new();
        let mut errors = T::Errors::default();
        let ended = this.call_and_own(
            site,
            handle,
            &mut errors,
            uses,
            &caught,
            convert_after,
            nothing,
            own,
        );
        let owned = ended.owned;
        // The call can't fail, so it can't raise either.
        if let Err(error) = continue_panics(ended.raised, &caught) {
            report_raised(CallbackFailure::Error(error));
        }
        drop(errors);
        if let Some(error) = ended.twice {
            panic!("{error}");
        }
        expect_some(owned)
    }

    /// Releases a handle by a C function that says whether it could.
    ///
    /// # Errors
    ///
    /// The error that the handle's `errors` word, or their panic: nothing unwinds from here.
    pub fn release<T: Handle>(
        self,
        Releasing(raw): Releasing<T>,
        function: &'static str,
        kept: bool,
    ) -> Result<(), ReleaseError> {
        // SAFETY: the caller's promise, given to `Releasing::of`: the handle is valid. After the call it is used only
        // where C kept it.
        let handle = unsafe { T::from_raw(raw) };
        let call = CallInfo {
            handle: Some(handle),
            function,
            status: None,
            errno: 0,
            arguments: &[],
        };
        let caught = Caught::new();
        // The handle is released whatever the author's code does.
        let mut errors = caught.run(|| {
            let mut errors = T::Errors::default();
            errors.before_call(&call);
            errors
        });
        // The author's code may have made a child of it.
        let id = Id::new(T::kind(), raw.as_ptr().cast());
        if !T::kind().is_counted() && children::check_childless(id).is_err() {
            return Err(ReleaseError {
                kept: true,
                ..ReleaseError::gone(Error::Value(format!(
                    "a {} is not released: a handle was made in it by its own `errors`",
                    T::NAME
                )))
            });
        }
        let listening = match &mut errors {
            // SAFETY: Rust: both are on this stack, and the errors are left alone until C has returned.
            Some(errors) => unsafe { Listening::begin(ptr::from_mut(errors), &caught) },
            None => Listening::to_nobody(),
        };
        let c = self.c;
        // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for each thread.
        let returned = T::with_thread_locals(unsafe { PerThread::promised() }, || c(&caught));
        let errno = errno::errno().0;
        drop(listening);
        let outcome = match returned {
            Some(returned) => self.check.check_status(returned, &caught),
            None => Outcome::Unwound,
        };
        if let Outcome::Unknown | Outcome::Unwound = outcome {
            let mut unreleased = ReleaseError::lost(&caught);
            // Where a failing release leaves nothing, it is gone in any case.
            unreleased.lost = kept || outcome == Outcome::Unwound;
            return Err(unreleased);
        }
        let call = CallInfo {
            handle: kept.then_some(handle),
            status: returned.as_ref().and_then(|returned| status_of(returned)),
            errno,
            ..call
        };
        let failed = outcome == Outcome::Failed;
        let error = caught.run(|| {
            errors
                .filter(|_| failed)
                .map(|errors| errors.into_error(&call))
        });
        let panic = caught.take().map(Error::panic);
        match panic.or(error.flatten()) {
            Some(error) => Err(ReleaseError {
                kept: kept && failed,
                ..ReleaseError::gone(error)
            }),
            None => Ok(()),
        }
    }
}

/// A handle that is about to be released.
#[derive(Debug)]
pub struct Releasing<T: Handle>(NonNull<T::Raw>);

impl<T: Handle> Releasing<T> {
    /// Returns the handle at `raw`.
    ///
    /// # Safety
    ///
    /// `raw` is valid, and the release function releases it, unless the function fails and `kept` says that the
    /// resource is then still there.
    pub const unsafe fn of(raw: NonNull<T::Raw>) -> Self {
        Releasing(raw)
    }

    /// The pointer of the handle.
    #[inline]
    pub const fn raw(&self) -> *mut T::Raw {
        self.0.as_ptr()
    }
}

/// Returns the exception of a call. One raised within the call comes before one of a signal handler that ran beside it,
/// which is then reported.
#[inline]
fn raised_first(
    within: Option<CallbackFailure>,
    by_signal: Option<RaisedBySignal>,
) -> Option<CallbackFailure> {
    match (within, by_signal) {
        (within, None) => within,
        (None, Some(RaisedBySignal(raised))) => Some(raised),
        (within, Some(RaisedBySignal(raised))) => {
            report_raised(raised);
            within
        }
    }
}

/// Continues the panic of a call whose values have their owners.
///
/// # Errors
///
/// The error that a callback raised.
#[inline]
fn continue_panics(raised: Option<CallbackFailure>, caught: &Caught) -> Result<()> {
    match raised {
        None => caught.resume(),
        Some(CallbackFailure::Panic(panic)) => resume_unwind(panic),
        Some(CallbackFailure::Error(error)) => match caught.take() {
            None => return Err(error),
            Some(panic) => {
                report(error);
                resume_unwind(panic);
            }
        },
    }
    Ok(())
}

/// Calls a release function without a status. Reports of C during the call are dropped.
///
/// # Safety
///
/// C keeps the variables that the author of the handle names for each thread.
#[inline]
pub unsafe fn release_infallible<T: Handle, R>(c: impl FnOnce() -> R) -> R {
    let _listening = const { T::LISTENS }.then(Listening::to_nobody);
    // SAFETY: the caller's promise.
    T::with_thread_locals(unsafe { PerThread::promised() }, c)
}

/// Returns the handle in `place`, which C gets and may keep.
///
/// # Safety
///
/// The result is not used once the handle was taken out of `place`.
#[inline]
pub unsafe fn lent<'a, T: Handle>(place: &mut Option<Transfer<'_, T>>) -> &'a T {
    match place {
        // SAFETY: guarantee 7: what is in the place owns a valid handle. the caller's promise: the result is not used
        // once that has gone.
        Some(handle) => unsafe { T::from_raw(handle.raw()) },
        None => unreachable!("it is there until C was called"),
    }
}

/// The handle as an expression of the author sees it: for no longer than `here`, which stands on the stack of the method.
#[inline]
pub fn shown<'a, T>(here: &'a (), handle: &'a T) -> &'a T {
    let () = here;
    handle
}

/// Looks once more at a handle that C is about to get: the author's code ran since the call began.
///
/// # Panics
///
/// If others live in it.
#[inline]
pub fn check_childless(given: Id) {
    if given.kind().has_relatives()
        && let Err(error) = children::check_childless(given)
    {
        panic!("{error}");
    }
}

/// The place of a handle that C was called with, and may have taken over.
#[derive(Debug)]
pub struct Taken<'g, 'p, T: Handle>(&'g mut Option<Transfer<'p, T>>);

impl<'g, 'p, T: Handle> Taken<'g, 'p, T> {
    /// Returns the place, after the call.
    ///
    /// # Safety
    ///
    /// C got the handle by the call that has ended, and has it from then on, unless `commit_transfer` is told that the call
    /// left the handle.
    #[inline]
    pub unsafe fn by_c(place: &'g mut Option<Transfer<'p, T>>) -> Self {
        Taken(place)
    }
}

/// Takes the handle out of `place` if C has it now, in `keeper`; `left` says that a failing call leaves the handle. If
/// it is unknown whether C has the handle, the handle is leaked and reported. Dropping the result drops the values of
/// the handle.
#[inline]
pub fn commit_transfer<T: Handle>(
    Taken(place): Taken<'_, '_, T>,
    outcome: Outcome,
    left: bool,
    keeper: Keeper<'_>,
) -> PassedOn {
    match outcome.takes(left) {
        Some(false) => PassedOn::nothing(),
        Some(true) => match place.take() {
            None => PassedOn::nothing(),
            Some(handle) => handle.commit(keeper),
        },
        None => {
            place.take().into_iter().for_each(Transfer::leak);
            PassedOn::nothing()
        }
    }
}

/// Returns the value of `raw` if that is an integer.
#[inline]
fn status_of(raw: &dyn Any) -> Option<i64> {
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

#[inline]
fn with_error_hook<T: Handle, R>(
    site: &'static CallSite,
    handle: Option<&T>,
    errors: &mut T::Errors,
    caught: &Caught,
    c: impl FnOnce() -> R,
) -> (R, Option<CallbackFailure>) {
    if site.calls_back {
        expected::expect();
    }
    let calls_back = site.calls_back || expected::is_expected();
    let c = || match calls_back {
        true => framed(c),
        false => (c(), None),
    };
    let hook = handle.and_then(Hook::install);
    let listens = hook.is_some() || const { T::LISTENS };
    // SAFETY: Rust: the errors are borrowed exclusively, and `caught` is borrowed, for longer than `_listening`
    // lives.
    let _listening = listens.then(|| unsafe { Listening::begin(ptr::from_mut(errors), caught) });
    // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for each thread.
    T::with_thread_locals(unsafe { PerThread::promised() }, c)
}

/// Converts a length to C's integer type.
#[inline]
pub fn length<C: TryFrom<usize>>(
    site: &'static CallSite,
    name: &'static str,
    bytes: &impl Memory,
) -> Result<C> {
    let length = bytes.count();
    match C::try_from(length) {
        Ok(length) if !site.should_fail(FailPoint::Argument) => Ok(length),
        _ => Err(Error::Overflow(format!(
            "{name} is too long for C: {length} bytes"
        ))),
    }
}

/// Converts a `&str` argument, or an optional one, to the C string that lives during the call.
#[inline]
pub fn text(
    site: &'static CallSite,
    name: &'static str,
    text: impl IntoCString,
) -> Result<Option<CallString>> {
    if site.should_fail(FailPoint::Argument) {
        return Err(Error::Value(format!("{name} cannot be converted")));
    }
    text.into_c_string(name)
}

/// The promise that code that runs without the GIL uses no Python object.
#[derive(Debug)]
pub struct WithoutPython(());

impl WithoutPython {
    /// Makes the promise.
    ///
    /// # Safety
    ///
    /// The promise is true.
    #[inline]
    pub const unsafe fn promised() -> Self {
        WithoutPython(())
    }
}

/// Runs `c` without the GIL if this thread holds it. Keeps the `errno` that `c` leaves.
#[inline]
pub fn detach_unchecked<R>(_: WithoutPython, c: impl FnOnce() -> R) -> R {
    let (result, errno) = interpreter::detach(|| (c(), errno::errno()));
    errno::set_errno(errno);
    result
}

/// Runs `c` without the GIL if this thread holds it. `Send` keeps Python objects out, as in PyO3's own `detach`.
pub fn detach<R: Send>(c: impl FnOnce() -> R + Send) -> R {
    // SAFETY: Rust: `Send` keeps Python objects out of the closure, as far as PyO3's own `detach` asks for it.
    detach_unchecked(unsafe { WithoutPython::promised() }, c)
}

/// Runs Python's signal handlers if signals came. Call it in a callback that a C library calls while it works for long,
/// such as a progress hook, and in a loop in a body. A call costs some nanoseconds: it convert_after for signals every 20 ms,
/// and on Python's main thread alone. Does nothing without Python.
///
/// # Errors
///
/// The exception of a handler, such as `KeyboardInterrupt`. A callback returns it, so that C is told to stop and the
/// call raises it.
pub fn check_signals() -> Result<()> {
    interpreter::check_signals()
}

/// Returns whether this thread runs Python's signal handlers, so that a long call of C here makes Ctrl-C wait. Costs
/// some nanoseconds. Returns false without Python.
pub fn handles_signals() -> bool {
    interpreter::handles_signals()
}

/// Refuses, while compiling, arguments that hold Python objects where the body is detached.
#[inline]
pub fn assert_send<T: Send>(_: &T) {}
