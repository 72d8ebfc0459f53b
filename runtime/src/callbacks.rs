//! C calls back: what a C function pointer of ours does, and who owns what its user data points at.
//!
//! The user data of every callback points at a `Data`, which leads to the value whose `#[callbacks]` method is
//! called. For the length of one call it is on the stack; what C keeps is in a box that belongs to the handle
//! ([`crate::attachments`]).
//!
//! Neither an exception nor a panic crosses C. It is stored in the `Frame` of the C call that this thread runs, C is told to
//! stop as the annotation says, no other callback of that call runs, and it is raised when C returns. Where there is
//! no such call, as on a thread of C's own, it is reported.

use std::any::Any;
use std::cell::Cell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::arguments::IntoC;
use crate::attachments::{Attached, Attachment, Entry, Kept, Scope, drop_kept, with_python};
use crate::error::{Error, Result, report};
use crate::handle::Keeps;
use crate::site::{Site, Step};

/// What a callback ended with.
pub(crate) enum Raised {
    Error(Error),
    Panic(Box<dyn Any + Send>),
}

/// A C call of this thread, from which C may call back.
struct Frame {
    raised: Cell<Option<Raised>>,
    /// Whether something was.
    has_raised: Cell<bool>,
}

thread_local! {
    /// The innermost C call of this thread; null inside of a callback.
    static FRAME: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// The frame that was innermost before, and is again when this is dropped.
struct Outer(*const Frame);

impl Outer {
    fn replace_by(frame: *const Frame) -> Self {
        Outer(FRAME.replace(frame))
    }
}

impl Drop for Outer {
    fn drop(&mut self) {
        FRAME.set(self.0);
    }
}

/// Call C, which may call back; what the callbacks raised.
pub(crate) fn framed<R>(c: impl FnOnce() -> R) -> (R, Option<Raised>) {
    let frame = Frame {
        raised: Cell::new(None),
        has_raised: Cell::new(false),
    };
    let outer = Outer::replace_by(&raw const frame);
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
    /// What C passes.
    type Arguments: Copy;
    /// What C wants back.
    type Return;
    /// The type that has a NULL.
    type Nullable;
}

/// The C function pointer that calls `K`.
///
/// # Safety
///
/// Implemented here alone.
pub unsafe trait Calls<K>: FunctionPointer {
    /// The pointer.
    const POINTER: Self::Nullable;
}

/// What C passes to a callback.
pub type Arguments<K> = <<K as Callback>::Function as FunctionPointer>::Arguments;
/// What C wants back.
pub type Return<K> = <<K as Callback>::Function as FunctionPointer>::Return;

/// One method that C can call. Implemented by `#[callbacks]`.
///
/// # Safety
///
/// `data` is the user data that the callback was given to C with.
pub unsafe trait Callback {
    /// What the user data leads to.
    type State: Attachment;
    /// The C function pointer.
    type Function: FunctionPointer;
    /// Whether it is called also after another callback of the same call raised something.
    const ALWAYS: bool;
    /// Whether nobody may use the handle meanwhile.
    const ALONE: bool;
    /// What C's own function of this type returned, which is called first.
    type Before;

    /// Call C's own function of this type.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    unsafe fn before(arguments: Arguments<Self>) -> Self::Before;

    /// Where its failpoints are.
    fn site() -> &'static Site;

    /// The user data.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    unsafe fn data(arguments: Arguments<Self>) -> *const c_void;

    /// Convert, call and convert.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    ///
    /// # Errors
    ///
    /// What the method raised.
    unsafe fn call(
        state: &Self::State,
        arguments: Arguments<Self>,
        before: Self::Before,
    ) -> Result<Return<Self>>;

    /// Tell C to stop, and what to return.
    ///
    /// # Safety
    ///
    /// C passed the arguments.
    unsafe fn stop(arguments: Arguments<Self>) -> Return<Self>;
}

macro_rules! function_pointers {
    ($(($($argument:ident: $type:ident),*);)+) => {$(
        // SAFETY: it is one.
        unsafe impl<$($type: Copy,)* R> FunctionPointer for Option<unsafe extern "C" fn($($type),*) -> R> {
            type Arguments = ($($type,)*);
            type Return = R;
            type Nullable = Self;
        }

        // SAFETY: it is one.
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
                // SAFETY: C passed them.
                unsafe { enter::<K>(($($argument,)*)) }
            }

            // SAFETY: it is called with the arguments of its type.
            unsafe impl<K, $($type: Copy,)* R> Calls<K> for Option<unsafe extern "C" fn($($type),*) -> R>
            where
                K: Callback<Function = Self>,
            {
                const POINTER: Self = Some(called::<K, $($type,)* R>);
            }

            // SAFETY: it is called with the arguments of its type.
            unsafe impl<K, $($type: Copy,)* R> Calls<K> for unsafe extern "C" fn($($type),*) -> R
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

/// C calls.
///
/// # Safety
///
/// C passed the arguments.
unsafe fn enter<K: Callback>(arguments: Arguments<K>) -> Return<K> {
    // SAFETY: the caller's promise.
    let stop = || unsafe { K::stop(arguments) };
    // SAFETY: the caller's promise.
    let data = unsafe { K::data(arguments) };
    // SAFETY: the user data is what `Lent` or `Storing` gave out, and C has not destroyed it.
    let Some(data) = (unsafe { data.cast::<Data<K::State>>().as_ref() }) else {
        return stop();
    };
    let outer = Outer::replace_by(ptr::null());
    // SAFETY: null, or on the stack of the C call that this thread runs.
    let frame = unsafe { outer.0.as_ref() };
    if !K::ALWAYS && frame.is_some_and(|frame| frame.has_raised.get()) {
        return stop();
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let _used = data.used();
        #[cfg(feature = "python")]
        let _python = crate::python::MayRunPython::begin();
        // SAFETY: null, or kept by the handle that the callback belongs to.
        #[cfg(feature = "python")]
        let _alone = unsafe { data.attached.as_ref() }
            .filter(|_| K::ALONE)
            .map(crate::python::Alone::begin);
        if K::site().fails(Step::Argument) {
            return Err(Error::Value("an argument cannot be converted".into()));
        }
        assert!(!K::site().fails(Step::Panic), "a panic was asked for");
        // SAFETY: it is on the stack or in the box of the callback, which is used.
        let state = unsafe { &*data.state };
        // SAFETY: the caller's promise.
        let before = unsafe { K::before(arguments) };
        let _paused = crate::thread_locals::pause();
        // SAFETY: the caller's promise.
        unsafe { K::call(state, arguments, before) }
    }));
    let raised = match outcome {
        Ok(Ok(returned)) => return returned,
        #[cfg(feature = "python")]
        Ok(Err(error)) => Raised::Error(crate::python::of_callback(error)),
        #[cfg(not(feature = "python"))]
        Ok(Err(error)) => Raised::Error(error),
        Err(panic) => Raised::Panic(panic),
    };
    match frame {
        Some(frame) if !frame.has_raised.replace(true) => frame.raised.set(Some(raised)),
        // There was one before, or nobody who could raise it.
        _ => with_python(|| report_raised(raised)),
    }
    stop()
}

pub(crate) fn report_raised(raised: Raised) {
    match raised {
        Raised::Error(error) => report(error),
        // The hook of the panic has told it.
        Raised::Panic(panic) => drop(panic),
    }
}

/// What user data points at.
#[repr(C)]
struct Data<S> {
    state: *const S,
    /// What the callback belongs to; null for the length of one call.
    attached: *const Attached,
    /// How many hold it: C, and each call of it that runs.
    holds: AtomicUsize,
}

/// What C keeps.
#[repr(C)]
struct Stored<S> {
    data: Data<S>,
    value: S,
}

impl<S: Attachment> Kept for Stored<S> {
    fn attachment(&self) -> &dyn Attachment {
        &self.value
    }
}

/// One that holds a callback's box.
struct Used<'a, S: Attachment>(&'a Data<S>);

