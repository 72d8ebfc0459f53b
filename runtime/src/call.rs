//! The seam: every C function and every field of a generated method goes through [`run`] or [`read`].
//!
//! The order is always the same and stands only here: arm the errors, call C, put what it returned into its owner,
//! look whether it failed. Nothing that can fail stands between the second and the third step.

use std::ffi::CString;
use std::fmt;

use crate::arguments::{Bytes, IntoCString};
use crate::error::{Error, Result};
use crate::errors::{Call, Errors, resume_caught_panic};
use crate::handle::Handle;
use crate::site::{Site, Step};

/// Call C and own what it returns; failure becomes the error that `T::Errors` words.
///
/// `own` gets the C value and must put it into its owner at once; `failed` may look at both.
#[inline]
pub fn run<T: Handle, C: Copy, R>(
    site: &'static Site,
    handle: Option<&T>,
    arguments: &[(&'static str, &dyn fmt::Debug)],
    c: impl FnOnce() -> C,
    own: impl FnOnce(C) -> Option<R>,
    failed: impl FnOnce(C) -> bool,
) -> Result<R> {
    let call = Call {
        handle,
        function: site.function,
        arguments,
    };
    let mut errors = T::Errors::default();
    errors.arm(&call);
    if site.fails(Step::NotCalled) {
        return Err(errors.failed(&call));
    }
    let (raw, owned) = hooked(handle, &mut errors, || {
        let raw = c();
        (raw, own(raw))
    });
    match owned {
        Some(owned) if !failed(raw) && !errors.overlooked(&call) && !site.fails(Step::Failed) => {
            assert!(!site.fails(Step::Panic), "a panic was asked for");
            Ok(owned)
        }
        // What a failing call left behind is released after its message was read.
        left => {
            let error = errors.failed(&call);
            drop(left);
            Err(error)
        }
    }
}

/// Call C where nothing can fail; what it reports meanwhile has no call to belong to and is dropped.
#[inline]
pub fn read<T: Handle, R>(site: &'static Site, handle: Option<&T>, c: impl FnOnce() -> R) -> R {
    site.reach();
    hooked(handle, &mut T::Errors::default(), c)
}

#[inline]
fn hooked<T: Handle, R>(handle: Option<&T>, errors: &mut T::Errors, c: impl FnOnce() -> R) -> R {
    // SAFETY: a reference to a handle is a valid handle, and it is borrowed for longer than the hook lives.
    let Some(hook) = handle.and_then(|handle| unsafe { T::hook(handle.as_raw(), errors) }) else {
        return c();
    };
    let result = c();
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
    bytes: &impl Bytes,
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

/// Run `c` without the GIL where this thread holds it.
#[inline]
pub fn detached<R>(c: impl FnOnce() -> R) -> R {
    #[cfg(feature = "python")]
    return crate::python::detached(c);
    #[cfg(not(feature = "python"))]
    c()
}

/// Run `c` without the GIL where this thread holds it; `Send` keeps Python objects out, as in PyO3's own `detach`.
pub fn detached_from_python<R: Send>(c: impl FnOnce() -> R + Send) -> R {
    detached(c)
}
