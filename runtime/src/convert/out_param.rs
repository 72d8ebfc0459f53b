//! Out-parameters: values that C writes through a pointer that it is passed.
//!
//! An [`OutParam`] starts as zeros, so that memory that C does not write to reads as NULL or 0. Two closures share the
//! [`OutParam`]: one calls C, the other gives the written value to its owner.

use std::cell::{Cell, UnsafeCell};
use std::ffi::{CString, c_char};
use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit, forget, needs_drop};
use std::ptr::NonNull;

use crate::convert::copy::{CopyOfC, Undecoded};
use crate::convert::from_c::FromC;
use crate::convert::lifetime::{Life, Limits};
use crate::convert::memory::{Bytes, Start};
use crate::convert::plain::Plain;
use crate::convert::pointer::{ByteSlice, ConstPointer, Constant};
use crate::handle::{Borrowed, Handle, Owned, Resource};
use crate::outcome::Outcome;

/// A Rust type that can be made from what C wrote to where a `P` was expected.
///
/// # Safety
///
/// As for [`FromC`]: what is owned goes into its owner first, and what is borrowed is borrowed for no longer than `'o`.
#[diagnostic::on_unimplemented(
    message = "what C writes to `out` is a `{P}`, which cannot be returned as `{Self}`",
    label = "C writes a `{P}`",
    note = "where C's parameter is a `void *`, write what it points to, such as `out as *mut c_int`"
)]
pub unsafe trait FromOut<'o, P>: Sized {
    /// The memory that C writes to.
    type Storage: Storage<P>;

    /// Returns the value; `None` if C wrote NULL where a value is required.
    ///
    /// # Safety
    ///
    /// C wrote what the annotation says, or nothing.
    unsafe fn from_out(storage: Self::Storage) -> Option<Self>;
}

/// Returns whether C wrote the start of some memory to the out-parameter at `place`.
///
/// # Safety
///
/// `place` is that of an out-parameter, and C has written to it what the annotation says, or nothing.
#[doc(hidden)]
pub unsafe fn has_memory<P: Start + Copy>(place: *mut P) -> bool {
    // SAFETY: the caller's promise; zeros are a null pointer.
    !unsafe { place.read() }.start().is_null()
}

/// Memory for one `P`, zeroed at first.
///
/// # Safety
///
/// C may write a `P` at `pointer` until the value is moved or dropped.
pub unsafe trait Storage<P> {
    /// Returns zeroed memory.
    fn zeroed() -> Self;
    /// Returns the pointer that C writes through.
    fn pointer(&mut self) -> *mut P;
}

/// Memory on the stack.
#[derive(Debug)]
pub struct Inline<P>(MaybeUninit<P>);

// SAFETY: Rust: the value is the memory itself.
unsafe impl<P> Storage<P> for Inline<P> {
    #[inline]
    fn zeroed() -> Self {
        Inline(MaybeUninit::zeroed())
    }

    #[inline]
    fn pointer(&mut self) -> *mut P {
        self.0.as_mut_ptr()
    }
}

impl<P> Inline<P> {
    /// Returns the value that C wrote.
    ///
    /// # Safety
    ///
    /// Zeros are a valid `P`, or C wrote one.
    #[inline]
    pub unsafe fn value(self) -> P {
        // SAFETY: the caller's promise.
        unsafe { self.0.assume_init() }
    }
}

/// Memory at a fixed address, for handles that C makes in place. C may keep pointers into the memory, so this is a raw
/// pointer and not a `Box`, which would have to be the only pointer to it.
#[derive(Debug)]
pub struct Boxed<P>(NonNull<MaybeUninit<P>>);

// SAFETY: Rust: the box is the memory, and stays where it is.
unsafe impl<P> Storage<P> for Boxed<P> {
    fn zeroed() -> Self {
        let memory = Box::into_raw(Box::new(MaybeUninit::zeroed()));
        // SAFETY: Rust: a box is not null.
        Boxed(unsafe { NonNull::new_unchecked(memory) })
    }

