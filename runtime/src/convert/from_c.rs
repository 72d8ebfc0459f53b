//! Conversion of C's results to Rust values: owners at once, strings by copy.

use std::ffi::c_void;

use crate::convert::lifetime::{Life, Limits};
use crate::convert::plain::Plain;
use crate::convert::pointer::Transferred;
use crate::handle::{Borrowed, Handle, Owned, PointerHandle, Resource};

/// A Rust type that a C function's result, or a field of a C struct, can become.
///
/// # Safety
///
/// `from_c` takes ownership of everything in `C` that the type owns, before it does anything that can fail. What the
/// value borrows it borrows for no longer than `'o`.
#[diagnostic::on_unimplemented(
    message = "C's `{C}` cannot be returned as `{Self}`",
    label = "C gives `{C}`",
    note = "a pointer to a handle is returned as `Owned<T>` or `Borrowed<T>`, a C string as `String` or `CString`, \
            a number as a type that holds all its values, and a status as `()`"
)]
pub unsafe trait FromC<'o, C>: Sized {
    /// The value; `None` if C gave NULL where there has to be something.
    ///
    /// # Safety
    ///
    /// `c` was just returned by C, and is what the annotation says: valid, and owned or borrowed as the type has it.
    unsafe fn from_c(c: C) -> Option<Self>;

    /// The value, for no longer than `life`.
    ///
    /// # Safety
    ///
    /// As for [`FromC::from_c`]; what is borrowed is valid for `life`.
    #[doc(hidden)]
    #[inline]
    unsafe fn from_c_within(c: C, life: Life<'o>) -> Option<Self> {
        let _ = life;
        // SAFETY: the caller's promise.
        unsafe { Self::from_c(c) }
    }
}

/// A C pointer that a handle is made from: implemented for each handle, to its own raw type.
///
/// # Safety
///
/// `pointer` gives C's own pointer, or for a number the one that [`crate::handle::IntegerHandle`] keeps it as.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C's `{C}` is no pointer to a `{Self}`",
    label = "C gives `{C}`",
    note = "return the handle type whose `raw = …` this is, or change the C function"
)]
pub unsafe trait PointedAt<C>: Handle {
    /// The pointer; what is owned may be written to.
    fn pointer(c: C) -> *mut Self::Raw;
}

// SAFETY: guarantee 1: `from_raw` owns at once; guarantee 14: `Limits` says for how long.
unsafe impl<'o, 'p, C, T: Resource + PointerHandle + PointedAt<C>> FromC<'o, C> for Owned<'p, T>
where
    C: Transferred,
    T::Parent: Limits<'o, 'p>,
{
    #[inline]
    unsafe fn from_c(c: C) -> Option<Self> {
        // SAFETY: the caller's promise: the pointer is null, or a handle that was just acquired, as `from_raw` asks
        // for.
        unsafe { Owned::from_raw(T::pointer(c)) }
    }
}

// SAFETY: guarantee 14: nothing is owned, and what is borrowed is borrowed within `'o`.
unsafe impl<'o: 'b, 'b, C, T: PointedAt<C>> FromC<'o, C> for Borrowed<'b, T> {
    #[inline]
    unsafe fn from_c(c: C) -> Option<Self> {
        // SAFETY: the caller's promise: what C returned is valid as long as the annotation says.
        unsafe { Borrowed::from_raw(T::pointer(c)) }
    }
}

// SAFETY: trait `FromC`: what is owned goes to `T`.
unsafe impl<'o, C, T: FromC<'o, C>> FromC<'o, C> for Option<T> {
    #[inline]
    unsafe fn from_c(c: C) -> Option<Self> {
        // SAFETY: the caller's promise.
        Some(unsafe { T::from_c(c) })
    }
}

// SAFETY: Rust: a number owns nothing.
unsafe impl FromC<'_, *mut c_void> for usize {
    #[inline]
    unsafe fn from_c(c: *mut c_void) -> Option<Self> {
        Some(c.addr())
    }
}

// SAFETY: Rust: `()` owns nothing.
unsafe impl<C> FromC<'_, C> for () {
    #[inline]
    unsafe fn from_c(_: C) -> Option<Self> {
        Some(())
    }
}

macro_rules! from_c {
    ($($from:ty => $($to:ty),+;)+) => {$($(
        // SAFETY: Rust: a number owns nothing.
        unsafe impl FromC<'_, $from> for $to {
            #[inline]
            unsafe fn from_c(c: $from) -> Option<Self> {
                Some(c.into())
            }
        }
    )+)+};
}

from_c! {
    i8 => i8, i16, i32, i64;
    u8 => u8, u16, i32, u32, i64, u64;
    i16 => i16, i32, i64;
    u16 => u16, i32, u32, i64, u64;
    i32 => i32, i64;
    u32 => u32, i64, u64;
    i64 => i64, i128;
    u64 => u64, u128;
    f32 => f32, f64;
    f64 => f64;
    bool => bool;
}

/// A field of a record.
#[doc(hidden)]
#[inline]
pub fn plain<T: Plain + FromC<'static, C>, C>(field: C) -> T {
    // SAFETY: guarantee 15: what is plain is made of any value of C's type.
    expect_some(unsafe { T::from_c(field) })
}

/// Returns the result of a call that cannot fail. The macro allows only result types for which there always is a value.
#[inline]
pub fn expect_some<R>(value: Option<R>) -> R {
    value.unwrap_or_else(|| unreachable!("NULL is `None` or a failure"))
}

macro_rules! truth_from_c {
    ($($from:ty)+) => {$(
        // SAFETY: Rust: a number owns nothing.
        unsafe impl FromC<'_, $from> for bool {
            #[inline]
            unsafe fn from_c(c: $from) -> Option<Self> {
                Some(c != 0)
            }
        }
    )+};
}

// SAFETY: Rust: a truth value owns nothing.
unsafe impl<F> FromC<'_, Option<F>> for bool {
    #[inline]
    unsafe fn from_c(c: Option<F>) -> Option<Self> {
        Some(c.is_some())
    }
}

truth_from_c! { i8 u8 i16 u16 i32 u32 i64 u64 }

// SAFETY: Rust: a number owns nothing.
unsafe impl FromC<'_, isize> for isize {
    #[inline]
    unsafe fn from_c(c: isize) -> Option<Self> {
        Some(c)
    }
}

// SAFETY: Rust: a number owns nothing; no platform has wider ones.
unsafe impl FromC<'_, isize> for i64 {
    #[inline]
    unsafe fn from_c(c: isize) -> Option<Self> {
        Some(c as i64)
    }
}

// SAFETY: Rust: a number owns nothing.
unsafe impl FromC<'_, usize> for usize {
    #[inline]
    unsafe fn from_c(c: usize) -> Option<Self> {
        Some(c)
    }
}

// SAFETY: Rust: a number owns nothing; this is a 64-bit platform's `size_t`, as bindgen may also write it.
#[cfg(target_pointer_width = "64")]
unsafe impl FromC<'_, u64> for usize {
    #[inline]
    unsafe fn from_c(c: u64) -> Option<Self> {
        Some(c as usize)
    }
}

macro_rules! bytes_from_c {
    ($($from:ty)+) => {$(
        // SAFETY: Rust: the bytes are copied.
        unsafe impl<const N: usize> FromC<'_, [$from; N]> for [u8; N] {
            #[inline]
            unsafe fn from_c(c: [$from; N]) -> Option<Self> {
                Some(c.map(|byte| byte as u8))
            }
        }
    )+};
}

// C's `unsigned char[N]` and `char[N]`.
bytes_from_c! { u8 i8 }
