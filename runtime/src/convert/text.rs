//! Copies of C strings, and how they become UTF-8.

use std::ffi::{CStr, CString, c_char};

use crate::convert::from_c::FromC;
use crate::error::{Error, Result};
use crate::failpoint::{CallSite, FailPoint};
use crate::fallible_copy;

/// The C string at `start`, unless that is null.
///
/// # Safety
///
/// `start` is null, or points at a string that ends with NUL and is valid for `'a`.
pub(super) unsafe fn c_str<'a>(start: *const c_char) -> Option<&'a CStr> {
    // SAFETY: the caller's promise: `start`, which is not null, points at a string.
    (!start.is_null()).then(|| unsafe { CStr::from_ptr(start) })
}

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
        unsafe impl FromC<'_, $from> for Text {
            unsafe fn from_c(c: $from) -> Option<Self> {
                // SAFETY: the caller's promise: `c` is null or a C string.
                unsafe { c_str(c as *const c_char) }.map(|text| Text(fallible_copy::bytes(text.to_bytes())))
            }
        }
    )+};
}

string_from_c! { *const i8 *mut i8 *const u8 *mut u8 }

/// A copy of text that C gave, which is not known to be UTF-8: in generated code, what becomes a `String`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Text(pub(super) Vec<u8>);

/// A result with text in it, which [`decode`] makes a result with strings.
#[doc(hidden)]
pub trait Decode {
    /// The result with strings.
    type Decoded;

    /// Decodes all text.
    ///
    /// # Errors
    ///
    /// [`Error::NotUtf8`] for text that is not UTF-8.
    fn decode(self, function: &'static str) -> Result<Self::Decoded>;

    /// Decodes all text; bytes that are not UTF-8 become U+FFFD.
    fn decode_lossy(self) -> Self::Decoded;
}

impl Decode for Text {
    type Decoded = String;

    fn decode(self, function: &'static str) -> Result<String> {
        String::from_utf8(self.0).map_err(|error| Error::NotUtf8(function, error))
    }

    fn decode_lossy(self) -> String {
        String::from_utf8(self.0).unwrap_or_else(|error| fallible_copy::string(error.as_bytes()))
    }
}

impl<T: Decode> Decode for Option<T> {
    type Decoded = Option<T::Decoded>;

    fn decode(self, function: &'static str) -> Result<Self::Decoded> {
        self.map(|text| text.decode(function)).transpose()
    }

    fn decode_lossy(self) -> Self::Decoded {
        self.map(T::decode_lossy)
    }
}

impl<T: Decode> Decode for Vec<T> {
    type Decoded = Vec<T::Decoded>;

    fn decode(self, function: &'static str) -> Result<Self::Decoded> {
        self.into_iter().map(|text| text.decode(function)).collect()
    }

    fn decode_lossy(self) -> Self::Decoded {
        self.into_iter().map(T::decode_lossy).collect()
    }
}

/// Decodes the text in the result of a call that can fail.
///
/// # Errors
///
/// [`Error::NotUtf8`] for text that is not UTF-8.
#[doc(hidden)]
pub fn decode<T: Decode>(site: &'static CallSite, result: T) -> Result<T::Decoded> {
    let function = match site.function {
        "" | "callback" => site.method,
        function => function,
    };
    if site.should_fail(FailPoint::Result) {
        Text(vec![0xff]).decode(function)?;
    }
    result.decode(function)
}

/// A field of a C struct that holds a string: a pointer to it, or the characters themselves.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a string is read from `char *` or an array of `char`, and the field is `{Self}`",
    label = "the field is `{Self}`"
)]
pub trait TextField {
    /// A copy of the string; none for NULL.
    ///
    /// # Safety
    ///
    /// `field` may be read up to the end of the string, which is all that C need have written.
    unsafe fn copy(field: *const Self) -> Option<CString>;
}

macro_rules! text_field {
    ($($char:ty)+) => {$(
        impl TextField for *const $char {
            unsafe fn copy(field: *const Self) -> Option<CString> {
                // SAFETY: the caller's promise, for the pointer and for what it points at.
                unsafe { c_str((*field).cast()) }.and_then(|text| fallible_copy::c_string(text.to_bytes()))
            }
        }

        impl TextField for *mut $char {
            unsafe fn copy(field: *const Self) -> Option<CString> {
                // SAFETY: the caller's promise: the field may be read, and so may the string that it points at.
                unsafe { c_str((*field).cast()) }.and_then(|text| fallible_copy::c_string(text.to_bytes()))
            }
        }

        impl<const N: usize> TextField for [$char; N] {
            unsafe fn copy(field: *const Self) -> Option<CString> {
                let start = field.cast::<u8>();
                // SAFETY: the caller's promise: the array may be read up to its NUL. Nothing behind that is read: C
                // may have allocated less than the whole array.
                let bytes = (0..N).map(|index| unsafe { start.add(index).read() });
                CString::new(bytes.take_while(|byte| *byte != 0).collect::<Vec<u8>>()).ok()
            }
        }
    )+};
}

text_field! { i8 u8 }

/// A string that is made of a copy of C's.
#[doc(hidden)]
pub trait FromText {
    /// The string.
    fn from_text(text: CString) -> Self;
}

impl FromText for CString {
    fn from_text(text: CString) -> Self {
        text
    }
}

impl FromText for Text {
    fn from_text(text: CString) -> Self {
        Text(text.into_bytes())
    }
}

/// The string in a field.
///
/// # Safety
///
/// As for [`TextField::copy`].
#[doc(hidden)]
pub unsafe fn text<R: FromText, F: TextField>(field: *const F) -> Option<R> {
    // SAFETY: the caller's promise.
    unsafe { F::copy(field) }.map(R::from_text)
}
