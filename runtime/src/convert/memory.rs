//! Memory and arrays of C: copied, or lent by the receiver.

use std::ffi::{CStr, CString, c_void};

use crate::convert::copy::{CopyOfC, Undecoded};
use crate::convert::from_c::FromC;
use crate::convert::lifetime::Life;
use crate::convert::pointer::Transferred;
use crate::convert::text::c_str;
use crate::error::Result;
use crate::fallible_copy;

/// Bytes that were copied from C: in Python `bytes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
    }
}

// SAFETY: trait `CopyOfC`: the bytes are copied, and nothing else runs.
unsafe impl CopyOfC for Bytes {
    type Of = Bytes;
    type Proof = ();
    type Undecoded = Vec<u8>;

    unsafe fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
        Some(fallible_copy::bytes(bytes))
    }

    fn decode(copy: Vec<u8>, _: &'static str) -> Result<Bytes> {
        Ok(Bytes(copy))
    }

    fn decode_lossy(copy: Vec<u8>) -> Bytes {
        Bytes(copy)
    }
}

/// A type that can be made from the start of some memory and its length.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `{Self}` is not copied from memory of `{P}`",
    label = "C gives memory of `{P}`",
    note = "bytes are copied as `Bytes` or `String`, lent as `&[u8]`, and an array is a `Vec` of what its elements become"
)]
pub trait FromMemory<'o, P>: Sized {
    /// Returns the copy; `None` for null where a value is required.
    ///
    /// # Safety
    ///
    /// `start` is null or points at `count` elements.
    unsafe fn from_memory(start: *const P, count: usize) -> Option<Self>;

    /// Returns the copy, or a reference to the memory for no longer than `life`.
    ///
    /// # Safety
    ///
    /// As for [`FromMemory::from_memory`]; memory that is only referred to is valid for `life`.
    #[inline]
    unsafe fn from_memory_within(start: *const P, count: usize, life: Life<'o>) -> Option<Self> {
        let _ = life;
        // SAFETY: the caller's promise.
        unsafe { Self::from_memory(start, count) }
    }
}

/// The `count` bytes at `start`; `None` for null.
///
/// # Safety
///
/// `start` is null or points at so many, which are valid for `'a`.
unsafe fn slice<'a>(start: *const u8, count: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise: so many bytes are at `start`, which is not null.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start, count) })
}

macro_rules! bytes_from_memory {
    ($($type:ty)+) => {$(
        impl FromMemory<'_, $type> for Bytes {
            unsafe fn from_memory(start: *const $type, count: usize) -> Option<Self> {
                // SAFETY: the caller's promise.
                unsafe { slice(start.cast(), count) }.map(|bytes| Bytes(fallible_copy::bytes(bytes)))
            }
        }

        impl<'o: 'a, 'a> FromMemory<'o, $type> for &'a [u8] {
            unsafe fn from_memory(start: *const $type, count: usize) -> Option<Self> {
                // SAFETY: the caller's promise, and the author's: it stays as it is while the handle is lent.
                unsafe { slice(start.cast(), count) }
            }
        }

        impl<T: CopyOfC> FromMemory<'_, $type> for Undecoded<T> {
            #[inline]
            unsafe fn from_memory(start: *const $type, count: usize) -> Option<Self> {
                // SAFETY: the caller's promise; the generated function that names `T` has its proof.
                unsafe { slice(start.cast(), count).and_then(|bytes| Undecoded::copy(bytes)) }
            }
        }

        impl FromMemory<'_, $type> for CString {
            unsafe fn from_memory(start: *const $type, count: usize) -> Option<Self> {
                // SAFETY: the caller's promise.
                unsafe { slice(start.cast(), count) }.and_then(fallible_copy::c_string)
            }
        }
    )+};
}

bytes_from_memory! { c_void i8 u8 }

impl<'o, P: Copy, T: FromC<'o, P>> FromMemory<'o, P> for Vec<T> {
    unsafe fn from_memory(start: *const P, count: usize) -> Option<Self> {
        // SAFETY: the caller's promise.
        Some(unsafe { elements(start, count) })
    }
}

impl<'o, P, T: FromMemory<'o, P>> FromMemory<'o, P> for Option<T> {
    unsafe fn from_memory(start: *const P, count: usize) -> Option<Self> {
        // SAFETY: the caller's promise.
        Some(unsafe { T::from_memory(start, count) })
    }
}

