//! The seam: every C function and every field of a generated method goes through [`run`] or [`read`].
//!
//! The order is always the same and stands only here: arm the errors, call C, put what it returned into its owner,
//! look whether it failed. Nothing that can fail stands between the second and the third step.

use std::any::Any;
use std::ffi::CString;
use std::fmt;
use std::panic::resume_unwind;
use std::ptr::{self, NonNull};

use crate::arguments::{IntoCString, Memory};
use crate::callbacks::{Raised, framed, report_raised};
use crate::error::{Error, Result};
use crate::errors::{Call, Errors, Listening, forget_caught_panic, resume_caught_panic};
use crate::handle::{Consumable, Handle, NotesParent, Unreleased};
use crate::site::{Site, Step};

/// Call C and own what it returns; failure becomes the error that `T::Errors` words.
///
/// `own` gets the C value and must put it into its owner at once; `failed` looks at it afterwards. `made` is for
/// constructors: the handle in the result, which may know what went wrong.
#[inline]
pub fn run<T: Handle, C: Copy + 'static, R>(
    site: &'static Site,
    handle: Option<&T>,
    arguments: &[(&'static str, &dyn fmt::Debug)],
    c: impl FnOnce() -> C,
    own: impl FnOnce(C) -> Option<R>,
    failed: impl FnOnce(C) -> bool,
    made: impl FnOnce(&R) -> Option<&T>,
) -> Result<R> {
    let call = Call {
        handle,
        function: site.function,
        status: None,
        errno: 0,
        arguments,
    };
    let mut errors = T::Errors::default();
    errors.arm(&call);
    if site.fails(Step::NotCalled) {
        return Err(errors.failed(&call));
    }
    let ((raw, errno, owned), raised) = hooked(site, handle, &mut errors, || {
        let raw = c();
        // Owning what C gave may allocate and free, and so may whatever follows.
        let errno = errno::errno().0;
        (raw, errno, own(raw))
    });
    let call = Call {
        handle: handle.or_else(|| owned.as_ref().and_then(made)),
        status: status(&raw),
        errno,
        ..call
    };
    match raised {
        None => {}
        Some(Raised::Error(error)) => return Err(error),
        Some(Raised::Panic(panic)) => resume_unwind(panic),
    }
    if owned.is_none() || failed(raw) || errors.overlooked(&call) || site.fails(Step::Failed) {
        // What a failing call left behind is released after its message was read.
        return Err(errors.failed(&call));
    }
    assert!(!site.fails(Step::Panic), "a panic was asked for");
    errors.succeeded(&call);
    Ok(present(owned))
}

/// Release by a C function that says whether it could.
///
/// # Safety
///
/// `raw` is valid, and `c` releases it, unless it fails and `kept` says that the resource is then still there.
pub unsafe fn release<T: Handle, C: Copy + 'static>(
    raw: NonNull<T::Raw>,
    function: &'static str,
    kept: bool,
    c: impl FnOnce() -> C,
    failed: impl FnOnce(C) -> bool,
) -> Result<(), Unreleased> {
    let mut errors = T::Errors::default();
    // SAFETY: the caller's promise; after the call it is only used where C kept it.
    let handle = unsafe { T::from_raw(raw) };
    let call = Call {
        handle: Some(handle),
        function,
        status: None,
        errno: 0,
        arguments: &[],
    };
    errors.arm(&call);
    // SAFETY: the errors are on this stack, and are left alone until C has returned.
    let listening = unsafe { Listening::begin(&raw mut errors) };
    // SAFETY: C keeps them for each thread, as the author of the handle says.
    let raw = unsafe { T::with_thread_locals(c) };
    let errno = errno::errno().0;
    drop(listening);
    forget_caught_panic();
    if !failed(raw) {
        return Ok(());
    }
    let call = Call {
        handle: kept.then_some(handle),
        status: status(&raw),
        errno,
        ..call
    };
    Err(Unreleased {
        error: errors.failed(&call),
        kept,
    })
}

/// Call a release function that says nothing: what it reports meanwhile is dropped.
///
/// # Safety
///
/// C keeps the variables that the author of the handle names for each thread.
#[inline]
pub unsafe fn unheard<T: Handle, R>(c: impl FnOnce() -> R) -> R {
    let _listening = const { T::LISTENS }.then(Listening::to_nobody);
    // SAFETY: the caller's promise.
    unsafe { T::with_thread_locals(c) }
}

/// `own`, where C leaves nothing that may be looked at when it `failed`.
#[inline]
pub fn unless<C: Copy, R>(
    failed: impl FnOnce(C) -> bool,
    own: impl FnOnce(C) -> Option<R>,
) -> impl FnOnce(C) -> Option<R> {
    move |raw| if failed(raw) { None } else { own(raw) }
}

/// `own`, where C may say that there is `none`, which is a result, too.
#[inline]
pub fn unless_none<C: Copy, T>(
    none: impl FnOnce(C) -> bool,
    own: impl FnOnce(C) -> Option<Option<T>>,
) -> impl FnOnce(C) -> Option<Option<T>> {
    move |raw| if none(raw) { Some(None) } else { own(raw) }
}

/// `failed`, where C may say by the same status that there is `none`.
#[inline]
pub fn unless_there_is_none<C: Copy>(
    none: impl FnOnce(C) -> bool,
    failed: impl FnOnce(C) -> bool,
) -> impl FnOnce(C) -> bool {
    move |raw| !none(raw) && failed(raw)
}