impl<S: Attachment> Data<S> {
    fn used(&self) -> Used<'_, S> {
        self.holds.fetch_add(1, Ordering::Relaxed);
        Used(self)
    }
}

impl<S: Attachment> Drop for Used<'_, S> {
    fn drop(&mut self) {
        // SAFETY: this was one of its holders.
        unsafe { leave(ptr::from_ref(self.0).cast_mut()) };
    }
}

/// Hold `data` no longer. What the last holder leaves is dropped, unless it is on the stack.
///
/// # Safety
///
/// The caller was a holder.
unsafe fn leave<S: Attachment>(data: *mut Data<S>) {
    // SAFETY: the caller's promise.
    let (holds, attached) = unsafe { (&(*data).holds, (*data).attached) };
    if holds.fetch_sub(1, Ordering::AcqRel) == 1 && !attached.is_null() {
        // SAFETY: what belongs to a handle was boxed by `store`, and this was the last holder.
        let stored = unsafe { Box::from_raw(data.cast::<Stored<S>>()) };
        drop_kept(stored);
    }
}

unsafe fn let_go<S: Attachment>(value: NonNull<dyn Kept>) {
    // SAFETY: `store` put it into the list with this type, and the list was a holder.
    unsafe { leave(value.cast::<Data<S>>().as_ptr()) };
}

/// The destroy function that C gets with a callback that it keeps.
unsafe extern "C" fn destroy<S: Attachment>(data: *mut c_void) {
    let Some(stored) = NonNull::new(data.cast::<Stored<S>>()) else {
        return;
    };
    let _outer = Outer::replace_by(ptr::null());
    let _paused = crate::thread_locals::pause();
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: C has it until now, and the handle is there until its release has ended.
        let attached = unsafe { &*stored.as_ref().data.attached };
        attached.remove(stored);
    }));
    if let Err(panic) = dropped {
        report_raised(Raised::Panic(panic));
    }
}

