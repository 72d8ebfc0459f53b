//! The steps of a call: see the docs of the parent module.

use std::fmt;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::ptr;

use super::ccall::{BeginUses, CCall, NoHandles, Returned};
use super::details::{NoDetails, ReadDetails, Unread};
use super::gil::attached;
use super::lock::{Locked, begin_before_lock};
use super::status::{CheckStatus, ConvertAfter, OnOutcome, status_of};
use crate::callback::expected;
use crate::callback::{CallbackFailure, framed, report_raised};
use crate::children::{self, Id};
use crate::convert::from_c::expect_some;
use crate::error::{Error, Result};
use crate::error_source::{CallInfo, ErrorSource, Hook, Listening, are_silent};
use crate::failpoint::{Access, CallSite, FailPoint};
use crate::handle::Handle;
use crate::helper_thread::{RaisedBySignal, Runner};
use crate::interpreter::report;
use crate::outcome::Outcome;
use crate::panics::{Caught, Contained};
use crate::quiet::may_be_quiet;
use crate::single_owner::NOTES;
use crate::thread_locals::PerThread;
use crate::uses::author_code::{AuthorCode, runs_author_code};
use crate::uses::depth::callbacks_so_far;
use crate::uses::{self, AtEnd, Uses, may_read};
use crate::wrong_annotation::{self, WrongAnnotation};

/// A call that has ended. Everything has its owner.
struct EndedCall<C, R> {
    returned: Option<C>,
    outcome: Outcome,
    errno: i32,
    owned: Option<R>,
    /// What the call did that an annotation excludes.
    wrong: Option<WrongAnnotation>,
}

impl<C: 'static, R> EndedCall<C, R> {
    /// Returns the result, or the error that `errors` words.
    #[inline(always)]
    fn finish<T: Handle, D: ReadDetails<T::Errors>>(
        self,
        site: &'static CallSite,
        (mut errors, details): (Contained<T::Errors>, Unread<T::Errors, D>),
        call: &CallInfo<'_, T>,
        (caught, raised): (&Caught, &mut Option<CallbackFailure>),
        made: impl FnOnce(&R) -> Option<&T>,
    ) -> Result<R> {
        let EndedCall { owned, outcome, .. } = self;
        // The receiver is borrowed until this returns.
        let _code = (!are_silent::<T::Errors>()).then(AuthorCode::beside_uses);
        let written = details.read(outcome);
        let CallInfo {
            handle, arguments, ..
        } = *call;
        // From here on everything has its owner, and a panic releases what has to be released.
        continue_panics(raised, caught)?;
        if let Some(wrong) = self.wrong {
            return Err(wrong.error(site));
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
            if let Some(written) = written {
                D::tell(written, &mut errors);
            }
            let is_held = |handle: &T| children::is_any_held() && children::is_held(Id::of(handle));
            if !handle.is_some_and(is_held) {
                // What a failing call left behind is released after its message was read.
                return Err(errors.into_inner().into_error(&call));
            }
            // A child that holds the handle would be in the way of the question.
            drop(owned);
            let function = site.function;
            return Err(errors.into_inner().into_error(&CallInfo {
                handle,
                function,
                status,
                errno,
                arguments,
            }));
        }
        assert!(!site.should_fail(FailPoint::Panic), "a panic was asked for");
        // While the result is still a variable: a panic in here releases it.
        errors.into_inner().succeeded(&call);
        Ok(expect_some(owned))
    }
}

/// The steps after C has returned: the check of the status, and the owners.
struct AfterCall<J, S> {
    check: J,
    on_outcome: S,
    convert_after: ConvertAfter,
}

