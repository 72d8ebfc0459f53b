//! Text and bytes of C that become Python objects with no Rust value between.
//!
//! The object is made while C's memory is borrowed, or while its owner stands. That runs no Python code: text is
//! checked here, so that CPython's decoder, which may call an error handler, gets valid UTF-8 only.

use std::ffi::CString;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::direct::{PlainResult, Receiver};
use crate::convert::copy::CopyOfC;
use crate::convert::memory::Bytes;
use crate::error::{Error, Result};
use crate::fallible_copy;
use crate::short_text;

/// A new Python object that runs no Python code when it goes: a `str` or a `bytes`.
struct NewObject<'py>(NonNull<ffi::PyObject>, PhantomData<Python<'py>>);

impl NewObject<'_> {
    /// Takes a new reference; `None` for null. The exception that is set then is removed.
    ///
    /// # Safety
    ///
    /// This thread is attached, and `object` is null with an exception, or a new `str` or `bytes`.
    #[inline(always)]
    unsafe fn take(object: *mut ffi::PyObject) -> Option<Self> {
        let object = NonNull::new(object);
        if object.is_none() {
            // SAFETY: the caller's promise: the thread is attached.
            unsafe { ffi::PyErr_Clear() };
        }
        object.map(|object| NewObject(object, PhantomData))
    }

    fn into_ptr(self) -> *mut ffi::PyObject {
        ManuallyDrop::new(self).0.as_ptr()
    }
}

impl Drop for NewObject<'_> {
    fn drop(&mut self) {
        // SAFETY: CPython: this thread is attached, since the object cannot leave the thread nor outlive its token. The
        // reference is this value's own.
        unsafe { ffi::Py_DECREF(self.0.as_ptr()) };
    }
}

/// The Python object of a copy that would be a `T` in Rust. There is none if there was no memory: the call ends with
/// `MemoryError`.
pub struct NewCopy<'py, T>(Option<NewObject<'py>>, PhantomData<fn() -> T>);

impl<T> fmt::Debug for NewCopy<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewCopy")
    }
}

impl<T> NewCopy<'_, T> {
    /// Takes a new reference, or null with an exception.
    ///
    /// # Safety
    ///
    /// As for [`NewObject::take`].
    #[inline(always)]
    pub(super) unsafe fn take(object: *mut ffi::PyObject) -> Self {
        // SAFETY: the caller's promise.
        NewCopy(unsafe { NewObject::take(object) }, PhantomData)
    }

    /// The object; `None` if there was no memory.
    #[cfg(not(Py_GIL_DISABLED))]
    pub(super) fn object(&self) -> Option<*mut ffi::PyObject> {
        self.0.as_ref().map(|object| object.0.as_ptr())
    }
}

/// Text of C: the object, or text that is not UTF-8. Two words, which stay in registers: a larger value would be
/// written to memory in parts, and the processor would wait for these when the value moves.
#[doc(hidden)]
pub enum NewText<'py> {
    /// The object.
    Made(NewCopy<'py, String>),
    /// The bytes, which are not UTF-8.
    NotUtf8(NotUtf8<'py>),
}

const _: () = assert!(size_of::<Option<NewText<'_>>>() == 2 * size_of::<usize>());

/// Bytes that are not UTF-8, in a `bytes` object.
#[doc(hidden)]
pub struct NotUtf8<'py>(NewObject<'py>);

impl NotUtf8<'_> {
    fn bytes(&self) -> &[u8] {
        let object = self.0.0.as_ptr();
        // SAFETY: CPython: this is a `bytes` (`not_ascii`), whose bytes stay as long as the object, which this keeps.
        unsafe {
            let count = ffi::PyBytes_Size(object).cast_unsigned();
            std::slice::from_raw_parts(ffi::PyBytes_AsString(object).cast(), count)
        }
    }
}

// SAFETY: trait `CopyOfC`: the bytes are copied into a new object, and no Python code runs.
unsafe impl<'py> CopyOfC for NewCopy<'py, String> {
    type Of = String;
    type Proof = Python<'py>;
    type Undecoded = NewText<'py>;