    fn pointer(&mut self) -> *mut P {
        self.0.as_ptr().cast()
    }
}

impl<P> Boxed<P> {
    /// Returns the memory, which the caller now frees by [`Box::from_raw`].
    pub fn into_raw(self) -> *mut P {
        ManuallyDrop::new(self).0.as_ptr().cast()
    }
}

impl<P> Drop for Boxed<P> {
    fn drop(&mut self) {
        // SAFETY: Rust: the memory came from the box that `zeroed` made, and no handle is in it: `into_raw` would
        // have taken it.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// Text that C writes to memory of the caller, which has room for `N` bytes with the NUL: `char message[N]`.
#[derive(Clone, Copy)]
pub struct TextBuffer<const N: usize>([u8; N]);

impl<const N: usize> TextBuffer<N> {
    /// Returns the text up to the first NUL. Bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        let bytes = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }
}

impl<const N: usize> fmt::Debug for TextBuffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TextBuffer").field(&self.text()).finish()
    }
}

// SAFETY: Rust: the array is the memory, and `N` bytes of it are text of C with its NUL.
unsafe impl<const N: usize> Storage<c_char> for TextBuffer<N> {
    fn zeroed() -> Self {
        TextBuffer([0; N])
    }

    fn pointer(&mut self) -> *mut c_char {
        self.0.as_mut_ptr().cast()
    }
}

// SAFETY: Rust: nothing is owned or borrowed.
unsafe impl<const N: usize> FromOut<'_, c_char> for TextBuffer<N> {
    type Storage = Self;

    unsafe fn from_out(storage: Self) -> Option<Self> {
        Some(storage)
    }
}

/// The memory of one out-parameter during a call.
#[derive(Debug)]
pub struct OutParam<R, P, S> {
    storage: UnsafeCell<Option<S>>,
    own: unsafe fn(S) -> Option<R>,
    /// Set if it is unknown what C wrote.
    lost: Cell<bool>,
    written: PhantomData<P>,
}

/// Returns memory for a value that becomes an `R`. All bounds on the types stand here, so that the compiler reports a
/// mistake once.
#[inline]
pub fn out_param<'o, R: FromOut<'o, P>, P>(life: Life<'o>) -> OutParam<R, P, R::Storage> {
    let _ = life;
    OutParam {
        storage: UnsafeCell::new(Some(R::Storage::zeroed())),
        own: R::from_out,
        lost: Cell::new(false),
        written: PhantomData,
    }
}

/// Returns memory for bytes that are copied and stay C's: the pointer of C's struct is `const`.
#[inline]
pub fn slice_out_param<'o, R: FromOut<'o, P>, P: ByteSlice<Pointer: ConstPointer>>(
    life: Life<'o>,
) -> OutParam<R, P, R::Storage> {
    out_param(life)
}

/// Returns memory for text that is copied and stays C's: C's pointer to the text is `const`.
#[inline]
pub fn constant_out_param<'o, R: FromOut<'o, P>, P: Constant>(
    life: Life<'o>,
) -> OutParam<R, P, R::Storage> {
    out_param(life)
}

/// Returns memory for what explains a failure. It is told after the call, to errors that may keep it: so it neither
/// lives in a handle nor borrows from one, and is `'static`.
#[inline]
pub fn details<'o, R: FromOut<'o, P> + 'static, P>(life: Life<'o>) -> OutParam<R, P, R::Storage> {
    out_param(life)
}

/// Returns memory for text that explains a failure and stays C's: C's pointer to the text is `const`.
#[inline]
pub fn constant_details<'o, R: FromOut<'o, P>, P: ConstantDetails>(
    life: Life<'o>,
) -> OutParam<R, P, R::Storage> {
    out_param(life)
}

/// A pointer to text that explains a failure and stays C's, by C's own type.
#[diagnostic::on_unimplemented(
    message = "C writes `{Self}`, which is not `const`, and nothing says who frees it",
    label = "nothing says who frees this text",
    note = "if the caller frees it, write `details(String, free = ffi::the_function)`"
)]
pub trait ConstantDetails {}