impl<J, S: OnOutcome> AfterCall<J, S> {
    /// Gives everything its owner.
    #[inline(always)]
    fn own<C: Copy, R>(
        self,
        (returned, errno): (Option<C>, i32),
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
        wrong_annotation::begin();
        // No closure: the compiler would share it among all calls like this one, and pass everything by memory.
        let owned = match (outcome, returned) {
            (Outcome::Nothing, _) => nothing(),
            (Outcome::Failed, _) if !self.convert_after.failed => None,
            (Outcome::Unknown, _) if !self.convert_after.unknown => None,
            (_, Some(returned)) => own(returned),
            (_, None) => None,
        };
        let wrong = wrong_annotation::end();
        let owned = owned.filter(|_| wrong.is_none());
        EndedCall {
            returned,
            outcome,
            errno,
            owned,
            wrong,
        }
    }
}

impl<C, F, J, S, P, U, D> CCall<C, F, J, S, P, U, D>
where
    U: BeginUses,
    C: Copy + 'static,
    F: FnOnce(&Caught) -> Returned<C>,
    J: CheckStatus<C>,
    S: OnOutcome,
{
    /// Returns the call, moved. So the compiler puts it into memory only where it calls a function that takes it, and
    /// not on the quick way, which is inlined.
    #[inline(always)]
    fn moved_here(self) -> Self {
        let CCall {
            c,
            handles,
            runner,
            check,
            on_outcome,
            details,
            returned,
        } = self;
        CCall {
            c,
            handles,
            runner,
            check,
            on_outcome,
            details,
            returned,
        }
    }

    /// Separates the uses of the handles, and the details of a failure, from the call.
    #[inline(always)]
    fn split(self) -> (U, D, CCall<C, F, J, S, P>) {
        let call = CCall {
            c: self.c,
            handles: NoHandles,
            runner: self.runner,
            check: self.check,
            on_outcome: self.on_outcome,
            details: NoDetails,
            returned: PhantomData,
        };
        (self.handles, self.details, call)
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
        (caught, raised): (&Caught, &mut Option<CallbackFailure>),
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
        let callbacks = callbacks_so_far();
        let (returned, by_signal) = runner.run(|| {
            with_error_hook(site, handle, errors, (caught, raised), || {
                // Whatever follows may change `errno`.
                (c(caught).0, errno_of::<T>())
            })
        });
        let after = AfterCall {
            check,
            on_outcome,
            convert_after,
        };
        let is_broken = site.access != Access::Any && callbacks != callbacks_so_far();
        let mut ended = after.own(returned, caught, nothing, own);
        if is_broken {
            ended.wrong = Some(WrongAnnotation::NotPure);
        }
        // What C lent of the handles was copied, or has an owner of its own.
        uses.into_iter().for_each(Uses::end);
        if let Some(by_signal) = by_signal {
            raise_later(raised, by_signal);
        }
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
        let c = || {
            let Returned(returned) = c(caught);
            (returned, errno_of::<T>())
        };
        let returned = match site.access {
            // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for each thread.
            Access::Any => T::with_thread_locals(unsafe { PerThread::promised() }, c),
            // C looks at no variable.
            Access::ReadsReceiver | Access::ReadsSeveral => c(),
        };
        let after = AfterCall {
            check,
            on_outcome,
            convert_after,
        };
        after.own(returned, caught, nothing, own)
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
        D: ReadDetails<T::Errors>,
    {
        let call = CallInfo {
            handle,
            function: site.function,
            status: None,
            errno: 0,
            arguments,
        };
        if is_quiet::<T, P>(site, &self.handles) {
            return self.call_fallible_quietly(&call, site, convert_after, nothing, own, made);
        }
        self.moved_here()
            .call_fallible_watched(&call, site, convert_after, nothing, own, made)
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
    ) -> Result<R>
    where
        P: Runner,
        D: ReadDetails<T::Errors>,
    {
        let locked = call.handle.and_then(Locked::enter);
        let errors = errors_of(call);
        if site.should_fail(FailPoint::NotCalled) {
            // The borrows of the call end here: `errors` may ask the handles.
            drop(self);
            return Err(errors.into_inner().into_error(call));
        }
        // The author's code ran, and may have passed a callback to C.
        if !are_silent::<T::Errors>() && !is_quiet::<T, P>(site, &self.handles) {
            // The uses begin before the lock is entered: a call that has begun its uses may wait for the lock.
            drop((errors, locked));
            return self.call_fallible_watched(call, site, convert_after, nothing, own, made);
        }
        let caught = Caught::new();
        let (_, details, this) = self.split();
        let details = Unread::new(details);
        let ended = this.call_quietly_and_own::<T, R>(site, &caught, convert_after, nothing, own);
        ended.finish(site, (errors, details), call, (&caught, &mut None), made)
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
        D: ReadDetails<T::Errors>,
    {
        let _at_end = AtEnd;
        let _attached = attached::<T>(site);
        let (handles, details, this) = self.split();
        let handle = call.handle;
        let uses = begin_before_lock(handle, || handles.begin())?;
        let _locked = handle.and_then(Locked::enter);
        let mut errors = errors_of(call);
        if site.should_fail(FailPoint::NotCalled) {
            // The borrows of the call end here: `errors` may ask the handles.
            drop((this, uses));
            return Err(errors.into_inner().into_error(call));
        }
        let caught = Caught::new();
        let mut raised = None;
        let details = Unread::new(details);
        let ended = this.call_and_own(
            site,
            handle,
            &mut errors,
            uses,
            (&caught, &mut raised),
            convert_after,
            nothing,
            own,
        );
        ended.finish(site, (errors, details), call, (&caught, &mut raised), made)
    }

    /// Calls [`CCall::call_infallible`] while the library's own lock of the handle is held, for C functions that take
    /// that lock themselves.
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
        site.reach();
        if is_quiet::<T, P>(site, &self.handles) {
            let _locked = handle.and_then(Locked::enter);
            return self.call_infallible_quietly::<T, R>(site, convert_after, nothing, own);
        }
        self.moved_here()
            .call_infallible_watched(site, handle, handle, convert_after, nothing, own)
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
        if is_quiet::<T, P>(site, &self.handles) {
            return self.call_infallible_quietly::<T, R>(site, convert_after, nothing, own);
        }
        self.moved_here()
            .call_infallible_watched(site, handle, None, convert_after, nothing, own)
    }

    /// [`CCall::call_infallible`] where C neither calls back nor reports.
    #[inline(always)]
    fn call_infallible_quietly<T: Handle, R>(
        self,
        site: &'static CallSite,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> R {
        let caught = Caught::new();
        let ended = self.call_quietly_and_own::<T, R>(site, &caught, convert_after, nothing, own);
        caught.resume();
        match ended.wrong {
            Some(wrong) => panic!("{}", wrong.error(site)),
            None => expect_some(ended.owned),
        }
    }

    /// [`CCall::call_infallible`] where C may call back or report.
    #[inline(never)]
    fn call_infallible_watched<T: Handle, R>(
        self,
        site: &'static CallSite,
        handle: Option<&T>,
        locked: Option<&T>,
        convert_after: ConvertAfter,
        nothing: impl FnOnce() -> Option<R>,
        own: impl FnOnce(C) -> Option<R>,
    ) -> R
    where
        P: Runner,
    {
        let _at_end = AtEnd;
        let _attached = attached::<T>(site);
        let (handles, _, this) = self.split();
        let uses = begin_before_lock(locked, || handles.begin());
        let uses = uses::granted(uses);
        // After the uses have begun: a call that has begun its uses may wait for the lock.
        let _locked = locked.and_then(Locked::enter);
        let caught = Caught::new();
        let mut raised = None;
        let mut errors = default_errors::<T>();
        let ended = this.call_and_own(
            site,
            handle,
            &mut errors,
            uses,
            (&caught, &mut raised),
            convert_after,
            nothing,
            own,
        );
        let owned = ended.owned;
        // The call can't fail, so it can't raise either.
        if let Err(error) = continue_panics(&mut raised, &caught) {
            report_raised(CallbackFailure::Error(error));
        }
        drop(errors);
        if let Some(wrong) = ended.wrong {
            panic!("{}", wrong.error(site));
        }
        expect_some(owned)
    }
}

/// Returns the errors of a call that cannot fail.
#[inline(always)]
fn default_errors<T: Handle>() -> Contained<T::Errors> {
    let _code = (!are_silent::<T::Errors>()).then(AuthorCode::begin);
    Contained::new(T::Errors::default())
}

/// Returns the errors of a call that is about to begin.
#[inline(always)]
fn errors_of<T: Handle>(call: &CallInfo<'_, T>) -> Contained<T::Errors> {
    let _code = (!are_silent::<T::Errors>()).then(AuthorCode::begin);
    let mut errors = Contained::new(T::Errors::default());
    errors.before_call(call);
    errors
}

/// Returns `errno`, if the errors of the handle may ask for it.
#[inline(always)]
fn errno_of<T: Handle>() -> i32 {
    match are_silent::<T::Errors>() {
        true => 0,
        false => errno::errno().0,
    }
}

/// Returns whether C can neither call back nor report during the call, so that nobody has to listen, and nobody has to
/// know what the call uses.
#[inline(always)]
fn is_quiet<T: Handle, P: Runner>(site: &'static CallSite, handles: &impl BeginUses) -> bool {
    let is_silent = match site.access {
        // Where calls are checked against their annotations, this one is watched.
        Access::ReadsReceiver | Access::ReadsSeveral if NOTES => false,
        Access::ReadsReceiver => may_read(|| T::kind().is_written_by_callbacks()),
        Access::ReadsSeveral => may_read(|| true),
        Access::Any => {
            let is_silent = const { P::IS_THIS_THREAD && !T::LISTENS && !T::REPORTS };
            is_silent && !site.calls_back && may_be_quiet(handles.is_exclusive())
        }
    };
    is_silent && !handles.is_counted() && !(handles.edits_tree() && runs_author_code())
}

#[inline]
fn with_error_hook<T: Handle, R>(
    site: &'static CallSite,
    handle: Option<&T>,
    errors: &mut T::Errors,
    (caught, raised): (&Caught, &mut Option<CallbackFailure>),
    c: impl FnOnce() -> R,
) -> R {
    if site.calls_back {
        expected::expect();
    }
    let calls_back = site.calls_back || expected::is_expected();
    let c = || match calls_back {
        true => framed(raised, c),
        false => c(),
    };
    let hook = handle.and_then(Hook::install);
    let listens = hook.is_some() || const { T::LISTENS };
    // SAFETY: Rust: the errors are borrowed exclusively, and `caught` is borrowed, for longer than `_listening`
    // lives.
    let _listening = listens.then(|| unsafe { Listening::begin(ptr::from_mut(errors), caught) });
    // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for each thread.
    T::with_thread_locals(unsafe { PerThread::promised() }, c)
}

/// Adds the exception of a signal handler that ran beside a call. One raised within the call comes before it, and it is
/// then reported.
#[cold]
fn raise_later(raised: &mut Option<CallbackFailure>, RaisedBySignal(later): RaisedBySignal) {
    match raised {
        None => *raised = Some(later),
        Some(_) => report_raised(later),
    }
}

/// Continues the panic of a call whose values have their owners.
///
/// # Errors
///
/// The error that a callback raised.
#[inline]
fn continue_panics(raised: &mut Option<CallbackFailure>, caught: &Caught) -> Result<()> {
    if let Some(raised) = raised.take() {
        return continue_raised(raised, caught);
    }
    match caught.take() {
        None => Ok(()),
        // A length that `len` computes carries its error.
        Some(payload) => Err(Error::panic(payload).unless_panic()),
    }
}

#[cold]
fn continue_raised(raised: CallbackFailure, caught: &Caught) -> Result<()> {
    match raised {
        CallbackFailure::Panic(panic) => resume_unwind(panic),
        CallbackFailure::Error(error) => match caught.take() {
            None => Err(error),
            Some(panic) => {
                report(error);
                resume_unwind(panic);
            }
        },
    }
}
