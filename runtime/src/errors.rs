//! How a failed call learns what went wrong.
//!
//! Each handle type names one [`Errors`] type. A fresh one is made for every call that can fail, is armed before C
//! runs, and words the failure afterwards. Where C reports through a callback, the handle names the place for it
//! (`errors(…, callback = field, record = R)`), and our function hangs there for the length of the call alone.
//!
//! The callback finds its collector through the thread and not through C's user data: libraries disagree on what they
//! pass there (libxml2's parser passes its own context), and such a callback always runs on the thread of the call.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::{self, NonNull};

use crate::error::Error;
use crate::handle::Handle;

/// One call of a C function, as its errors see it.
pub struct Call<'a, T: Handle> {
    /// The receiver, if there is one.
    pub handle: Option<&'a T>,
    /// The C function's name.
    pub function: &'static str,
    /// The call's arguments by name, for the message.
    pub arguments: &'a [(&'static str, &'a dyn fmt::Debug)],
}

impl<T: Handle> fmt::Debug for Call<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("function", &self.function)
            .field("arguments", &self.arguments)
            .finish()
    }
}

/// Collects what C says about one call, and words its failure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot word the failures of `{T}`",
    note = "implement `Errors<{T}>` for `{Self}`"
)]
pub trait Errors<T: Handle>: Default + 'static {
    /// Get ready: called just before C runs.
    fn arm(&mut self, call: &Call<'_, T>) {
        let _ = call;
    }

    /// Whether a call failed although what C returned does not say so, as with a status that stays in the handle.
    fn overlooked(&self, call: &Call<'_, T>) -> bool {
        let _ = call;
        false
    }

    /// The error of a call that failed.
    fn failed(self, call: &Call<'_, T>) -> Error;
}

/// Collects the records that C passes to a callback while a call runs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` collects nothing",
    label = "C reports to this callback",
    note = "implement `Collect` for `{Self}`, or remove `callback = …`"
)]
pub trait Collect: 'static {
    /// What C passes, annotated as `#[handle(raw = …, lent)]`.
    type Record: Handle;

    /// Take one record. It is valid during this call only.
    fn collect(&mut self, record: &Self::Record);
}

/// The errors of a handle that names none: the function's name is all there is to say.
#[derive(Debug, Default)]
pub struct NoErrors;

impl<T: Handle> Errors<T> for NoErrors {
    fn failed(self, call: &Call<'_, T>) -> Error {
        Error::Failed(call.function)
    }
}

/// The errors of functions that set `errno`. Python: the `OSError` of that number.
#[derive(Debug, Default)]
pub struct Errno;

impl<T: Handle> Errors<T> for Errno {
    fn failed(self, _: &Call<'_, T>) -> Error {
        Error::Os(std::io::Error::last_os_error(), None)
    }
}

type AnyFn = Option<unsafe extern "C" fn()>;

/// The collector of the innermost running call of this thread.
#[derive(Clone, Copy)]
struct Current {
    collector: *mut (),
    type_id: Option<TypeId>,
}

thread_local! {
    static CURRENT: Cell<Current> = const { Cell::new(Current { collector: ptr::null_mut(), type_id: None }) };
    static PANIC: Cell<Option<Box<dyn Any + Send>>> = const { Cell::new(None) };
}

/// Our callback's stay in C's struct; dropping it puts back what was there.
#[doc(hidden)]
pub struct Hook {
    slot: *mut AnyFn,
    before: AnyFn,
    outer: Current,
}

/// A C function pointer that can report to a [`Collect`]or: `void (*)(void *, record *)`.
///
/// # Safety
///
/// `Self` is a nullable C function pointer, and `REPORT` may be called as such by C at any time.
#[diagnostic::on_unimplemented(
    message = "the field `callback = …` cannot hold a callback that reports to `{E}`",
    note = "its C type must be `void (*)(void *user_data, record *)`, where the record is `{E}`'s `Record`"
)]
pub unsafe trait ReportFn<E> {
    /// Our function.
    #[doc(hidden)]
    const REPORT: Self;
}

// SAFETY: `report_mut` takes what its type says and catches panics.
unsafe impl<E: Collect> ReportFn<E>
    for Option<unsafe extern "C" fn(*mut c_void, *mut <E::Record as Handle>::Raw)>
{
    const REPORT: Self = Some(report_mut::<E>);
}

// SAFETY: as above.
unsafe impl<E: Collect> ReportFn<E>
    for Option<unsafe extern "C" fn(*mut c_void, *const <E::Record as Handle>::Raw)>
{
    const REPORT: Self = Some(report_const::<E>);
}

unsafe extern "C" fn report_mut<E: Collect>(
    _user: *mut c_void,
    record: *mut <E::Record as Handle>::Raw,
) {
    let current = CURRENT.get();
    let (Some(record), true) = (
        NonNull::new(record),
        current.type_id == Some(TypeId::of::<E>()),
    ) else {
        return;
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `Hook::install` stored a collector of this very type, which outlives the hook and is not used
        // otherwise while C runs.
        let collector = unsafe { &mut *current.collector.cast::<E>() };
        // SAFETY: C lends the record for the length of the callback.
        collector.collect(unsafe { E::Record::from_raw(record) });
    }));
    if let Err(panic) = outcome {
        PANIC.set(Some(panic));
    }
}

unsafe extern "C" fn report_const<E: Collect>(
    user: *mut c_void,
    record: *const <E::Record as Handle>::Raw,
) {
    // SAFETY: the record is only read; C's promise is the same.
    unsafe { report_mut::<E>(user, record.cast_mut()) }
}

impl Hook {
    /// Put our callback into `slot`, reporting to `collector`.
    ///
    /// # Safety
    ///
    /// `slot` is valid while the hook lives; `collector` outlives it and is left alone until then.
    pub unsafe fn install<E: Collect, F: ReportFn<E>>(slot: *mut F, collector: &mut E) -> Hook {
        const {
            assert!(
                size_of::<F>() == size_of::<AnyFn>(),
                "a callback is a nullable C function pointer"
            )
        };
        let current = Current {
            collector: ptr::from_mut(collector).cast(),
            type_id: Some(TypeId::of::<E>()),
        };
        // SAFETY: a nullable function pointer has the layout of any other one, and the slot is valid.
        let before = unsafe { slot.cast::<AnyFn>().read() };
        // SAFETY: the slot is valid, and `REPORT` is of its type.
        unsafe { slot.write(F::REPORT) };
        Hook {
            slot: slot.cast(),
            before,
            outer: CURRENT.replace(current),
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // SAFETY: `install` was promised a slot that is valid as long as this.
        unsafe { self.slot.write(self.before) };
        CURRENT.set(self.outer);
    }
}

/// Continue a panic that a callback caught, now that C has returned.
pub(crate) fn resume_caught_panic() {
    if let Some(panic) = PANIC.take() {
        resume_unwind(panic);
    }
}