/// The length of a C string; 0 for null.
///
/// # Safety
///
/// `start` is null or points at a C string.
#[doc(hidden)]
pub unsafe fn length_of_text<P>(start: *const P) -> usize {
    // SAFETY: the caller's promise.
    unsafe { c_str(start.cast()) }.map_or(0, CStr::count_bytes)
}

/// Returns the number of elements before the first that is NULL or 0; 0 for null.
///
/// # Safety
///
/// `start` is null or points at elements of which one is NULL or 0.
#[doc(hidden)]
pub unsafe fn until_null<P: Copy + EndsArray>(start: *const P) -> usize {
    if start.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise: no element behind the end is read.
    (0..)
        .take_while(|index| !unsafe { start.add(*index).read() }.ends_array())
        .count()
}

/// An element of an array that may be its end.
///
/// # Safety
///
/// `ends_array` is true of a NULL and of a 0: nothing behind it is read.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an array of `{Self}` has no NULL or 0 as its end",
    note = "`until = null` is for arrays of pointers and of integers"
)]
pub unsafe trait EndsArray {
    /// Returns whether the element is NULL or 0.
    fn ends_array(self) -> bool;
}

// SAFETY: Rust: NULL ends it.
unsafe impl<T> EndsArray for *const T {
    fn ends_array(self) -> bool {
        self.is_null()
    }
}

// SAFETY: Rust: NULL ends it.
unsafe impl<T> EndsArray for *mut T {
    fn ends_array(self) -> bool {
        self.is_null()
    }
}

/// A field of a C struct that an array starts at.
///
/// # Safety
///
/// `start` gives the pointer that C has there.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Vec` is read from a pointer to its elements, and the field is `{Self}`",
    label = "the field is `{Self}`"
)]
pub unsafe trait Start {
    /// The type of the elements.
    type Element;
    /// Returns the pointer to the first element.
    fn start(self) -> *const Self::Element;
}

// SAFETY: Rust: it is the pointer itself.
unsafe impl<T> Start for *const T {
    type Element = T;
    #[inline]
    fn start(self) -> *const T {
        self
    }
}

// SAFETY: Rust: it is the pointer itself.
unsafe impl<T> Start for *mut T {
    type Element = T;
    #[inline]
    fn start(self) -> *const T {
        self
    }
}

/// A field of a C struct that counts.
///
/// # Safety
///
/// Neither is more than the number says, and no number is more than the count that it is made of.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`len` is a number of elements, and this is `{Self}`",
    label = "not an integer"
)]
pub unsafe trait Count: Sized {
    /// Returns the number of elements; 0 for a negative number.
    fn count(self) -> usize;
    /// Returns the number of elements; `None` for a number that is negative, or more than a `usize` holds.
    fn try_count(self) -> Option<usize>;
    /// Returns the number for a count; `None` for more than the type holds.
    fn of_count(count: usize) -> Option<Self>;
}

macro_rules! count {
    ($($type:ty)+) => {$(
        impl Transferred for $type {}

        // SAFETY: Rust: 0 ends it.
        unsafe impl EndsArray for $type {
            fn ends_array(self) -> bool {
                self == 0
            }
        }

        // SAFETY: Rust: it is the number itself.
        unsafe impl Count for $type {
            #[inline]
            fn count(self) -> usize {
                usize::try_from(self).unwrap_or(0)
            }

            #[inline]
            fn try_count(self) -> Option<usize> {
                usize::try_from(self).ok()
            }

            #[inline]
            fn of_count(count: usize) -> Option<Self> {
                Self::try_from(count).ok()
            }
        }
    )+};
}

count! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

/// The elements of a C array of `count`; NULL pointers in it are left out.
///
/// # Safety
///
/// `start` is null or points at `count` elements, each as [`FromC::from_c`] wants it.
#[doc(hidden)]
pub unsafe fn array<'o, C: Copy, R: FromC<'o, C>>(
    start: *const C,
    count: usize,
    life: Life<'o>,
) -> Vec<R> {
    let _ = life;
    // SAFETY: the caller's promise.
    unsafe { elements(start, count) }
}

/// Returns the elements as [`array`] does, for as long as the caller vouches for them.
///
/// # Safety
///
/// As for [`array`].
unsafe fn elements<'o, C: Copy, R: FromC<'o, C>>(start: *const C, count: usize) -> Vec<R> {
    if start.is_null() {
        return Vec::new();
    }
    let mut elements = fallible_copy::room(count);
    // SAFETY: the caller's promise: there are `count` elements at `start`, and each is valid.
    elements.extend((0..count).filter_map(|index| unsafe { R::from_c(*start.add(index)) }));
    elements
}
