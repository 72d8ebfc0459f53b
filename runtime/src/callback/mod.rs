//! Callbacks: the C function pointers of generated code, and the owners of their user data.
//!
//! The user data of every callback points at a `BoxedUserData`, which leads to the value whose `#[callbacks]` method is
//! called. User data for one call is on the stack. User data that C keeps is in a box that belongs to the handle
//! (`crate::callback::user_data`).
//!
//! Neither an exception nor a panic crosses C. It is stored in the `Frame` of the C call that this thread runs, C is
//! told to stop as the annotation says, and no other callback of that call runs unless it is annotated
//! `even_after_error`. The exception or panic is raised when C returns. If this thread runs no C call, as on a thread
//! of C's own, it is reported.
//!
//! Every call has a frame once a handle that can keep callbacks was made: C may reach a callback through the receiver,
//! through an argument, or through handles that these are linked to in C.

mod exclusive;
pub(crate) mod expected;
pub(crate) mod user_data;

use std::cell::Cell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::Arc;

use crate::attachment::Attachment;
use crate::callback::exclusive::ExclusiveCallback;
use crate::callback::user_data::{BoxedUserData, StoredValue, UserDataRef};
use crate::convert::to_c::IntoC;
use crate::error::{Error, Result};
use crate::failpoint::{CallSite, FailPoint};
use crate::handle::HasAttachments;
use crate::interpreter::{ReentrancyGuard, attach_if_running, callback_error, report};
use crate::outcome::Outcome;
use crate::panics::{Caught, Payload, discard};
use crate::side_table::{AttachmentSlot, ErasedAttachment, Scope, SideData, entry_of};
use crate::uses::depth::Inside;

/// The error or the panic that a callback ended with.
pub(crate) enum CallbackFailure {
    Error(Error),
    Panic(Payload),
}

/// A C call of this thread, from which C may call back.
struct Frame {
    raised: Cell<Option<CallbackFailure>>,
    /// Set once a callback of the call raised something.
    has_raised: Cell<bool>,
}

thread_local! {
    /// The innermost C call of this thread; null inside of a callback.
    static FRAME: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// The frame that was innermost before. Dropping the guard makes it the innermost again.
struct FrameGuard(*const Frame);

impl FrameGuard {
    fn replace_by(frame: *const Frame) -> Self {
        FrameGuard(FRAME.replace(frame))
    }
}

impl Drop for FrameGuard {
    fn drop(&mut self) {
        FRAME.set(self.0);
    }
}

/// Calls C, which may call back. Returns C's result and what the callbacks raised.
pub(crate) fn framed<R>(c: impl FnOnce() -> R) -> (R, Option<CallbackFailure>) {
    let frame = Frame {
        raised: Cell::new(None),
        has_raised: Cell::new(false),
    };
    let outer = FrameGuard::replace_by(&raw const frame);
    let result = c();
    drop(outer);
    (result, frame.raised.take())
}

/// A C function pointer type: `Option<unsafe extern "C" fn(…) -> …>`, as bindgen has it, or the same without `Option`.
///
/// # Safety
///
/// Implemented here alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a C callback",
    label = "a C function pointer is expected here",
    note = "write the type as bindgen has it, such as `ffi::callback_t` or `unsafe extern \"C\" fn(*mut c_void) -> c_int`; \
            C functions of up to ten arguments can be called back"
)]
pub unsafe trait FunctionPointer: Copy {
    /// The arguments that C passes.
    type Arguments: Copy;
    /// The value that C gets back.
    type Return;
    /// The type that has a NULL.
    type Nullable;
}

/// The C function pointer that calls `K`.
///
/// # Safety
///
/// Implemented here alone.
pub unsafe trait Trampoline<K>: FunctionPointer {
    /// The pointer.
    const POINTER: Self::Nullable;
}

/// The arguments that C passes to the callback `K`.
pub type Arguments<K> = <<K as Callback>::Function as FunctionPointer>::Arguments;
/// The value that C gets back from the callback `K`.
pub type Return<K> = <<K as Callback>::Function as FunctionPointer>::Return;

/// One method that C can call. Implemented by `#[callbacks]`.
///
/// # Safety
///
/// `data` returns the user data with which the callback was given to C.
pub unsafe trait Callback {
    /// The type of the value that the user data leads to.
    type State: HasCallbacks;
    /// The C function pointer.
    type Function: FunctionPointer;
    /// True if the callback runs even after another callback of the same call raised something.
    const EVEN_AFTER_ERROR: bool;
    /// True if nothing else may use the handle while the callback runs.
    const EXCLUSIVE: bool;
    /// The result of C's own function of this type, which is called first.
    type Before;

