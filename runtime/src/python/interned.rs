//! Names that C has once and returns often: each becomes one Python string, and not a new one each time.
//!
//! A table remembers the strings by the addresses of C's texts. C may free a text and put another one there, so the
//! text is compared each time. The table has a fixed size: a string leaves it when another one takes its place.
//!
//! Free-threaded Python has no such table, and gets new strings: its threads would share the table.

use std::cell::UnsafeCell;
use std::ptr;

use pyo3::ffi;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::call::CallContext;
use super::direct::{PlainResult, Receiver};
use super::into_py::IntoPython;
use super::new_copy::{CopiedObject, NewCopy, NewText};
use crate::convert::copy::CopyOfC;
use crate::error::Result;
use crate::fact::Fact;
use crate::short_text;

/// The Python string of a name.
#[derive(Debug)]
pub struct InternedCopy<'py>(NewCopy<'py, String>);

// SAFETY: trait `CopyOfC`: the bytes are copied, or compared with those of the interned text. No Python code runs.
unsafe impl<'py> CopyOfC for InternedCopy<'py> {
    type Of = String;
    type Proof = Python<'py>;
    type Undecoded = NewText<'py>;

    #[inline(always)]
    unsafe fn copy(bytes: &[u8]) -> Option<NewText<'py>> {
        // SAFETY: the caller's promise: this thread has a token.
        unsafe { find(bytes) }
    }

    #[inline]
    fn decode(copy: NewText<'py>, function: &'static str) -> Result<Self> {
        NewCopy::decode(copy, function).map(InternedCopy)
    }

    #[inline(always)]
    fn decode_lossy(copy: NewText<'py>) -> Self {
        InternedCopy(NewCopy::decode_lossy(copy))
    }
}

impl<'py> CopiedObject<'py> for InternedCopy<'py> {
    type Object = Bound<'py, PyString>;

    #[inline(always)]
    fn object(self, py: Python<'py>) -> Result<Self::Object> {
        self.0.object(py)
    }
}

impl PlainResult for InternedCopy<'_> {
    #[inline(always)]
    fn into_object(self, receiver: &Receiver<'_>) -> *mut pyo3::ffi::PyObject {
        self.0.into_object(receiver)
    }
}

impl IntoPython for InternedCopy<'_> {
    const TYPE: PyStaticExpr = String::TYPE;
    const PLAIN: Fact = Fact::YES;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        self.0.into_python(context)
    }
}

/// The number of strings that are remembered, a power of two.
const COUNT: usize = 512;

/// The length of the longest name that is remembered, in bytes.
const LONGEST: usize = 64;

/// A name of ASCII characters.
#[derive(Clone, Copy)]
struct Name {
    /// C's text.
    address: usize,
    /// The string, which the table owns. Null for none.
    object: *mut ffi::PyObject,
}

struct Names(UnsafeCell<[Name; COUNT]>);

// SAFETY: CPython: only a thread with the GIL uses the table, and runs no Python code meanwhile (`find`, `put`).
unsafe impl Sync for Names {}

static NAMES: Names = Names(UnsafeCell::new(
    [Name {
        address: 0,
        object: ptr::null_mut(),
    }; COUNT],
));

/// Returns the string of C's text: the one that is remembered, or a new one.
///
/// # Safety
///
/// This thread has a token.
#[inline(always)]
unsafe fn find<'py>(bytes: &[u8]) -> Option<NewText<'py>> {
    // SAFETY: CPython: this thread has the GIL, as the caller promises, and a comparison of bytes runs no Python code.
    // The table owns the string, which is ASCII (`put`).
    unsafe {
        let name = *place(bytes);
        let is_known = name.address == bytes.as_ptr().addr() && !name.object.is_null();
        if is_known && short_text::are_equal(text_of(name.object), bytes) {
            return Some(NewText::Made(NewCopy::take(ffi::Py_NewRef(name.object))));
        }
    }
    // SAFETY: the caller's promise.
    unsafe { put(bytes) }
}

/// Returns a new string, which is remembered if it is short, and ASCII.
///
/// # Safety
///
/// This thread has a token.
#[inline(never)]
unsafe fn put<'py>(bytes: &[u8]) -> Option<NewText<'py>> {
    // SAFETY: the caller's promise.
    let text = unsafe { NewCopy::<String>::copy(bytes) }?;
    if let NewText::Made(made) = &text
        && let Some(object) = made.object()
        && bytes.len() <= LONGEST
        && bytes.is_ascii()
    {
        // SAFETY: CPython: this thread has the GIL, as the caller promises, and the end of a `str` runs no Python code.
        unsafe {
            let former = place(bytes).replace(Name {
                address: bytes.as_ptr().addr(),
                object: ffi::Py_NewRef(object),
            });
            ffi::Py_XDECREF(former.object);
        }
    }
    Some(text)
}

/// The place of the name with this text.
#[inline(always)]
fn place(bytes: &[u8]) -> *mut Name {
    // Texts that C keeps together lie some bytes apart.
    let address = bytes.as_ptr().addr();
    let index = (address ^ (address >> 9)) % COUNT;
    NAMES.0.get().cast::<Name>().wrapping_add(index)
}

/// The characters of a string.
///
/// # Safety
///
/// The object is a `str` of ASCII characters, and stays for the lifetime of the result.
#[inline(always)]
unsafe fn text_of<'a>(object: *mut ffi::PyObject) -> &'a [u8] {
    // SAFETY: the caller's promise. CPython: such a string has one byte for each character.
    unsafe {
        let count = ffi::PyUnicode_GET_LENGTH(object).cast_unsigned();
        std::slice::from_raw_parts(ffi::PyUnicode_DATA(object).cast(), count)
    }
}
