//! Handles that are numbers, such as file descriptors.

use std::ptr;

use crate::handle::traits::Handle;

/// A handle that is a number, such as a file descriptor: `#[handle(integer = …)]`.
///
/// The number is stored in place of the pointer, as its distance from [`IntegerHandle::INVALID`], so that the invalid
/// number is null.
///
/// # Safety
///
/// Nothing, C included, follows a handle of this type as a pointer.
pub unsafe trait IntegerHandle: Handle<Raw = ()> {
    /// The type of the number.
    type Number: Number;
    /// The number that stands for no handle.
    const INVALID: Self::Number;

    /// Returns the number.
    fn number(&self) -> Self::Number {
        raw_to_number::<Self>(self.as_raw())
    }
}

/// An integer type of which -1 is no handle, unless `invalid` names another number.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the `{Self}` that stands for no handle is not known",
    label = "this type has no -1",
    note = "add `invalid = …`, a number that C gives to no handle, such as `invalid = 0` or `invalid = {Self}::MAX`"
)]
pub trait InvalidByDefault {
    /// The number.
    const INVALID: Self;
}

macro_rules! invalid_by_default {
    ($($type:ty)+) => {$(
        impl InvalidByDefault for $type {
            const INVALID: Self = -1;
        }
    )+};
}

invalid_by_default! { i8 i16 i32 i64 isize }

/// A C integer that a handle can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number that a handle can be",
    label = "not an integer",
    note = "`integer = …` is for handles such as file descriptors; what is behind a pointer has `raw = …`"
)]
pub trait Number: sealed::Number + Copy + 'static {
    #[doc(hidden)]
    fn widen(self) -> u64;
    #[doc(hidden)]
    fn narrow(wide: u64) -> Self;
}

/// The bound of [`Number`], which no other crate implements.
mod sealed {
    pub trait Number {}
}

macro_rules! number {
    ($($type:ty)+) => {$(
        impl sealed::Number for $type {}

        impl Number for $type {
            #[allow(clippy::cast_sign_loss, clippy::cast_lossless, reason = "taken back by `narrow`")]
            fn widen(self) -> u64 {
                self as u64
            }

            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it came from `widen`")]
            fn narrow(wide: u64) -> Self {
                wide as $type
            }
        }
    )+};
}

number! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

#[doc(hidden)]
#[inline]
pub fn number_to_raw<T: IntegerHandle>(number: T::Number) -> *mut () {
    let distance = number.widen().wrapping_sub(T::INVALID.widen());
    ptr::without_provenance_mut(distance as usize)
}

#[doc(hidden)]
#[inline]
pub fn raw_to_number<T: IntegerHandle>(raw: *mut ()) -> T::Number {
    T::Number::narrow((raw.addr() as u64).wrapping_add(T::INVALID.widen()))
}