/// What C gets of a handle that it may keep.
///
/// # Safety
///
/// It is a `T`, and not used once it has gone from there.
#[inline]
pub unsafe fn lent<'a, T: Handle>(place: &mut Option<Consumable<'_>>) -> &'a T {
    match place {
        // SAFETY: what is there owns a valid handle, and the caller's promise.
        Some(handle) => unsafe { T::from_raw(handle.raw().cast()) },
        None => unreachable!("it is there until C was called"),
    }
}

/// `own`, after C has taken over the handle in `place`, unless C failed in a way that leaves it there.
#[inline]
pub fn consumed<'g, C: Copy, R>(
    place: &'g mut Option<Consumable<'_>>,
    left: impl FnOnce(C) -> bool + 'g,
    own: impl FnOnce(C) -> R + 'g,
) -> impl FnOnce(C) -> R + 'g {
    move |raw| {
        if !left(raw)
            && let Some(handle) = place.take()
        {
            handle.pass_on();
        }
        own(raw)
    }
}

/// `own`, after which what was made knows the parent that its release needs.
#[inline]
pub fn noting_parent<P: Handle, C, R: NotesParent>(
    parent: &P,
    own: impl FnOnce(C) -> R,
) -> impl FnOnce(C) -> R {
    move |raw| {
        let made = own(raw);
        made.note(parent.as_raw().cast());
        made
    }
}

/// `own` what C returned. A function, so that the type of that is known where `own` is written.
#[inline]
pub fn owned<C, R>(raw: C, own: impl FnOnce(C) -> R) -> R {
    own(raw)
}

/// What C returned, if it is an integer.
#[inline]
fn status(raw: &dyn Any) -> Option<i64> {
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

/// Call C where nothing can fail; what it reports meanwhile has no call to belong to and is dropped.
#[inline]
pub fn read<T: Handle, R>(site: &'static Site, handle: Option<&T>, c: impl FnOnce() -> R) -> R {
    site.reach();
    let (result, raised) = hooked(site, handle, &mut T::Errors::default(), c);
    match raised {
        Some(Raised::Panic(panic)) => resume_unwind(panic),
        // The call can't fail, so it can't raise either.
        Some(raised) => report_raised(raised),
        None => {}
    }
    result
}

#[inline]
fn hooked<T: Handle, R>(
    site: &'static Site,
    handle: Option<&T>,
    errors: &mut T::Errors,
    c: impl FnOnce() -> R,
) -> (R, Option<Raised>) {
    let c = || match const { T::LINEAGE.calls_back() } || site.calls_back {
        true => framed(c),
        false => (c(), None),
    };
    // SAFETY: a reference to a handle is a valid handle, and it is borrowed for longer than the hook lives.
    let hook = handle.and_then(|handle| unsafe { T::hook(handle.as_raw()) });
    if hook.is_none() && !const { T::LISTENS } {
        // SAFETY: C keeps them for each thread, as the author of the handle says.
        return unsafe { T::with_thread_locals(c) };
    }
    // SAFETY: the errors are borrowed exclusively for longer than that.
    let listening = unsafe { Listening::begin(ptr::from_mut(errors)) };
    // SAFETY: as above.
    let result = unsafe { T::with_thread_locals(c) };
    drop(listening);
    drop(hook);
    resume_caught_panic();
    result
}

/// What a call that cannot fail returns: the macro allows it only types for which there always is a value.
#[inline]
pub fn present<R>(value: Option<R>) -> R {
    value.unwrap_or_else(|| unreachable!("NULL is `None` or a failure"))
}

/// A length as C's integer type.
#[inline]
pub fn length<C: TryFrom<usize>>(
    site: &'static Site,
    name: &'static str,
    bytes: &impl Memory,
) -> Result<C> {
    let length = bytes.count();
    match C::try_from(length) {
        Ok(length) if !site.fails(Step::Argument) => Ok(length),
        _ => Err(Error::Overflow(format!(
            "{name} is too long for C: {length} bytes"
        ))),
    }
}

/// A `&str` parameter, or an optional one, as what holds the C string during the call.
#[inline]
pub fn text(
    site: &'static Site,
    name: &'static str,
    text: impl IntoCString,
) -> Result<Option<CString>> {
    if site.fails(Step::Argument) {
        return Err(Error::Value(format!("{name} cannot be converted")));
    }
    text.into_c_string(name)
}

/// Run `c` without the GIL where this thread holds it. What it left in `errno` is still there afterwards.
#[inline]
pub fn detached<R>(c: impl FnOnce() -> R) -> R {
    #[cfg(feature = "python")]
    {
        let (result, errno) = crate::python::detached(|| (c(), errno::errno()));
        errno::set_errno(errno);
        result
    }
    #[cfg(not(feature = "python"))]
    c()
}

/// Run `c` without the GIL where this thread holds it; `Send` keeps Python objects out, as in PyO3's own `detach`.
pub fn detached_from_python<R: Send>(c: impl FnOnce() -> R + Send) -> R {
    detached(c)
}

/// Refuses, while compiling, arguments that hold Python objects where the body is detached.
#[inline]
pub fn sent<T: Send>(_: &T) {}
