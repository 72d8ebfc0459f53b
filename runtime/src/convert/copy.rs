//! Copies of C's text and bytes, as Rust values or as Python objects.
//!
//! A generated method that returns text or bytes is generic over the value that the copy becomes ([`CopyOfC`]): for
//! Rust a `String`, a `CString` or `Bytes`, for Python the object itself, with no Rust value between.

use std::ffi::CString;

use crate::error::{Error, Result};
use crate::failpoint::{CallSite, FailPoint};
use crate::fallible_copy;
use crate::short_text;

/// A value that a copy of C's text or bytes becomes.
///
/// # Safety
///
/// [`CopyOfC::copy`] copies the bytes and runs no code that uses a handle: the bytes may be C's, and the call that
/// returned them still runs.
pub unsafe trait CopyOfC: Sized {
    /// The type in the signature of the method, which says what C gives.
    type Of;
    /// The proof that this thread may make such values: for Python objects, the token of the interpreter.
    type Proof;
    /// A copy of text that may not be UTF-8.
    type Undecoded;

    /// Copies `bytes`; `None` if a C string would have a NUL inside.
    ///
    /// # Safety
    ///
    /// This thread has a [`CopyOfC::Proof`].
    unsafe fn copy(bytes: &[u8]) -> Option<Self::Undecoded>;

    /// Returns the value.
    ///
    /// # Errors
    ///
    /// [`Error::NotUtf8`] for text that is not UTF-8.
    fn decode(copy: Self::Undecoded, function: &'static str) -> Result<Self>;

    /// Returns the value; bytes of a `String` that are not UTF-8 become U+FFFD.
    fn decode_lossy(copy: Self::Undecoded) -> Self;
}

// SAFETY: trait `CopyOfC`: the bytes are copied, and nothing else runs.
unsafe impl CopyOfC for String {
    type Of = String;
    type Proof = ();
    type Undecoded = Vec<u8>;

    unsafe fn copy(bytes: &[u8]) -> Option<Vec<u8>> {
        Some(fallible_copy::bytes(bytes))
    }

    fn decode(copy: Vec<u8>, function: &'static str) -> Result<String> {
        String::from_utf8(copy).map_err(|error| Error::NotUtf8(function, error))
    }

    fn decode_lossy(copy: Vec<u8>) -> String {
        if short_text::is_ascii(&copy) {
            // SAFETY: Rust: text of ASCII characters is UTF-8.
            return unsafe { String::from_utf8_unchecked(copy) };
        }
        String::from_utf8(copy).unwrap_or_else(|error| fallible_copy::string(error.as_bytes()))
    }
}

// SAFETY: trait `CopyOfC`: the bytes are copied, and nothing else runs.
unsafe impl CopyOfC for CString {
    type Of = CString;
    type Proof = ();
    type Undecoded = CString;

    unsafe fn copy(bytes: &[u8]) -> Option<CString> {
        fallible_copy::c_string(bytes)
    }

    fn decode(copy: CString, _: &'static str) -> Result<CString> {
        Ok(copy)
    }

    fn decode_lossy(copy: CString) -> CString {
        copy
    }
}

/// A copy that becomes a `T` once the call has ended: in generated code, what stands for text and bytes in a result.
#[doc(hidden)]
#[derive(Debug)]
pub struct Undecoded<T: CopyOfC = String>(T::Undecoded);

impl<T: CopyOfC> Undecoded<T> {
    /// Copies `bytes`; `None` if a C string would have a NUL inside.
    ///
    /// # Safety
    ///
    /// This thread has a [`CopyOfC::Proof`]: the function that is generic over `T` takes one.
    #[inline]
    pub(crate) unsafe fn copy(bytes: &[u8]) -> Option<Self> {
        // SAFETY: the caller's promise.
        unsafe { T::copy(bytes) }.map(Undecoded)
    }
}

/// A result with copies in it, which [`decode`] makes a result with values.
#[doc(hidden)]
pub trait Decode {
    /// The result with values.
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

impl<T: CopyOfC> Decode for Undecoded<T> {
    type Decoded = T;

    #[inline]
    fn decode(self, function: &'static str) -> Result<T> {
        T::decode(self.0, function)
    }

    #[inline]
    fn decode_lossy(self) -> T {
        T::decode_lossy(self.0)
    }
}

impl<T: Decode> Decode for Option<T> {
    type Decoded = Option<T::Decoded>;

    #[inline]
    fn decode(self, function: &'static str) -> Result<Self::Decoded> {
        self.map(|text| text.decode(function)).transpose()
    }

    #[inline]
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
#[inline]
pub fn decode<T: Decode>(site: &'static CallSite, result: T) -> Result<T::Decoded> {
    let function = match site.function {
        "" | "callback" => site.method,
        function => function,
    };
    if site.should_fail(FailPoint::Result) {
        String::decode(vec![0xff], function)?;
    }
    result.decode(function)
}