impl<T> ConstantDetails for *const T {}

/// A value that C may write again, when it is called with more memory: the last one counts, and no other has to be
/// released.
#[diagnostic::on_unimplemented(
    message = "C may be called again with more memory, and writes another `{Self}` then",
    label = "not a plain value",
    note = "beside `buffer`, C writes numbers, `bool`, enums, flags and records, and explains a failure also in a `TextBuffer`"
)]
pub trait WrittenAgain {}

#[diagnostic::do_not_recommend]
impl<T: Plain> WrittenAgain for T {}

impl<const N: usize> WrittenAgain for TextBuffer<N> {}

/// Returns memory for a value that each call of C with more memory writes anew.
#[inline]
pub fn repeated_out_param<'o, R: FromOut<'o, P> + WrittenAgain, P>(
    life: Life<'o>,
) -> OutParam<R, P, R::Storage> {
    out_param(life)
}

/// Returns memory for what explains a failure, and what each call of C with more memory writes anew.
#[inline]
pub fn repeated_details<'o, R: FromOut<'o, P> + WrittenAgain + 'static, P>(
    life: Life<'o>,
) -> OutParam<R, P, R::Storage> {
    out_param(life)
}

/// Returns memory for a value that is read later, such as the start of some memory or its length.
#[inline]
pub fn raw<P>() -> OutParam<P, P, Inline<P>> {
    unsafe fn value<P>(storage: Inline<P>) -> Option<P> {
        // SAFETY: the caller's promise; it is a pointer or a number, of which zeros are one.
        Some(unsafe { storage.value() })
    }
    OutParam {
        storage: UnsafeCell::new(Some(Inline::zeroed())),
        own: value,
        lost: Cell::new(false),
        written: PhantomData,
    }
}

impl<R, P, S> OutParam<R, P, S> {
    /// Notes how the call ended. Memory in which C may have made a handle that is never taken is not freed.
    #[inline]
    pub fn record_outcome(&self, outcome: Outcome) {
        if needs_drop::<S>() && !outcome.is_known() {
            self.lost.set(true);
        }
    }
}

impl<R, P, S: Storage<P>> OutParam<R, P, S> {
    /// Forgets what an earlier call of C has written.
    #[inline]
    pub fn clear(&self) {
        // SAFETY: Rust: the slot is a variable of one call on one thread, this reference ends at once, and C, which had
        // the pointer, has returned.
        let storage = unsafe { &mut *self.storage.get() };
        *storage = Some(S::zeroed());
    }
}

impl<R, P> OutParam<R, P, Inline<P>> {
    /// Stores what C has written elsewhere.
    #[inline]
    pub fn set(&self, value: P) {
        // SAFETY: Rust: the slot is a variable of one call on one thread, and this reference ends at once.
        let storage = unsafe { &mut *self.storage.get() };
        *storage = Some(Inline(MaybeUninit::new(value)));
    }
}

impl<R, P, S> Drop for OutParam<R, P, S> {
    #[inline]
    fn drop(&mut self) {
        if self.lost.get() {
            forget(self.storage.get_mut().take());
        }
    }
}

impl<R, P, S: Storage<P>> OutParam<R, P, S> {
    /// Returns the pointer that C gets. Called before [`OutParam::take`].
    #[inline]
    pub fn pointer(&self) -> *mut P {
        // SAFETY: Rust: the slot is a variable of one call on one thread, and this reference ends at once.
        let storage = unsafe { &mut *self.storage.get() };
        match storage {
            Some(storage) => storage.pointer(),
            None => unreachable!("C is called before its results are taken"),
        }
    }

