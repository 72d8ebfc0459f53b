//! The calls of release functions.

use std::ptr::{self, NonNull};

use super::ccall::{CCall, Returned};
use super::status::{CheckStatus, OnOutcome, status_of};
use crate::children::{self, Id};
use crate::error::Error;
use crate::error_source::{CallInfo, ErrorSource, Listening};
use crate::handle::{Handle, ReleaseError};
use crate::outcome::Outcome;
use crate::panics::{Caught, Contained};
use crate::thread_locals::PerThread;
use crate::uses::AuthorCode;

impl<C, F, J, S, P, U> CCall<C, F, J, S, P, U>
where
    C: Copy + 'static,
    F: FnOnce(&Caught) -> Returned<C>,
    J: CheckStatus<C>,
    S: OnOutcome,
{
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
            let _code = AuthorCode::begin();
            let mut errors = Contained::new(T::Errors::default());
            errors.before_call(&call);
            errors
        });
        // The author's code may have made a child of it.
        let id = Id::new(T::kind(), raw.as_ptr().cast());
        if !T::kind().is_counted() && children::check_unchanged(id).is_err() {
            return Err(ReleaseError {
                kept: true,
                ..ReleaseError::gone(Error::Value(format!(
                    "a {} is not released: its own `errors` made a handle in it, or gave C something to keep there",
                    T::NAME
                )))
            });
        }
        let listening = match &mut errors {
            // SAFETY: Rust: both are on this stack, and the errors are left alone until C has returned.
            Some(errors) => unsafe { Listening::begin(ptr::from_mut(&mut **errors), &caught) },
            None => Listening::to_nobody(),
        };
        let c = self.c;
        // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for each thread.
        let Returned(returned) =
            T::with_thread_locals(unsafe { PerThread::promised() }, || c(&caught));
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
                .map(|errors| errors.into_inner().into_error(&call))
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