    #[inline]
    unsafe fn copy(bytes: &[u8]) -> Option<NewText<'py>> {
        if short_text::is_ascii(bytes) {
            // SAFETY: the caller's promise: this thread has a token. The bytes are ASCII, as was just asked.
            return Some(NewText::Made(unsafe { NewCopy::take(new_ascii(bytes)) }));
        }
        // SAFETY: the caller's promise: this thread has a token.
        Some(unsafe { not_ascii(bytes) })
    }

    #[inline]
    fn decode(copy: NewText<'py>, function: &'static str) -> Result<Self> {
        match copy {
            NewText::Made(text) => Ok(text),
            NewText::NotUtf8(bytes) => Err(not_utf8(&bytes, function)),
        }
    }

    #[inline(always)]
    fn decode_lossy(copy: NewText<'py>) -> Self {
        match copy {
            NewText::Made(text) => text,
            // SAFETY: CPython: `copy` was made on this thread, which has a token, and does not leave the thread.
            NewText::NotUtf8(bytes) => unsafe { lossy(&bytes) },
        }
    }
}

/// Returns the object of text that is not UTF-8.
///
/// # Safety
///
/// This thread is attached to the interpreter.
#[cold]
unsafe fn lossy<'py>(bytes: &NotUtf8<'py>) -> NewCopy<'py, String> {
    let text = fallible_copy::string(bytes.bytes());
    // SAFETY: the caller's promise: the thread is attached.
    unsafe { NewCopy::take(new_string(&text)) }
}

/// Copies text that is not ASCII.
///
/// # Safety
///
/// This thread is attached to the interpreter.
#[inline(never)]
unsafe fn not_ascii<'py>(bytes: &[u8]) -> NewText<'py> {
    match std::str::from_utf8(bytes) {
        // SAFETY: the caller's promise: the thread is attached.
        Ok(text) => NewText::Made(unsafe { NewCopy::take(decoded(text)) }),
        // SAFETY: the caller's promise: the thread is attached.
        Err(_) => match unsafe { NewObject::take(new_bytes(bytes)) } {
            Some(bytes) => NewText::NotUtf8(NotUtf8(bytes)),
            None => NewText::Made(NewCopy(None, PhantomData)),
        },
    }
}

#[cold]
fn not_utf8(bytes: &NotUtf8<'_>, function: &'static str) -> Error {
    match String::from_utf8(fallible_copy::bytes(bytes.bytes())) {
        Err(error) => Error::NotUtf8(function, error),
        Ok(_) => unreachable!("the bytes were asked before"),
    }
}

// SAFETY: trait `CopyOfC`: the bytes are copied into a new object, and no Python code runs.
unsafe impl<'py> CopyOfC for NewCopy<'py, CString> {
    type Of = CString;
    type Proof = Python<'py>;
    type Undecoded = Self;

    unsafe fn copy(bytes: &[u8]) -> Option<Self> {
        // SAFETY: the caller's promise: this thread has a token.
        (!bytes.contains(&0)).then(|| unsafe { NewCopy::take(new_fs_string(bytes)) })
    }

    fn decode(copy: Self, _: &'static str) -> Result<Self> {
        Ok(copy)
    }

    fn decode_lossy(copy: Self) -> Self {
        copy
    }
}

// SAFETY: trait `CopyOfC`: the bytes are copied into a new object, and no Python code runs.
unsafe impl<'py> CopyOfC for NewCopy<'py, Bytes> {
    type Of = Bytes;
    type Proof = Python<'py>;
    type Undecoded = Self;

    #[inline]
    unsafe fn copy(bytes: &[u8]) -> Option<Self> {
        // SAFETY: the caller's promise: this thread has a token.
        Some(unsafe { NewCopy::take(new_bytes(bytes)) })
    }

    #[inline]
    fn decode(copy: Self, _: &'static str) -> Result<Self> {
        Ok(copy)
    }

    #[inline]
    fn decode_lossy(copy: Self) -> Self {
        copy
    }
}

/// A copy, or an `Option` of one, whose Python object the author's code gets.
#[doc(hidden)]
pub trait CopiedObject<'py> {
    /// The object, or an `Option` of it.
    type Object;

    /// Returns the object.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    fn object(self, py: Python<'py>) -> Result<Self::Object>;
}