    /// Takes the value that C wrote.
    ///
    /// # Safety
    ///
    /// As for [`FromOut::from_out`]; C has returned.
    #[inline]
    pub unsafe fn take(&self) -> Option<R> {
        // SAFETY: Rust: the slot is a variable of one call on one thread, and C, which had the pointer, has returned.
        let storage = unsafe { &mut *self.storage.get() }.take()?;
        // SAFETY: the caller's promise.
        unsafe { (self.own)(storage) }
    }
}

/// A type that is returned by value: every type but owned handles.
///
/// # Safety
///
/// Zeros are a value of every C type that `FromC` makes it from.
pub unsafe trait ByValue {}

// SAFETY: trait `FromC`: what is owned goes into its owner first.
#[diagnostic::do_not_recommend]
unsafe impl<'o, P, R: FromC<'o, P> + ByValue> FromOut<'o, P> for R {
    type Storage = Inline<P>;

    #[inline]
    unsafe fn from_out(storage: Inline<P>) -> Option<Self> {
        // SAFETY: the caller's promise; what can be made from C is an integer, a float, a pointer or a struct of those.
        unsafe { R::from_c(storage.value()) }
    }
}

macro_rules! by_value {
    ($($type:ty)+) => {$(
        // SAFETY: Rust: the type is made from a number or a pointer, of which 0 and NULL are values.
        unsafe impl ByValue for $type {}
    )+};
}

// SAFETY: Rust: the type is made from a pointer with its length, all of which may be 0.
unsafe impl ByValue for &[u8] {}

by_value! { i8 u8 i16 u16 i32 u32 i64 u64 i128 u128 isize usize f32 f64 bool CString Bytes }

// SAFETY: Rust: the copy is made from a pointer, perhaps with a length, all of which may be 0.
unsafe impl<T: CopyOfC> ByValue for Undecoded<T> {}

// SAFETY: Rust: the type is made from a pointer or a number, of which NULL and 0 are values.
unsafe impl<T: Handle> ByValue for Borrowed<'_, T> {}
// SAFETY: trait `ByValue`: zeros are a value of whatever `T` is made from.
unsafe impl<T: ByValue> ByValue for Option<T> {}

/// A handle that C makes through a pointer to a `P`. Implemented by `#[handle]`.
///
/// # Safety
///
/// `made` gives a pointer that [`Owned::from_raw`] accepts, if C made a handle.
#[diagnostic::on_unimplemented(
    message = "what C writes to `out` is a `{P}`, which is not where a `{Self}` is made",
    label = "C writes a `{P}`"
)]
pub unsafe trait FromOutPtr<P>: Resource {
    /// The memory that C writes to.
    type Storage: Storage<P>;

    /// Returns the pointer to the handle; null if there is none.
    ///
    /// # Safety
    ///
    /// C wrote a handle, or nothing.
    unsafe fn from_out_ptr(storage: Self::Storage) -> *mut Self::Raw;
}

// SAFETY: guarantee 1: `from_raw` owns at once; guarantee 14: `Limits` says for how long.
unsafe impl<'o, 'p, P, T: FromOutPtr<P>> FromOut<'o, P> for Owned<'p, T>
where
    T::Parent: Limits<'o, 'p>,
{
    type Storage = <T as FromOutPtr<P>>::Storage;

    #[inline]
    unsafe fn from_out(storage: Self::Storage) -> Option<Self> {
        // SAFETY: the caller's promise, and that of `FromOutPtr`.
        unsafe { Owned::from_raw(T::from_out_ptr(storage)) }
    }
}

// SAFETY: guarantee 1: `from_raw` owns at once; guarantee 14: `Limits` says for how long.
unsafe impl<'o, 'p, P, T: FromOutPtr<P>> FromOut<'o, P> for Option<Owned<'p, T>>
where
    T::Parent: Limits<'o, 'p>,
{
    type Storage = <T as FromOutPtr<P>>::Storage;

    #[inline]
    unsafe fn from_out(storage: Self::Storage) -> Option<Self> {
        // SAFETY: the caller's promise: C wrote what the annotation says, or nothing.
        Some(unsafe { Owned::from_out(storage) })
    }
}
