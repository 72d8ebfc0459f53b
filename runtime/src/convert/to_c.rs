//! Conversion of Rust arguments to C's types.

use std::borrow::Cow;
use std::ffi::{CStr, CString, OsStr, c_char, c_void};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use crate::convert::lifetime::NotKept;
use crate::convert::plain::Plain;
use crate::error::{Error, Result};
use crate::handle::{Keeper, Owned, PointerHandle, Resource, Transfer};
#[cfg(feature = "python")]
use crate::interpreter::new_exception;
use crate::uses::{self, Uses};

/// A Rust value that can be passed where C takes a `C`.
///
/// # Safety
///
/// What `into_c` returns is as valid for C as the value was for Rust, for as long as what the value borrows: a pointer
/// that C follows is null or points at what its type says. Generated code passes it to C unseen. `IS_HANDLE` is true
/// for a value that is or holds a handle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be passed where C takes `{C}`",
    label = "C takes `{C}` here",
    note = "change the parameter's type, or the order and the count of the arguments with `args = (…)`",
    note = "bytes and strings of known length are passed as `name.ptr, name.len`"
)]
pub unsafe trait IntoC<C> {
    /// True for a handle, also within an `Option`.
    #[doc(hidden)]
    const IS_HANDLE: bool = false;

    /// The value for C.
    fn into_c(self) -> C;

    /// Begins the use of a handle that a callback gives to C.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another use excludes this one.
    #[doc(hidden)]
    fn begin_giving(&self) -> Result<Option<Uses>> {
        Ok(None)
    }

    /// The value for C of a parameter whose type's name says that it is no handle.
    ///
    /// The name of an alias can hide a handle from the rules for borrows, however deep: such a program is not built.
    /// `Option` of an `Option` of a handle is one:
    ///
    /// ```compile_fail
    /// # mod ffi {
    /// #     pub struct h;
    /// #     pub unsafe extern "C" fn h_free(_: *mut h) {}
    /// #     pub unsafe extern "C" fn h_walk(_: *mut h) {}
    /// # }
    /// # use leakproof::prelude::*;
    /// #[handle(raw = ffi::h, release = ffi::h_free, fork_safe)]
    /// struct H;
    ///
    /// #[methods(unsafe, rust_only)]
    /// impl H {
    ///     #[calls(ffi::h_walk)]
    ///     fn walk(h: Option<Option<Option<&H>>>);
    /// }
    /// H::walk(None);
    /// ```
    #[doc(hidden)]
    #[inline]
    fn by_value(self) -> C
    where
        Self: Sized,
    {
        const {
            assert!(
                !Self::IS_HANDLE,
                "the name of a parameter's type hides a handle: write `&T`, `&mut T`, `Owned<T>`, or an `Option` of a reference"
            )
        };
        self.into_c()
    }
}

/// A type for the second implementation of every conversion: with only one, rustc unifies early and reports a bare
/// mismatch at a place of its choice.
#[doc(hidden)]
#[derive(Debug)]
pub enum Never {}

macro_rules! into_c {
    ($($from:ty => $($to:ty),+;)+) => {$($(
        // SAFETY: Rust: a number is nothing but its value.
        unsafe impl IntoC<$to> for $from {
            #[inline]
            fn into_c(self) -> $to {
                self.into()
            }
        }
    )+)+};
}

into_c! {
    i8 => i8, i16, i32, i64;
    u8 => u8, u16, u32, u64, i32;
    i16 => i16, i32, i64;
    u16 => u16, u32, u64, i32;
    i32 => i32, i64;
    u32 => u32, u64, i64;
    i64 => i64, i128;
    u64 => u64, u128;
    f32 => f32, f64;
    bool => bool, i32, u32, u8;
}

macro_rules! into_c_by {
    ($(($self:ident: $from:ty) => $($to:ty),+ = $value:expr;)+) => {$($(
        // SAFETY: Rust: a number, or the pointer of a reference, which is valid as long as the reference.
        unsafe impl IntoC<$to> for $from {
            #[inline]
            fn into_c($self) -> $to {
                $value as $to
            }
        }
    )+)+};
}

into_c_by! {
    (self: usize) => usize, u64 = self;
    (self: isize) => isize, i64 = self;
    (self: f64) => f64 = self;
    (self: &CStr) => *const i8, *const u8, *mut i8, *mut u8, *const c_void = self.as_ptr();
    (self: &FsPath) => *const i8, *const u8, *mut i8, *mut u8, *const c_void = self.0.as_ptr();
}

