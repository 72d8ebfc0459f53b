//! Values of fields that the annotation says are never NULL, and arrays that may be.

use std::ptr;

use crate::convert::from_c::FromC;
use crate::convert::lifetime::Life;
use crate::convert::memory::array;
use crate::convert::shape::{MaybeHandle, optional};
use crate::error::{Error, Result};
use crate::handle::{Handle, Part};

/// Returns the value of the field of `method`.
///
/// # Errors
///
/// [`Error::Null`] for NULL.
#[doc(hidden)]
#[inline]
pub fn required<R>(method: &'static str, value: Option<R>) -> Result<R> {
    value.ok_or(Error::Null(method))
}

/// Returns the pointer to a part that a field of another part gets; null for `None`. Both live in an owner of one type.
#[doc(hidden)]
#[inline]
pub fn written_part<S, P>(_: &S, part: &P) -> *mut <P::Handle as Handle>::Raw
where
    S: Part,
    P: MaybeHandle,
    P::Handle: Part<Owner = S::Owner>,
{
    optional(part).map_or(ptr::null_mut(), Handle::as_raw)
}

/// Returns the elements of a C array of `count`; `None` for null. NULL pointers in the array are left out.
///
/// # Safety
///
/// As for [`array`].
#[doc(hidden)]
pub unsafe fn optional_array<'o, C: Copy, R: FromC<'o, C>>(
    start: *const C,
    count: usize,
    life: Life<'o>,
) -> Option<Vec<R>> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { array(start, count, life) })
}