    /// Calls C's own function of this type.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    unsafe fn before(arguments: Arguments<Self>) -> Self::Before;

    /// Returns the call site with the failpoints of the callback.
    fn site() -> &'static CallSite;

    /// Returns the user data.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    unsafe fn data(arguments: Arguments<Self>) -> *const c_void;

    /// Converts the arguments, calls the method and converts its result.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    ///
    /// # Errors
    ///
    /// The error of the method or of a conversion.
    unsafe fn call(
        state: &Self::State,
        arguments: Arguments<Self>,
        before: Self::Before,
    ) -> Result<Return<Self>>;

    /// Releases the handles among the arguments that C gave for good: the method does not run.
    ///
    /// # Safety
    ///
    /// C passed the arguments, and nothing owns what C gave.
    unsafe fn release_arguments(arguments: Arguments<Self>) {
        let _ = arguments;
    }

    /// Tell C to stop, and what to return.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    unsafe fn on_error(arguments: Arguments<Self>) -> Return<Self>;

    /// Returns the value that C gets if `on_error` panics: 0, NULL or nothing; `None` if the type has no such value.
    fn fallback() -> Option<Return<Self>>;
}

/// Finds out whether a type has a default, for [`Callback::fallback`].
#[doc(hidden)]
pub struct Fallback<R>(std::marker::PhantomData<R>);

impl<R> Fallback<R> {
    /// Asks for `R`.
    #[allow(clippy::new_without_default, reason = "generated code calls it")]
    pub fn new() -> Self {
        Fallback(std::marker::PhantomData)
    }
}

impl<R: Default> Fallback<R> {
    /// Returns the default. A type without one has [`NoFallback::value`].
    pub fn value(self) -> Option<R> {
        Some(R::default())
    }
}

/// Answers for types that have no default.
#[doc(hidden)]
pub trait NoFallback<R>: Sized {
    /// Returns `None`.
    fn value(self) -> Option<R> {
        None
    }
}

impl<R> NoFallback<R> for Fallback<R> {}

macro_rules! function_pointers {
    ($(($($argument:ident: $type:ident),*);)+) => {$(
        // SAFETY: Rust: the type is a C function pointer.
        unsafe impl<$($type: Copy,)* R> FunctionPointer for Option<unsafe extern "C" fn($($type),*) -> R> {
            type Arguments = ($($type,)*);
            type Return = R;
            type Nullable = Self;
        }

        // SAFETY: Rust: the type is a C function pointer.
        unsafe impl<$($type: Copy,)* R> FunctionPointer for unsafe extern "C" fn($($type),*) -> R {
            type Arguments = ($($type,)*);
            type Return = R;
            type Nullable = Option<Self>;
        }

        const _: () = {
            unsafe extern "C" fn called<K, $($type: Copy,)* R>($($argument: $type),*) -> R
            where
                K: Callback,
                K::Function: FunctionPointer<Arguments = ($($type,)*), Return = R>,
            {
                // SAFETY: annotation `callback`: C calls the function with what its type says.
                unsafe { enter::<K>(($($argument,)*)) }
            }

            // SAFETY: Rust: the function takes and returns what the type says.
            unsafe impl<K, $($type: Copy,)* R> Trampoline<K> for Option<unsafe extern "C" fn($($type),*) -> R>
            where
                K: Callback<Function = Self>,
            {
                const POINTER: Self = Some(called::<K, $($type,)* R>);
            }

            // SAFETY: Rust: the function takes and returns what the type says.
            unsafe impl<K, $($type: Copy,)* R> Trampoline<K> for unsafe extern "C" fn($($type),*) -> R
            where
                K: Callback<Function = Self>,
            {
                const POINTER: Option<Self> = Some(called::<K, $($type,)* R>);
            }
        };
    )+};
}

function_pointers! {
    ();
    (a: A);
    (a: A, b: B);
    (a: A, b: B, c: C);
    (a: A, b: B, c: C, d: D);
    (a: A, b: B, c: C, d: D, e: E);
    (a: A, b: B, c: C, d: D, e: E, f: F);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J);
}