// SAFETY: Rust: `Never` has no values.
unsafe impl IntoC<Never> for f64 {
    fn into_c(self) -> Never {
        unreachable!("no C function takes `Never`")
    }
}

macro_rules! bytes_into_c {
    ($($to:ty)+) => {$(
        // SAFETY: Rust: the bytes are copied.
        unsafe impl<const N: usize> IntoC<[$to; N]> for [u8; N] {
            #[inline]
            fn into_c(self) -> [$to; N] {
                self.map(|byte| byte as $to)
            }
        }
    )+};
}

// C's `unsigned char[N]` and `char[N]`.
bytes_into_c! { u8 i8 }

// SAFETY: annotation `calls`: a `usize` for a `void *` is a number, which C does not follow.
unsafe impl IntoC<*mut c_void> for usize {
    #[inline]
    fn into_c(self) -> *mut c_void {
        ptr::without_provenance_mut(self)
    }
}

// SAFETY: guarantee 7: `Transfer` gives the handle to C for good.
unsafe impl<T: Resource + PointerHandle> IntoC<*mut T::Raw> for Owned<'_, T> {
    const IS_HANDLE: bool = true;

    fn into_c(self) -> *mut T::Raw {
        const {
            assert!(
                !T::SPEC.attachments,
                "nobody would know when C needs what this handle keeps no more: a handle with `attachments` cannot be \
                 given away"
            );
            assert!(
                T::SPEC.parent.is_none(),
                "a callback cannot give C a handle that lives in a parent: nobody would know how long C needs the parent"
            );
        }
        let handle = Transfer::new(self);
        let raw = handle.raw().as_ptr();
        drop(handle.commit(Keeper::Unknown));
        raw
    }

    fn begin_giving(&self) -> Result<Option<Uses>> {
        uses::begin([uses::transferring(self)])
    }
}

// SAFETY: trait `IntoC`: the pointer is null, or the one of `T`.
unsafe impl<P, T: IntoC<*const P>> IntoC<*const P> for Option<T> {
    const IS_HANDLE: bool = T::IS_HANDLE;

    #[inline]
    fn into_c(self) -> *const P {
        self.map_or(ptr::null(), T::into_c)
    }

    fn begin_giving(&self) -> Result<Option<Uses>> {
        self.as_ref().map_or(Ok(None), T::begin_giving)
    }
}

// SAFETY: trait `IntoC`: the pointer is null, or the one of `T`.
unsafe impl<P, T: IntoC<*mut P>> IntoC<*mut P> for Option<T> {
    const IS_HANDLE: bool = T::IS_HANDLE;

    #[inline]
    fn into_c(self) -> *mut P {
        self.map_or(ptr::null_mut(), T::into_c)
    }

    fn begin_giving(&self) -> Result<Option<Uses>> {
        self.as_ref().map_or(Ok(None), T::begin_giving)
    }
}

/// NULL, of whichever pointer type C takes: the value of a method that makes a field forget what it points to.
///
/// ```
/// use leakproof::Null;
/// use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// # #[handle(raw = ffi::store, release = ffi::store_close)]
/// # pub struct Store;
///
/// #[methods(unsafe, rust_only)]
/// impl Store {
///     #[field(first)]
///     fn set_first(&mut self, first: Null);
///
///     /// Forgets the entries.
///     fn forget(&mut self) {
///         self.set_first(Null);
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Null;

// SAFETY: Rust: `Null` holds no pointer but NULL, and nothing makes one of what C has.
unsafe impl Plain for Null {}

// SAFETY: Rust: null points at nothing.
unsafe impl<P> IntoC<*const P> for Null {
    fn into_c(self) -> *const P {
        ptr::null()
    }
}

// SAFETY: Rust: null points at nothing.
unsafe impl<P> IntoC<*mut P> for Null {
    fn into_c(self) -> *mut P {
        ptr::null_mut()
    }
}

// SAFETY: Rust: `None` is no function.
unsafe impl<F> IntoC<Option<F>> for Null {
    fn into_c(self) -> Option<F> {
        None
    }
}

/// An argument that C takes as a pointer and a length.
///
/// # Safety
///
/// As long as the value is borrowed, `count` bytes at `start` may be read, and written where C writes to them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no pointer and no length to pass",
    note = "`name.ptr` and `name.len` are for `&[u8]`, `&str`, `Buffer` and `Option` of these",
    note = "`OutBuffer` is for memory that C asks a callback to fill"
)]
pub unsafe trait Memory {
    /// Returns the pointer to the bytes; null for a missing argument. C may write to memory that is borrowed
    /// exclusively.
    fn start(&mut self) -> *const u8;
    /// Returns the number of bytes.
    fn count(&self) -> usize;
}

