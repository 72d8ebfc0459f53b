//! Error sources, which collect and word the failures of C calls.
//!
//! Each handle type names one [`ErrorSource`] type. Each call that can fail creates a value of that type, prepares it
//! before C runs, and converts it to an [`Error`] if the call fails. If C reports through a callback, the annotation
//! names the field of the C struct for the callback (`errors(…, callback = field)`). The runtime installs its own
//! callback in the field for the length of the call.
//!
//! An error source may also ask the handle after the call, if C keeps the last error in the handle:
//! `errors(E, asks_handle)` and [`CallInfo::handle`]. A call does not compile if a concurrent call could change the
//! answer.
//!
//! The callback finds its collector through a thread-local variable, not through C's user data. Libraries disagree on
//! the user data that they pass (libxml2's parser passes its own context), and such a callback always runs on the
//! thread of the call. Concurrent calls on one handle therefore share one installed callback: the first call installs
//! it, and the last call restores the previous one.

use std::any::TypeId;
use std::cell::Cell;
use std::ffi::CStr;
use std::fmt;
use std::marker::PhantomData;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::asks_handle::AsksHandle;
use crate::error::Error;
use crate::fork::Lock;
use crate::handle::Handle;
use crate::handle::kind::LentToCallbacks;
use crate::panics::Caught;
use crate::restore_guard::RestoreGuard;
use crate::uses::depth::Inside;

/// A call of a C function, as [`ErrorSource`] sees it.
pub struct CallInfo<'a, T: Handle> {
    pub(crate) handle: Option<&'a T>,
    /// The C function's name.
    pub function: &'static str,
    /// The integer that C returned; `None` for other types and before the call.
    pub status: Option<i64>,
    /// The thread's `errno` right after C returned, before anything else could change it. Meaningful only if the C
    /// function is known to set `errno`.
    pub errno: i32,
    /// The call's arguments by name, for the message.
    pub arguments: &'a [(&'static str, &'a dyn fmt::Debug)],
}

impl<'a, T: Handle> CallInfo<'a, T> {
    /// Returns the receiver. For a constructor, returns the handle that C made, or `None` if C has made none. The
    /// annotation of the handle has to say that its errors ask the handle: `errors(E, asks_handle)`.
    pub fn handle(&self) -> Option<&'a T>
    where
        T: AsksHandle,
    {
        self.handle
    }
}

impl<T: Handle> fmt::Debug for CallInfo<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("function", &self.function)
            .field("status", &self.status)
            .field("errno", &self.errno)
            .field("arguments", &self.arguments)
            .finish()
    }
}

/// Collects the reports of C about one call, and words its failure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot word the failures of `{T}`",
    note = "implement `ErrorSource<{T}>` for `{Self}`"
)]
pub trait ErrorSource<T: Handle>: Default + 'static {
    /// Prepares for the call. Runs just before C, and uses the handles of the call by `&` only.
    fn before_call(&mut self, call: &CallInfo<'_, T>) {
        let _ = call;
    }

    /// Returns whether the call failed although its return value does not say so, as with a status that C keeps in the
    /// handle.
    fn failed_silently(&self, call: &CallInfo<'_, T>) -> bool {
        let _ = call;
        false
    }

    /// Returns the error of a call that failed.
    fn into_error(self, call: &CallInfo<'_, T>) -> Error;

    /// Runs after a call that did not fail. The default drops everything that was collected.
    fn succeeded(self, call: &CallInfo<'_, T>) {
        let _ = call;
    }
}

/// Takes what C writes about a failure through a parameter: `#[calls(…, details = D)]`.
///
/// `details` runs before [`ErrorSource::into_error`], and only if the call failed and C wrote something.
#[diagnostic::on_unimplemented(
    message = "`{Self}` takes no `{D}` about a failure",
    label = "C writes a `{D}` about a failure",
    note = "implement `FailureDetails<{D}>` for `{Self}`"
)]
pub trait FailureDetails<D>: 'static {
    /// Takes what C wrote about the call that failed.
    fn details(&mut self, details: D);
}

/// Collects the records that C passes to a callback while a call runs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` collects nothing",
    label = "C reports to this callback",
    note = "implement `ErrorSink` for `{Self}`, or remove `callback = …`"
)]
pub trait ErrorSink: 'static {
    /// The record that C passes to the callback: a handle annotated `#[handle(raw = …, callback_only)]`.
    type Record: Handle;

    /// Takes one record. The record is valid only until this function returns.
    fn record(&mut self, record: &Self::Record);

    /// Takes the format string of a message that C would print through a `printf`-like function of this thread. Rust
    /// cannot read the other arguments of such a function.
    fn record_format(&mut self, format: &CStr) {
        let _ = format;
    }
}

/// The errors `E` of the handle type `T`, for what is known of their records at link time.
#[doc(hidden)]
#[derive(Debug)]
pub struct Collector<T, E>(PhantomData<(T, E)>);

