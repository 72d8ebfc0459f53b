//! Values that are nothing but their bits.

use std::mem::MaybeUninit;

/// A value that is nothing but its bits: a number, a `bool`, what `#[int_enum]`, `#[int_flag]` and `#[record]` make.
///
/// # Safety
///
/// The type holds no pointer, owns nothing and borrows nothing, and `FromC` makes it of any value of C's type.
#[diagnostic::on_unimplemented(
    message = "a struct of C cannot keep a `{Self}`",
    label = "not a plain value",
    note = "the fields of a record, and what a method writes to a field, are numbers, `bool`, `[u8; N]`, enums, flags and records; what \
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

// SAFETY: Rust: bytes hold no pointer.
unsafe impl<const N: usize> Plain for [u8; N] {}

/// A C struct of which a partial record has the listed fields alone. All other bytes are zeros, which need not be
/// values: no code of the author's, not even `Default`, runs where C's struct is copied, and nothing refers to the
/// whole struct.
#[doc(hidden)]
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Partial<T: Copy>(MaybeUninit<T>);

impl<T: Copy> Partial<T> {
    /// Stores zeros.
    ///
    /// # Safety
    ///
    /// Only fields are read that were written, with values that are plain.
    #[inline]
    pub const unsafe fn zeroed() -> Self {
        Partial(MaybeUninit::zeroed())
    }

    /// Returns the pointer to the struct.
    #[inline]
    pub const fn as_ptr(&self) -> *const T {
        self.0.as_ptr()
    }

    /// Returns the pointer to the struct, whose listed fields are written.
    #[inline]
    pub const fn as_mut_ptr(&mut self) -> *mut T {
        self.0.as_mut_ptr()
    }
}

// SAFETY: guarantee 15: nothing but plain values is read of the struct, so no pointer in it gets to another thread.
unsafe impl<T: Copy> Send for Partial<T> {}
// SAFETY: guarantee 15: nothing but plain values is read of the struct.
unsafe impl<T: Copy> Sync for Partial<T> {}