// SAFETY: Rust: a slice is so many bytes.
unsafe impl Memory for &[u8] {
    fn start(&mut self) -> *const u8 {
        self.as_ptr()
    }
    fn count(&self) -> usize {
        self.len()
    }
}

// SAFETY: Rust: an exclusive slice is so many bytes, which may be written to.
unsafe impl Memory for &mut [u8] {
    fn start(&mut self) -> *const u8 {
        self.as_mut_ptr()
    }
    fn count(&self) -> usize {
        self.len()
    }
}

// SAFETY: Rust: a string is so many bytes.
unsafe impl Memory for &str {
    fn start(&mut self) -> *const u8 {
        self.as_ptr()
    }
    fn count(&self) -> usize {
        self.len()
    }
}

// SAFETY: trait `Memory`: there are no bytes, or those of `T`.
unsafe impl<T: Memory> Memory for Option<T> {
    fn start(&mut self) -> *const u8 {
        self.as_mut().map_or(ptr::null(), T::start)
    }
    fn count(&self) -> usize {
        self.as_ref().map_or(0, T::count)
    }
}

/// The start of some bytes, as whichever pointer type C has for them.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Start(*const u8);

impl Start {
    /// The start of some memory.
    ///
    /// # Safety
    ///
    /// The memory is borrowed for as long as C looks at it.
    #[inline]
    pub const unsafe fn new(start: *const u8) -> Self {
        Start(start)
    }

    /// The start of nothing.
    #[inline]
    pub const fn null() -> Self {
        Start(ptr::null())
    }
}

into_c_by! {
    (self: Start) => *const i8, *const u8, *mut i8, *mut u8, *const c_void, *mut c_void = self.0;
}

/// The memory of any Python object that offers the buffer protocol, or of a Rust slice.
///
/// It is a pointer and a length, never a Rust slice: another thread may write to it. Python objects whose memory is
/// not contiguous are refused with a `BufferError` when the argument is converted.
pub struct Buffer<'a> {
    start: *const u8,
    count: usize,
    _export: Export<'a>,
}

impl Buffer<'_> {
    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether the buffer is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns at most `count` bytes of the buffer, from index `start` on.
    ///
    /// # Panics
    ///
    /// If the buffer has fewer than `start` bytes.
    pub fn part(&self, start: usize, count: usize) -> Buffer<'_> {
        assert!(start <= self.count, "{start} is behind the buffer's end");
        Buffer {
            start: self.start.wrapping_add(start),
            count: count.min(self.count - start),
            _export: Export::Slice(std::marker::PhantomData),
        }
    }
}

enum Export<'a> {
    Slice(std::marker::PhantomData<&'a [u8]>),
    #[cfg(feature = "python")]
    #[expect(dead_code, reason = "dropping it ends the export")]
    Python(pyo3::buffer::PyBuffer<u8>),
}

impl<'a> From<&'a [u8]> for Buffer<'a> {
    fn from(slice: &'a [u8]) -> Self {
        Buffer {
            start: slice.as_ptr(),
            count: slice.len(),
            _export: Export::Slice(std::marker::PhantomData),
        }
    }
}

#[cfg(feature = "python")]
impl TryFrom<pyo3::buffer::PyBuffer<u8>> for Buffer<'_> {
    type Error = pyo3::PyErr;

    /// Fails with a `BufferError` if the bytes do not lie one after the other, as those of `memoryview(b"abc")[::-1]`.
    fn try_from(buffer: pyo3::buffer::PyBuffer<u8>) -> pyo3::PyResult<Self> {
        if !buffer.is_c_contiguous() {
            let message = "a contiguous buffer is needed: pass a copy, such as bytes(buffer)";
            return Err(pyo3::Python::attach(|py| {
                new_exception::<pyo3::exceptions::PyBufferError>(py, message)
            }));
        }
        Ok(Buffer {
            start: buffer.buf_ptr().cast(),
            count: buffer.len_bytes(),
            _export: Export::Python(buffer),
        })
    }
}

// SAFETY: Rust: a slice is borrowed as long as the buffer. PyO3: `PyBuffer` keeps the memory where it is until it is
// dropped, and `try_from` refused what is not contiguous.
unsafe impl Memory for Buffer<'_> {
    fn start(&mut self) -> *const u8 {
        self.start
    }
    fn count(&self) -> usize {
        self.count
    }
}

