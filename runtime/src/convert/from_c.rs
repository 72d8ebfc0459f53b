//! Conversion of C's results to Rust values: owners at once, strings by copy.

use std::ffi::{CStr, CString, c_char, c_void};

use crate::convert::lifetime::{Life, Limits};
use crate::error::{Error, Result};
use crate::failpoint::{CallSite, FailPoint};
use crate::fallible_copy;
use crate::handle::{Borrowed, Handle, Owned, PointerHandle, Resource};

/// A Rust type that a C function's result, or a field of a C struct, can become.
///
/// # Safety
///
/// `from_c` takes ownership of everything in `C` that the type owns, before it does anything that can fail. What the value
/// borrows it borrows for no longer than `'o`.
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
        // SAFETY: the caller's promise: the pointer is null, or a handle that was just acquired, as `from_raw` asks for.
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

/// A value that is nothing but its bits: a number, a `bool`, what `#[int_enum]`, `#[int_flag]` and `#[record]` make.
///
/// # Safety
///
/// The type holds no pointer, owns nothing and borrows nothing, and `FromC` makes it of any value of C's type.
#[diagnostic::on_unimplemented(
    message = "a struct of C cannot keep a `{Self}`",
    label = "not a plain value",
    note = "the fields of a record, and what a method writes to a field, are numbers, `bool`, enums, flags and records; what \
            C is to keep is passed to a function of C"
)]
pub unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($type:ty)+) => {$(
        // SAFETY: Rust: a number or a truth value holds no pointer.
        unsafe impl Plain for $type {}
    )+};
}

plain! { i8 u8 i16 u16 i32 u32 i64 u64 i128 u128 isize usize f32 f64 bool }

/// A value that C may keep in a field: it borrows nothing.
#[doc(hidden)]
#[inline]
pub fn written<T: Plain>(value: T) -> T {
    value
}

/// A field of a record.
#[doc(hidden)]
#[inline]
pub fn plain<T: Plain + FromC<'static, C>, C>(field: C) -> T {
    // SAFETY: guarantee 15: what is plain is made of any value of C's type.
    crate::call::expect_some(unsafe { T::from_c(field) })
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

/// The C string at `start`, unless that is null.
///
/// # Safety
///
/// `start` is null, or points at a string that ends with NUL and is valid for `'a`.
unsafe fn c_str<'a>(start: *const c_char) -> Option<&'a CStr> {
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
pub struct Text(Vec<u8>);

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

/// A pointer to memory that may be copied and is not freed by the caller, by C's own type.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C gives `{Self}`, which is not `const`, and nothing says who frees it",
    label = "nothing says who frees this memory",
    note = "if the caller frees it, add `free = ffi::the_function`; if it stays C's, add `borrowed`"
)]
pub trait Constant {}

impl<T> Constant for *const T {}

/// The pointer to memory that stays C's.
#[doc(hidden)]
#[inline]
pub fn constant<C: Constant>(c: C) -> C {
    c
}

/// A pointer to memory that the caller may free, by C's own type.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C gives `{Self}`, which is `const`, so the memory is not the caller's to free",
    label = "`free` says that the caller frees this memory",
    note = "remove `free`; or add `owned`, if C's manual says that the caller frees it all the same"
)]
pub trait Freeable {
    /// The type of the memory.
    type Target;
    /// The pointer.
    fn pointer(self) -> *mut Self::Target;
}

impl<T> Freeable for *mut T {
    type Target = T;
    #[inline]
    fn pointer(self) -> *mut T {
        self
    }
}

/// The pointer to memory that the caller frees.
#[doc(hidden)]
#[inline]
pub fn freeable<C: Freeable>(c: C) -> *mut C::Target {
    c.pointer()
}

/// A pointer or number that the caller may own, by C's own type.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C returns `{Self}`, which is `const`, so the handle is not the caller's to release",
    label = "`Owned` says that the caller releases this handle",
    note = "return `Borrowed<…>` if the handle stays C's; or add `owned`, if C's manual says that the caller releases it all \
            the same"
)]
pub trait Transferred {}

impl<T> Transferred for *mut T {}

/// A pointer that C returns as `const`, and that is the caller's all the same.
#[doc(hidden)]
#[inline]
pub fn transferred<T>(c: *const T) -> *mut T {
    c.cast_mut()
}

/// A C string that is ours to free, from the moment C returned it.
#[doc(hidden)]
pub struct Freed<P, F: FnOnce(*mut c_void)> {
    pointer: *mut P,
    free: Option<F>,
}

impl<P, F: FnOnce(*mut c_void)> Freed<P, F> {
    /// Returns the owner of `pointer`, which `free` accepts unless it is null.
    #[inline]
    pub fn new(pointer: *mut P, free: F) -> Self {
        Freed {
            pointer,
            free: Some(free),
        }
    }

    /// Returns the pointer to the string.
    #[inline]
    pub fn start(&self) -> *const P {
        self.pointer
    }
}

/// Memory that C only lends.
#[doc(hidden)]
#[derive(Debug)]
pub struct Lent<P>(pub *const P);

impl<P> Lent<P> {
    /// Returns the pointer to the memory.
    #[inline]
    pub fn start(&self) -> *const P {
        self.0
    }
}

impl<P, F: FnOnce(*mut c_void)> Drop for Freed<P, F> {
    fn drop(&mut self) {
        if let (Some(free), false) = (self.free.take(), self.pointer.is_null()) {
            free(self.pointer.cast());
        }
    }
}

/// Bytes that were copied from C: in Python `bytes`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Vec<u8>);

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
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

        impl FromMemory<'_, $type> for Text {
            unsafe fn from_memory(start: *const $type, count: usize) -> Option<Self> {
                // SAFETY: the caller's promise.
                unsafe { slice(start.cast(), count) }.map(|bytes| Text(fallible_copy::bytes(bytes)))
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
/// `count` is not more than the number says.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`len` counts the elements, and the field is `{Self}`",
    label = "not an integer"
)]
pub unsafe trait Count {
    /// Returns the number of elements; 0 for a negative number.
    fn count(self) -> usize;
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