impl<'py, T: CopiedObject<'py>> CopiedObject<'py> for Option<T> {
    type Object = Option<T::Object>;

    #[inline(always)]
    fn object(self, py: Python<'py>) -> Result<Self::Object> {
        self.map(|copy| copy.object(py)).transpose()
    }
}

macro_rules! copied_objects {
    ($($copy:ty => $object:ty;)+) => {$(
        impl<'py> CopiedObject<'py> for NewCopy<'py, $copy> {
            type Object = Bound<'py, $object>;

            #[inline(always)]
            fn object(self, py: Python<'py>) -> Result<Self::Object> {
                let object = self.0.ok_or(Error::OutOfMemory("a copy of the result"))?;
                // SAFETY: CPython: the object is of this type, which `copy` has made, and the reference is its own.
                Ok(unsafe { Bound::from_owned_ptr(py, object.into_ptr()).cast_into_unchecked() })
            }
        }
    )+};
}

copied_objects! {
    String => PyString;
    Bytes => PyBytes;
}

impl<T> PlainResult for NewCopy<'_, T> {
    #[inline(always)]
    fn into_object(self, _: &Receiver<'_>) -> *mut ffi::PyObject {
        match self.0 {
            Some(object) => object.into_ptr(),
            // SAFETY: CPython: this thread is attached, as the token shows.
            None => unsafe { ffi::PyErr_NoMemory() },
        }
    }
}

/// Returns a new `str`, or null with an exception.
///
/// # Safety
///
/// This thread is attached to the interpreter.
#[inline]
pub(super) unsafe fn new_string(text: &str) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise: the thread is attached.
    unsafe {
        match short_text::is_ascii(text.as_bytes()) {
            true => new_ascii(text.as_bytes()),
            false => decoded(text),
        }
    }
}

/// Returns a new `str` of ASCII text, or null with an exception.
///
/// # Safety
///
/// This thread is attached to the interpreter, and all bytes are ASCII.
#[inline]
unsafe fn new_ascii(text: &[u8]) -> *mut ffi::PyObject {
    const LAST_OF_ASCII: ffi::Py_UCS4 = 127;
    // SAFETY: the caller's promise: the thread is attached. CPython: a string that `PyUnicode_New` made, and nobody has
    // seen, has room for so many characters, which are one byte each. It shares the strings of less than two
    // characters, so those are its decoder's.
    unsafe {
        let [_, _, ..] = text else {
            return ffi::PyUnicode_DecodeLatin1(
                text.as_ptr().cast(),
                text.len().cast_signed(),
                ptr::null(),
            );
        };
        let object = ffi::PyUnicode_New(text.len().cast_signed(), LAST_OF_ASCII);
        if !object.is_null() {
            ptr::copy_nonoverlapping(
                text.as_ptr(),
                ffi::PyUnicode_DATA(object).cast(),
                text.len(),
            );
        }
        object
    }
}

/// Returns a new `str` of any text, or null with an exception.
///
/// # Safety
///
/// This thread is attached to the interpreter.
unsafe fn decoded(text: &str) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise: the thread is attached. Rust: the text is valid UTF-8 of the length given.
    unsafe { ffi::PyUnicode_FromStringAndSize(text.as_ptr().cast(), text.len().cast_signed()) }
}

/// Returns a new `str` as `os.fsdecode` makes it, or null with an exception: bytes that are not UTF-8 become lone
/// surrogates, so no byte is lost.
///
/// # Safety
///
/// This thread is attached to the interpreter.
pub(super) unsafe fn new_fs_string(bytes: &[u8]) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise: the thread is attached. CPython: the decoder reads so many bytes, and does the work
    // of this error handler itself.
    unsafe {
        ffi::PyUnicode_DecodeUTF8(
            bytes.as_ptr().cast(),
            bytes.len().cast_signed(),
            c"surrogateescape".as_ptr(),
        )
    }
}

/// Returns a new `bytes`, or null with an exception.
///
/// # Safety
///
/// This thread is attached to the interpreter.
#[inline]
pub(super) unsafe fn new_bytes(bytes: &[u8]) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise: the thread is attached. CPython: the function copies so many bytes.
    unsafe { ffi::PyBytes_FromStringAndSize(bytes.as_ptr().cast(), bytes.len().cast_signed()) }
}