// SAFETY: Rust: memory holds no handle.
unsafe impl NotKept for Buffer<'_> {}

impl fmt::Debug for Buffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.count)
    }
}

/// A function pointer that is none: some C libraries take a number where a function could stand, as SQLite does for
/// `SQLITE_TRANSIENT`, -1. C compares it and never calls it. For `args = (…, sentinel(-1))`.
///
/// # Panics
///
/// For 0, which is NULL: write `null`.
pub fn sentinel(value: isize) -> Option<unsafe extern "C" fn(*mut c_void)> {
    assert!(value != 0, "write `null` for 0");
    let pointer: *const () = ptr::without_provenance(value.cast_unsigned());
    // SAFETY: Rust: a function pointer has the size of a pointer and is not null, as was asserted. Nobody calls this
    // one.
    unsafe { std::mem::transmute(pointer) }
}

/// A path of the file system, as C takes it. From Python: `str`, `bytes` or `os.PathLike`, by `os.fsencode`.
#[derive(PartialEq, Eq)]
#[repr(transparent)]
pub struct FsPath(CStr);

impl FsPath {
    /// The path that these bytes name.
    pub fn new(path: &CStr) -> &FsPath {
        // SAFETY: Rust: `FsPath` is a transparent wrapper of `CStr`.
        unsafe { &*(ptr::from_ref(path) as *const FsPath) }
    }

    /// The path for Rust's own functions.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.0.to_bytes()))
    }

    /// The path as a C string.
    pub fn as_c_str(&self) -> &CStr {
        &self.0
    }
}

impl fmt::Debug for FsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_path().fmt(f)
    }
}

// SAFETY: Rust: text holds no handle.
unsafe impl NotKept for &FsPath {}

/// Returns `text` with a NUL at its end.
///
/// # Errors
///
/// [`Error::Value`] if there is a NUL inside, where C would stop reading.
pub fn c_string<'a>(name: &'static str, text: impl Into<Cow<'a, str>>) -> Result<CString> {
    let text = text.into();
    crate::fallible_copy::c_string(text.as_bytes()).ok_or_else(|| {
        let position = text.bytes().position(|byte| byte == 0).unwrap_or_default();
        Error::Value(format!("{name} holds a NUL character at byte {position}"))
    })
}

/// A `&str` parameter, or an optional one, on its way to a C string.
#[doc(hidden)]
pub trait IntoCString: text::Sealed {
    /// Returns a copy of the text as a C string, for the length of the call; `None` for a missing argument.
    fn into_c_string(self, name: &'static str) -> Result<Option<CallString>>;
}

/// The number of bytes of text that needs no allocation, with the NUL.
const SHORT: usize = 64;

/// A C string that lives as long as a call. Short text is copied to the stack.
#[doc(hidden)]
#[derive(Debug)]
pub enum CallString {
    /// The text with a NUL behind it, and its length.
    Short([u8; SHORT], usize),
    /// Any other text.
    Long(CString),
}

impl CallString {
    #[inline]
    fn of(name: &'static str, text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < SHORT && !bytes.contains(&0) {
            let mut copy = [0; SHORT];
            copy[..bytes.len()].copy_from_slice(bytes);
            return Ok(CallString::Short(copy, bytes.len()));
        }
        c_string(name, text).map(CallString::Long)
    }
}

impl std::ops::Deref for CallString {
    type Target = CStr;

    #[inline]
    fn deref(&self) -> &CStr {
        match self {
            CallString::Short(copy, length) => {
                CStr::from_bytes_with_nul(&copy[..=*length]).unwrap_or_default()
            }
            CallString::Long(text) => text,
        }
    }
}

mod text {
    /// The bound of [`IntoCString`](super::IntoCString): C gets NULL only for what is written `Option<&str>`.
    pub trait Sealed {}

    impl Sealed for &str {}
    impl Sealed for Option<&str> {}
}

impl IntoCString for &str {
    #[inline]
    fn into_c_string(self, name: &'static str) -> Result<Option<CallString>> {
        CallString::of(name, self).map(Some)
    }
}

impl IntoCString for Option<&str> {
    #[inline]
    fn into_c_string(self, name: &'static str) -> Result<Option<CallString>> {
        self.map(|text| CallString::of(name, text)).transpose()
    }
}

const _: () = assert!(size_of::<c_char>() == 1);

/// Returns the value that a field of C's struct gets. A value of this type has no `Drop`, so none runs of the field's
/// former value.
#[doc(hidden)]
#[inline(always)]
pub const fn set_field<V: Copy>(value: V) -> V {
    value
}
