//! C strings: results and fields that are copied.

use std::ffi::{CStr, CString, c_char};

use crate::convert::copy::{CopyOfC, Undecoded};
use crate::convert::from_c::FromC;
use crate::fallible_copy;

/// The C string at `start`, unless that is null.
///
/// # Safety
///
/// `start` is null, or points at a string that ends with NUL and is valid for `'a`.
#[inline]
pub(super) unsafe fn c_str<'a>(start: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise: `start`, which is not null, points at a string.
    (!start.is_null()).then(|| unsafe { CStr::from_ptr(start) })
}

/// A type that a `char *` is copied into.
pub trait Text {}

impl Text for String {}
impl Text for CString {}

macro_rules! string_from_c {
    ($($from:ty)+) => {$(
        // SAFETY: Rust: the string is copied.
        unsafe impl FromC<'_, $from> for CString {
            unsafe fn from_c(c: $from) -> Option<Self> {
                // SAFETY: the caller's promise: `c` is null or a C string.
                unsafe { c_str(c as *const c_char) }.and_then(|text| fallible_copy::c_string(text.to_bytes()))
            }
        }

        // SAFETY: Rust: the string is copied.
        unsafe impl<T: CopyOfC<Of: Text>> FromC<'_, $from> for Undecoded<T> {
            #[inline]
            unsafe fn from_c(c: $from) -> Option<Self> {
                // SAFETY: the caller's promise: `c` is null or a C string, and the generated function that names `T`
                // has its proof.
                unsafe { c_str(c as *const c_char).and_then(|text| Undecoded::copy(text.to_bytes())) }
            }
        }
    )+};
}

string_from_c! { *const i8 *mut i8 *const u8 *mut u8 }

/// A field of a C struct that holds a string: a pointer to it, or the characters themselves.
///
/// # Safety
///
/// `bytes` returns the characters of the string in the field, and runs no code that uses a handle.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a string is read from `char *` or an array of `char`, and the field is `{Self}`",
    label = "the field is `{Self}`"
)]
pub unsafe trait TextField {
    /// The string, without the NUL at its end; `None` for NULL.
    ///
    /// # Safety
    ///
    /// `field` may be read up to the end of the string, which is all that C need have written, for `'a`.
    unsafe fn bytes<'a>(field: *const Self) -> Option<&'a [u8]>;
}

macro_rules! text_field {
    ($($char:ty)+) => {$(
        // SAFETY: Rust: the string is the one that the field points at.
        unsafe impl TextField for *const $char {
            unsafe fn bytes<'a>(field: *const Self) -> Option<&'a [u8]> {
                // SAFETY: the caller's promise, for the pointer and for what it points at.
                unsafe { c_str((*field).cast()) }.map(CStr::to_bytes)
            }
        }

        // SAFETY: Rust: the string is the one that the field points at.
        unsafe impl TextField for *mut $char {
            unsafe fn bytes<'a>(field: *const Self) -> Option<&'a [u8]> {
                // SAFETY: the caller's promise: the field may be read, and so may the string that it points at.
                unsafe { c_str((*field).cast()) }.map(CStr::to_bytes)
            }
        }

        // SAFETY: Rust: the string is the one in the array.
        unsafe impl<const N: usize> TextField for [$char; N] {
            unsafe fn bytes<'a>(field: *const Self) -> Option<&'a [u8]> {
                let start = field.cast::<u8>();
                // SAFETY: the caller's promise: the array may be read up to its NUL. Nothing behind that is read: C
                // may have allocated less than the whole array.
                unsafe {
                    let count = (0..N).find(|index| start.add(*index).read() == 0);
                    Some(std::slice::from_raw_parts(start, count.unwrap_or(N)))
                }
            }
        }
    )+};
}

text_field! { i8 u8 }

/// A string that is made of a copy of C's.
///
/// # Safety
///
/// [`FromText::from_text`] copies the text and runs no code that uses a handle: the text is C's, and the read of the
/// field still runs.
#[doc(hidden)]
pub unsafe trait FromText: Sized {
    /// Copies the string.
    ///
    /// # Safety
    ///
    /// This thread has the proof that copies of this type ask for.
    unsafe fn from_text(text: &[u8]) -> Option<Self>;
}

// SAFETY: trait `FromText`: the text is copied, and nothing else runs.
unsafe impl FromText for CString {
    unsafe fn from_text(text: &[u8]) -> Option<Self> {
        fallible_copy::c_string(text)
    }
}

// SAFETY: trait `CopyOfC`: the text is copied, and nothing else runs.
unsafe impl<T: CopyOfC<Of: Text>> FromText for Undecoded<T> {
    #[inline]
    unsafe fn from_text(text: &[u8]) -> Option<Self> {
        // SAFETY: the caller's promise.
        unsafe { Undecoded::copy(text) }
    }
}

/// The string in a field.
///
/// # Safety
///
/// As for [`TextField::bytes`] and [`FromText::from_text`].
#[doc(hidden)]
#[inline]
pub unsafe fn text<R: FromText, F: TextField>(field: *const F) -> Option<R> {
    // SAFETY: the caller's promise.
    unsafe { F::bytes(field).and_then(|text| R::from_text(text)) }
}