/// Runs the callback `K`, which C calls.
///
/// # Safety
///
/// C passed the arguments.
unsafe fn enter<K: Callback>(arguments: Arguments<K>) -> Return<K> {
    let _inside = Inside::begin();
    let outer = FrameGuard::replace_by(ptr::null());
    // SAFETY: Rust: null, or on the stack of the C call that this thread runs: `FrameGuard` takes it away when that ends.
    let frame = unsafe { outer.0.as_ref() };
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
        Ok(Err(error)) => raise(frame, CallbackFailure::Error(callback_error(error))),
        Err(panic) => raise(frame, CallbackFailure::Panic(panic)),
    }
    // SAFETY: the caller's promise.
    unsafe { on_error::<K>(arguments, frame) }
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
    // SAFETY: annotation `scope`: C passes user data that `BorrowedCallback` or `PendingCallback` gave out, and has not destroyed;
    // guarantee 8: so somebody holds it.
    let _held = unsafe { UserDataRef::of(data) };
    // SAFETY: guarantee 8: the user data is there as long as `_held`.
    let (state, attached) = unsafe { ((*data.as_ptr()).state, &(*data.as_ptr()).attached) };
    let _python = ReentrancyGuard::begin();
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

/// Keeps the error or panic of a callback until C has returned. Reports it if one is kept already, or if this thread
/// runs no C call that could raise it.
#[cold]
fn raise(frame: Option<&Frame>, raised: CallbackFailure) {
    match frame {
        Some(frame) if !frame.has_raised.replace(true) => frame.raised.set(Some(raised)),
        _ => attach_if_running(|| report_raised(raised)),
    }
}

pub(crate) fn report_raised(raised: CallbackFailure) {
    match raised {
        CallbackFailure::Error(error) => report(error),
        // The hook of the panic has told it.
        CallbackFailure::Panic(panic) => discard(panic),
    }
}

/// The destroy function that C gets with a callback that C keeps.
unsafe extern "C" fn destroy<S: Attachment>(data: *mut c_void) {
    let Some(stored) = NonNull::new(data.cast::<StoredValue<S>>()) else {
        return;
    };
    let _inside = Inside::begin();
    let outer = FrameGuard::replace_by(ptr::null());
    let _paused = crate::thread_locals::pause();
    let caught = Caught::new();
    caught.run(|| {
        // SAFETY: annotation `destroy`: C calls this once, with the user data that it was given; guarantee 8: so the
        // list still holds the box, also after the handle's release.
        let attached = unsafe { &(*stored.cast::<BoxedUserData<S>>().as_ptr()).attached }.clone();
        if let Some(attached) = attached {
            attached.remove(stored, &caught);
        }
    });
    if let Some(panic) = caught.take() {
        // SAFETY: Rust: null, or on the stack of the C call that this thread runs: `FrameGuard` takes it away when that ends.
        let frame = unsafe { outer.0.as_ref() };
        raise(frame, CallbackFailure::Panic(panic));
    }
}

/// A C function pointer to a method of `S`. Its user data has to lead to an `S`.
#[doc(hidden)]
pub struct Function<S, F> {
    pointer: F,
    state: std::marker::PhantomData<fn(&S)>,
}

impl<S, F> Function<S, F> {
    /// Returns the function pointer.
    ///
    /// # Safety
    ///
    /// C may call the function pointer with user data that leads to an `S`.
    pub const unsafe fn new(pointer: F) -> Self {
        Function {
            pointer,
            state: std::marker::PhantomData,
        }
    }
}

/// A callback for the length of one call, which only borrows its state.
#[doc(hidden)]
pub struct BorrowedCallback<S: HasCallbacks>(BoxedUserData<S>);

/// Lends `state` to C for one call.
#[doc(hidden)]
#[inline]
pub fn lend<S: HasCallbacks>(state: &S) -> BorrowedCallback<S> {
    BorrowedCallback(BoxedUserData::lent(state))
}

impl<S: HasCallbacks> BorrowedCallback<S> {
    /// Returns the user data.
    #[inline]
    pub fn data(&self) -> *mut c_void {
        ptr::from_ref(&self.0).cast_mut().cast()
    }

    /// Returns the function pointer.
    #[inline]
    pub fn function<F>(&self, function: Function<S, F>) -> F {
        function.pointer
    }
}

/// A callback that is passed to C, which may keep it. Dropping it after the call ends the hold on the callbacks that C
/// does not have.
#[doc(hidden)]
pub struct PendingCallback<S: Attachment> {
    attached: Arc<SideData>,
    stored: Option<NonNull<StoredValue<S>>>,
    scope: Scope,
    goes: OnSuccess,
}

/// The callbacks that are dropped after the call.
enum OnSuccess {
    /// This callback, which C did not take.
    This,
    /// The callbacks that were in the same place before.
    Replaced,
    /// None.
    Nothing,
}

/// A callback, or an optional one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a callback of C leads to",
    label = "`.data` passes a callback, and this is none",
    note = "write `#[callbacks(unsafe)]` above an `impl` block of the type, and `#[derive(Attachment)]` above the type"
)]
pub trait IntoState: state::Sealed {
    /// The type of the value that the user data leads to.
    type State: HasCallbacks;
    /// Returns the value, if there is one.
    fn into_state(self) -> Option<Self::State>;
}

