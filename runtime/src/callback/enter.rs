//! The steps of a callback, from C to the method and back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use super::exclusive::ExclusiveCallback;
use super::frame::{CallbackFailure, Frame, enter_frame, raise};
use super::traits::{Arguments, Callback, Return};
use super::user_data::{BoxedUserData, UserDataRef};
use crate::error::{Error, Result};
use crate::failpoint::FailPoint;
use crate::interpreter::{ReentrancyGuard, callback_error};
use crate::panics::Contained;
use crate::side_table::CallbackValues;
use crate::uses::depth::Inside;
use crate::uses::{AtCallbackEnd, Barred, HoldingBack};

/// Runs the callback `K`, which C calls.
///
/// # Safety
///
/// C passed the arguments.
pub(super) unsafe fn enter<K: Callback>(arguments: Arguments<K>) -> Return<K> {
    let outer = enter_frame(ptr::null());
    // SAFETY: Rust: null, or on the stack of the C call that this thread runs: `framed` takes it away when that ends.
    let frame = unsafe { outer.previous().as_ref() };
    let _at_end = frame.is_none().then(|| AtCallbackEnd);
    let _inside = Inside::begin();
    if !K::EVEN_AFTER_ERROR && frame.is_some_and(|frame| frame.has_raised.get()) {
        // SAFETY: the caller's promise.
        unsafe { release_arguments::<K>(arguments, frame) };
        // SAFETY: the caller's promise.
        return unsafe { on_error::<K>(arguments, frame) };
    }
    let mut is_run = false;
    // SAFETY: the caller's promise.
    let call = || unsafe { call::<K>(arguments, &mut is_run) };
    let outcome = catch_unwind(AssertUnwindSafe(call));
    if !is_run {
        // SAFETY: the caller's promise, and nothing owns what C gave.
        unsafe { release_arguments::<K>(arguments, frame) };
    }
    match outcome {
        Ok(Ok(Some(returned))) => return returned,
        Ok(Ok(None)) => {}
        Ok(Err(error)) => raise(frame, failure_of(error)),
        Err(panic) => raise(frame, CallbackFailure::Panic(panic)),
    }
    // SAFETY: the caller's promise.
    unsafe { on_error::<K>(arguments, frame) }
}

/// Returns the failure for the error of a method. To make an exception of it may panic: PyO3 does so where it finds no
/// memory, and when the interpreter has begun to end.
fn failure_of(error: Error) -> CallbackFailure {
    match catch_unwind(AssertUnwindSafe(|| callback_error(error))) {
        Ok(error) => CallbackFailure::Error(error),
        Err(panic) => CallbackFailure::Panic(panic),
    }
}

/// Releases the handles that C gave to a callback which does not run.
///
/// # Safety
///
/// C passed the arguments, and nothing owns what C gave.
unsafe fn release_arguments<K: Callback>(arguments: Arguments<K>, frame: Option<&Frame>) {
    // SAFETY: the caller's promise.
    let release = || unsafe { K::release_arguments(arguments) };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(release)) {
        raise(frame, CallbackFailure::Panic(panic));
    }
}

/// Call the method; `None` where C passed no user data. `is_run` says that the method owns what C gave.
///
/// # Safety
///
/// C passed the arguments.
unsafe fn call<K: Callback>(
    arguments: Arguments<K>,
    is_run: &mut bool,
) -> Result<Option<Return<K>>> {
    // SAFETY: the caller's promise.
    let data = unsafe { K::data(arguments) };
    let Some(data) = NonNull::new(data.cast_mut().cast::<BoxedUserData<K::State>>()) else {
        return Ok(None);
    };
    // SAFETY: annotation `scope`: C passes user data that `BorrowedCallback` or `PendingValue` gave out, and has not
    // destroyed; guarantee 8: so somebody holds it.
    let held = Contained::new(unsafe { UserDataRef::of(data) });
    // SAFETY: guarantee 8: the user data is there as long as `held`.
    let data = unsafe { data.as_ref() };
    let (state, attached) = (data.state, &data.attached);
    let _python = ReentrancyGuard::begin();
    let _barred = K::EXCLUSIVE.then(|| Barred::begin(&data.handles));
    // Dropped before: a value that goes with the callback cannot use what the callback bars.
    let _held = held;
    let _exclusive = attached
        .as_deref()
        .filter(|_| K::EXCLUSIVE)
        .map(ExclusiveCallback::begin);
    if K::site().should_fail(FailPoint::Argument) {
        return Err(Error::Value("an argument cannot be converted".into()));
    }
    assert!(
        !K::site().should_fail(FailPoint::Panic),
        "a panic was asked for"
    );
    // SAFETY: the caller's promise.
    let before = unsafe { K::before(arguments) };
    let _paused = crate::thread_locals::pause();
    let _values = CallbackValues::begin();
    let _releases = HoldingBack::begin();
    *is_run = true;
    // SAFETY: guarantee 8: the state is on the stack of the call, or in the box, which is held. the caller's promise:
    // C passed the arguments.
    unsafe { K::call(&*state, arguments, before) }.map(Some)
}

/// Tells C to stop. If `on_error` panics, C gets 0, NULL or nothing. All callbacks of the call are told to stop from
/// then on, so no code of the author's runs that C could mislead.
///
/// # Safety
///
/// C passed the arguments.
unsafe fn on_error<K: Callback>(arguments: Arguments<K>, frame: Option<&Frame>) -> Return<K> {
    // SAFETY: the caller's promise.
    match catch_unwind(AssertUnwindSafe(|| unsafe { K::on_error(arguments) })) {
        Ok(told) => told,
        Err(panic) => {
            raise(frame, CallbackFailure::Panic(panic));
            K::fallback()
                .unwrap_or_else(|| panic!("`on_error` panicked, and C has to be told something"))
        }
    }
}