impl<T: Handle, E: ErrorSink> Collector<T, E> {
    /// C lends the records to a callback, in calls on handles of the type.
    pub const LENT: LentToCallbacks = LentToCallbacks {
        kind: <E::Record as Handle>::kind,
        is_lent: true,
        is_lent_by_call: false,
        is_written: false,
        lenders: &[Some(T::kind)],
        state: None,
    };
}

/// The answer for errors that collect nothing.
#[doc(hidden)]
pub trait CollectsNothing {
    /// C lends nothing.
    const LENT: LentToCallbacks;
}

impl<T: Handle, E> CollectsNothing for Collector<T, E> {
    const LENT: LentToCallbacks = LentToCallbacks {
        kind: T::kind,
        is_lent: false,
        is_lent_by_call: false,
        is_written: false,
        lenders: &[],
        state: None,
    };
}

/// The error source of a handle that names none. Its errors hold only the name of the C function.
#[derive(Debug, Default)]
pub struct NoErrors;

/// Returns whether the errors say nothing of a call but its function, and run no code. It goes by the type, as no trait
/// that an author implements can be trusted with that.
#[inline(always)]
pub(crate) fn are_silent<E: 'static>() -> bool {
    TypeId::of::<E>() == TypeId::of::<NoErrors>()
}

impl<T: Handle> ErrorSource<T> for NoErrors {
    #[inline]
    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        Error::Failed(call.function)
    }
}

/// The error source of C functions that set `errno`. Python: the `OSError` of that number.
#[derive(Debug, Default)]
pub struct Errno;

impl<T: Handle> ErrorSource<T> for Errno {
    fn before_call(&mut self, _: &CallInfo<'_, T>) {
        // What an earlier call left there is not this one's.
        errno::set_errno(errno::Errno(0));
    }

    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        match call.errno {
            0 => Error::Failed(call.function),
            errno => Error::Os(std::io::Error::from_raw_os_error(errno), None),
        }
    }
}

type AnyFn = Option<unsafe extern "C" fn()>;

/// The collector of the innermost running call of this thread.
#[derive(Clone, Copy)]
struct ActiveSink {
    collector: *mut (),
    type_id: Option<TypeId>,
    /// Holds a panic of the collector until C has returned.
    caught: *const Caught,
}

const NONE: ActiveSink = ActiveSink {
    collector: ptr::null_mut(),
    type_id: None,
    caught: ptr::null(),
};

thread_local! {
    // Without a destructor, so that it is there as long as its thread, and in the destructors of others.
    static CURRENT: Cell<ActiveSink> = const { Cell::new(NONE) };
}

/// The place in a C struct for the function that C reports to, and the runtime's callback for that place.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct ReportPlace {
    place: *mut AnyFn,
    report: AnyFn,
    collector: TypeId,
}

impl ReportPlace {
    /// The place for the callback that reports to an `E`.
    pub fn of<E: ErrorSink, F: ReportFn<E>>(place: *mut F) -> Self {
        const {
            assert!(
                size_of::<F>() == size_of::<AnyFn>(),
                "a callback is a nullable C function pointer"
            )
        };
        ReportPlace {
            place: place.cast(),
            // SAFETY: Rust: a nullable function pointer has the layout of any other one, as was asserted.
            report: unsafe { ptr::from_ref(&F::REPORT).cast::<AnyFn>().read() },
            collector: TypeId::of::<E>(),
        }
    }
}

/// One call's use of the runtime's callback in the struct of a handle. Dropping the last hook of a place restores the
/// callback that was there before.
///
/// The call may move the place, or put another function there. So the place is found once more at the end, and a
/// function is restored only where the runtime's own function is found.
pub(crate) struct Hook<'h, T: Handle> {
    handle: &'h T,
    number: u64,
}

/// The runtime's callback in a place, with the number of calls that use it.
#[derive(Debug)]
struct InstalledHook {
    number: u64,
    place: ReportPlace,
    before: AnyFn,
    calls: usize,
}

// SAFETY: Rust: a place is compared with others here, and followed only by the call that has just found it.
unsafe impl Send for InstalledHook {}

/// The places that hold the runtime's callback now.
#[derive(Debug)]
struct InstalledHooks {
    all: Vec<InstalledHook>,
    next: u64,
}

/// Locked for a few instructions, and never while C or Python runs.
static HOOKS: Mutex<InstalledHooks> = Mutex::new(InstalledHooks {
    all: Vec::new(),
    next: 0,
});

inventory::submit! { Lock(|| Box::new(installed_hooks())) }

fn installed_hooks() -> MutexGuard<'static, InstalledHooks> {
    HOOKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether two functions are one.
fn is_same(one: AnyFn, other: AnyFn) -> bool {
    one.map(|f| f as usize) == other.map(|f| f as usize)
}