mod state {
    use super::HasCallbacks;

    /// The bound of [`IntoState`](super::IntoState): C gets NULL only for what is written `Option<State>`.
    pub trait Sealed {}

    impl<S: HasCallbacks> Sealed for S {}
    impl<S: HasCallbacks> Sealed for Option<S> {}
}

impl<S: HasCallbacks> IntoState for S {
    type State = S;
    fn into_state(self) -> Option<S> {
        Some(self)
    }
}

impl<S: HasCallbacks> IntoState for Option<S> {
    type State = S;
    fn into_state(self) -> Option<S> {
        self
    }
}

/// A type with a `#[callbacks]` block.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no callbacks for C",
    label = "a callback is passed here",
    note = "write `#[callbacks(unsafe)]` above an `impl` block of the type, and `#[derive(Attachment)]` above the type"
)]
pub trait HasCallbacks: Attachment {}

/// Stores a callback for as long as C has it.
///
/// # Safety
///
/// C gets the callback by one call and keeps it as `scope` says. [`PendingCallback::settle`] is told how that call
/// ended: the callbacks that were in the same place before may be dropped then.
#[doc(hidden)]
pub unsafe fn store<T: HasAttachments, V: IntoState>(
    handle: &T,
    scope: Scope,
    value: V,
) -> PendingCallback<V::State> {
    let attached = entry_of(handle);
    let stored = value.into_state().map(|value| {
        let value = user_data::store(attached.clone(), value);
        attached.change(|values| {
            values.push(AttachmentSlot {
                scope,
                stays: false,
                value,
            })
        });
        value
    });
    PendingCallback {
        attached,
        stored,
        scope,
        goes: OnSuccess::This,
    }
}

impl<S: Attachment> PendingCallback<S> {
    /// Returns the user data; null for no callback.
    pub fn data(&self) -> *mut c_void {
        self.stored
            .map_or(ptr::null_mut(), |stored| stored.as_ptr().cast())
    }

    /// Returns the function pointer; null for no callback.
    pub fn function<F>(&self, function: Function<S, Option<F>>) -> Option<F> {
        function.pointer.filter(|_| self.stored.is_some())
    }

    /// Returns the destroy function, which C calls when it no longer needs the callback; null for no callback.
    pub fn destroy(&self) -> Option<unsafe extern "C" fn(*mut c_void)> {
        self.stored.map(|_| destroy::<S> as _)
    }

    /// Records how the call ended; `left` says that a failing call leaves the callback to the runtime. If it is unknown
    /// whether C has the callback, both this one and those that were in the same place before stay.
    #[inline]
    pub fn settle(&mut self, outcome: Outcome, left: bool) {
        self.goes = match (outcome.takes(left), self.scope) {
            (Some(true), Scope::UntilReplaced(_)) => OnSuccess::Replaced,
            (Some(false), _) => OnSuccess::This,
            _ => OnSuccess::Nothing,
        };
    }
}

impl<S: Attachment> Drop for PendingCallback<S> {
    fn drop(&mut self) {
        let caught = Caught::new();
        match (&self.goes, self.stored) {
            (OnSuccess::This, Some(stored)) => self.attached.remove(stored, &caught),
            (OnSuccess::Replaced, stored) => {
                let newest = stored.map(|stored| stored as NonNull<dyn ErasedAttachment>);
                self.attached.replace(self.scope, newest, &caught);
            }
            _ => {}
        }
        caught.resume_in_drop();
    }
}

/// Converts the result of a callback for C.
#[doc(hidden)]
#[inline]
pub fn returned<T: IntoC<C>, C>(value: T) -> C {
    value.into_c()
}

/// Returns the converted argument from C.
///
/// # Errors
///
/// [`Error::Value`] if C passed NULL where a value is required.
#[doc(hidden)]
pub fn passed<T>(value: Option<T>, name: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::Value(format!("C passed no {name} to a callback")))
}

/// A pointer that is user data.
///
/// # Safety
///
/// `pointer` gives the pointer that C has there.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what C passes as user data",
    label = "a `void *` is expected here"
)]
pub unsafe trait UserData {
    /// The pointer.
    fn pointer(self) -> *const c_void;
}

// SAFETY: Rust: it is the pointer itself.
unsafe impl UserData for *mut c_void {
    fn pointer(self) -> *const c_void {
        self
    }
}

// SAFETY: Rust: it is the pointer itself.
unsafe impl UserData for *const c_void {
    fn pointer(self) -> *const c_void {
        self
    }
}