/// A callback for the length of one call, which only borrows what it leads to.
#[doc(hidden)]
pub struct Lent<S: Attachment>(Data<S>);

/// Lend `state` to C.
#[doc(hidden)]
#[inline]
pub fn lend<S: Attachment>(state: &S) -> Lent<S> {
    Lent(Data {
        state,
        attached: ptr::null(),
        holds: AtomicUsize::new(1),
    })
}

impl<S: Attachment> Lent<S> {
    /// The user data.
    #[inline]
    pub fn data(&self) -> *mut c_void {
        ptr::from_ref(&self.0).cast_mut().cast()
    }

    /// The function pointer.
    #[inline]
    pub fn function<F>(&self, function: F) -> F {
        function
    }
}

/// A callback on its way to C, which may keep it.
#[doc(hidden)]
pub struct Storing<'h, S: Attachment> {
    attached: &'h Attached,
    stored: Option<NonNull<Stored<S>>>,
    scope: Scope,
    kept: bool,
}

/// A callback, or perhaps one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a callback of C leads to",
    label = "`.data` passes a callback, and this is none",
    note = "annotate its methods with `#[callbacks(unsafe)]`, and derive `Attachment` for it"
)]
pub trait IntoState {
    /// What it leads to.
    type State: Attachment;
    /// That.
    fn into_state(self) -> Option<Self::State>;
}

impl<S: Attachment + IsState> IntoState for S {
    type State = S;
    fn into_state(self) -> Option<S> {
        Some(self)
    }
}

impl<S: Attachment + IsState> IntoState for Option<S> {
    type State = S;
    fn into_state(self) -> Option<S> {
        self
    }
}

/// What has `#[callbacks]`.
#[doc(hidden)]
pub trait IsState {}

/// Put a callback where it stays while C has it.
#[doc(hidden)]
pub fn store<T: Keeps, V: IntoState>(handle: &T, scope: Scope, value: V) -> Storing<'_, V::State> {
    let attached = crate::attachments::of(handle);
    let stored = value.into_state().map(|value| {
        let stored = Box::leak(Box::new(Stored {
            data: Data {
                state: ptr::null(),
                attached,
                holds: AtomicUsize::new(1),
            },
            value,
        }));
        stored.data.state = &raw const stored.value;
        let stored = NonNull::from(stored);
        attached.change(|values| {
            values.push(Entry {
                scope,
                value: stored,
                let_go: let_go::<V::State>,
            });
        });
        stored
    });
    Storing {
        attached,
        stored,
        scope,
        kept: false,
    }
}

impl<S: Attachment> Storing<'_, S> {
    /// The user data; null for none.
    pub fn data(&self) -> *mut c_void {
        self.stored
            .map_or(ptr::null_mut(), |stored| stored.as_ptr().cast())
    }

    /// The function pointer; null for none.
    pub fn function<F>(&self, function: Option<F>) -> Option<F> {
        function.filter(|_| self.stored.is_some())
    }

    /// What C calls when it needs it no more; null for none.
    pub fn destroy(&self) -> Option<unsafe extern "C" fn(*mut c_void)> {
        self.stored.map(|_| destroy::<S> as _)
    }

    /// C has it. What was in its place before is let go.
    fn keep(&mut self) {
        self.kept = true;
        if let Scope::Replaced(_) = self.scope {
            let newest = self.stored.map(|stored| stored as NonNull<dyn Kept>);
            self.attached.replace(self.scope, newest);
        }
    }
}

impl<S: Attachment> Drop for Storing<'_, S> {
    fn drop(&mut self) {
        if let (Some(stored), false) = (self.stored, self.kept) {
            self.attached.remove(stored);
        }
    }
}

/// `own`, after C has got the callback, unless it failed in a way that leaves it.
#[doc(hidden)]
#[inline]
pub fn kept<'s, 'h: 's, C: Copy, R, S: Attachment>(
    storing: &'s mut Storing<'h, S>,
    left: impl FnOnce(C) -> bool + 's,
    own: impl FnOnce(C) -> R + 's,
) -> impl FnOnce(C) -> R + 's {
    move |raw| {
        if !left(raw) {
            storing.keep();
        }
        own(raw)
    }
}

/// What a callback gives back to C.
#[doc(hidden)]
#[inline]
pub fn returned<T: IntoC<C>, C>(value: T) -> C {
    value.into_c()
}

/// What C passed, converted.
///
/// # Errors
///
/// [`Error::Value`] where it passed NULL and there has to be something.
#[doc(hidden)]
pub fn passed<T>(value: Option<T>, name: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::Value(format!("C passed no {name} to a callback")))
}

/// A pointer that is user data.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what C passes as user data",
    label = "a `void *` is expected here"
)]
pub trait UserData {
    /// The pointer.
    fn pointer(self) -> *const c_void;
}

impl UserData for *mut c_void {
    fn pointer(self) -> *const c_void {
        self
    }
}

impl UserData for *const c_void {
    fn pointer(self) -> *const c_void {
        self
    }
}