impl InstalledHooks {
    /// Installs the callback in the place, if it is not there. Returns the number of the hook.
    ///
    /// # Safety
    ///
    /// The place is valid.
    unsafe fn install(&mut self, place: ReportPlace) -> u64 {
        // SAFETY: the caller's promise.
        let before = unsafe { place.place.read() };
        // The innermost one: within a callback another kind of handle may look at the same place. A hook whose place C
        // has moved meanwhile is not this place's.
        let mut hooks = self.all.iter_mut().rev();
        let found = hooks.find(|hook| hook.place.place == place.place);
        if let Some(found) = found
            && is_same(before, place.report)
            && found.place.collector == place.collector
        {
            found.calls += 1;
            return found.number;
        }
        // SAFETY: the caller's promise.
        unsafe { place.place.write(place.report) };
        self.next += 1;
        self.all.push(InstalledHook {
            number: self.next,
            place,
            before,
            calls: 1,
        });
        self.next
    }

    /// Ends one call's use. `now` is the place as the call left it; `None` if there is none any more.
    ///
    /// # Safety
    ///
    /// The place is valid.
    unsafe fn remove(&mut self, number: u64, now: Option<ReportPlace>) {
        let index = self
            .all
            .iter()
            .rposition(|hook| hook.number == number)
            .unwrap_or_else(|| unreachable!("`install` added it"));
        self.all[index].calls -= 1;
        if self.all[index].calls > 0 {
            return;
        }
        let InstalledHook { place, before, .. } = self.all.remove(index);
        let mut above = self.all[index..].iter_mut();
        let above = above
            .find(|above| above.place.place == place.place && is_same(above.before, place.report));
        if let Some(above) = above {
            above.before = before;
        } else if let Some(now) = now {
            // SAFETY: the caller's promise.
            unsafe {
                if is_same(now.place.read(), place.report) {
                    now.place.write(before);
                }
            }
        }
    }
}

/// A C function pointer that can report to an [`ErrorSink`]: `void (*)(void *, record *)`.
///
/// # Safety
///
/// `Self` is a nullable C function pointer, and `REPORT` may be called as such by C at any time.
#[diagnostic::on_unimplemented(
    message = "the field `callback = …` cannot hold a callback that reports to `{E}`",
    note = "its C type must be `void (*)(void *user_data, record *)`, where the record is `{E}`'s `Record`, or \
            `void (*)(void *user_data, const char *format, ...)`"
)]
pub unsafe trait ReportFn<E> {
    /// The runtime's callback.
    #[doc(hidden)]
    const REPORT: Self;
}

/// Calls `collect` with the collector of the running call, if the collector is an `E`.
pub(crate) fn report<E: ErrorSink>(collect: impl FnOnce(&mut E)) {
    let current = CURRENT.get();
    if current.type_id != Some(TypeId::of::<E>()) {
        return;
    }
    // What C reports meanwhile, because of what the collector itself calls, is not for this call.
    CURRENT.set(NONE);
    let _inside = Inside::begin();
    let nowhere = Caught::new();
    // SAFETY: Rust: null, or on the stack of the call that waits for C (`Listening::begin`).
    let caught = unsafe { current.caught.as_ref() }.unwrap_or(&nowhere);
    caught.run(|| {
        // SAFETY: Rust: `Listening::begin` stored a collector of this very type, which outlives the listening and is
        // left alone until C has returned.
        collect(unsafe { &mut *current.collector.cast::<E>() });
    });
    CURRENT.set(current);
}

/// A stretch in which reports of C on this thread go to one collector. Dropping it restores the previous collector.
#[doc(hidden)]
pub struct Listening {
    _outer: RestoreGuard<ActiveSink>,
}

impl Listening {
    /// Makes `collector` the collector of the innermost running call. `caught` holds a panic of the collector.
    ///
    /// # Safety
    ///
    /// `collector` and `caught` outlive the returned value, and nothing else uses `collector` until that value is
    /// dropped.
    pub(crate) unsafe fn begin<E: 'static>(collector: *mut E, caught: &Caught) -> Self {
        let sink = ActiveSink {
            collector: collector.cast(),
            type_id: Some(TypeId::of::<E>()),
            caught,
        };
        Listening {
            _outer: RestoreGuard::set(&CURRENT, sink),
        }
    }

    /// Drops all reports.
    pub(crate) fn to_nobody() -> Self {
        Listening {
            _outer: RestoreGuard::set(&CURRENT, NONE),
        }
    }
}

impl<'h, T: Handle> Hook<'h, T> {
    /// Installs the runtime's callback in the handle, if the handle has a place for one. The callback reports to the
    /// collector of the innermost running call.
    #[inline]
    pub(crate) fn install(handle: &'h T) -> Option<Self> {
        // SAFETY: guarantee 3: a reference to a handle is a valid handle. annotation `errors`: the place is valid then.
        let number = unsafe {
            T::report_place(handle.as_raw()).map(|place| installed_hooks().install(place))
        };
        number.map(|number| Hook { handle, number })
    }
}

impl<T: Handle> Drop for Hook<'_, T> {
    fn drop(&mut self) {
        // SAFETY: guarantee 3: the handle is still borrowed, so it is valid. annotation `errors`: the place is valid
        // then.
        unsafe {
            let now = T::report_place(self.handle.as_raw());
            installed_hooks().remove(self.number, now);
        }
    }
}
