//! The traits of callbacks, which `#[callbacks]` implements.

use std::ffi::c_void;

use crate::attachment::Attachment;
use crate::error::Result;
use crate::failpoint::CallSite;

/// A C function pointer type: `Option<unsafe extern "C" fn(…) -> …>`, as bindgen has it, or the same without `Option`.
///
/// # Safety
///
/// Implemented here only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the type of a C callback",
    label = "a C function pointer is expected here",
    note = "write the type as bindgen has it, such as `ffi::callback_t` or `unsafe extern \"C\" fn(*mut c_void) -> c_int`; \
            C functions of up to 16 arguments can be called back"
)]
pub unsafe trait FunctionPointer: Copy {
    /// The arguments that C passes.
    type Arguments: Copy;
    /// The value that C gets back.
    type Return;
    /// The type that has a NULL.
    type Nullable;
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

/// A type with a `#[callbacks]` block.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no callbacks for C",
    label = "a callback is passed here",
    note = "write `#[callbacks(unsafe)]` above an `impl` block of the type, and `#[derive(Attachment)]` above the type"
)]
pub trait HasCallbacks: Attachment {}

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
