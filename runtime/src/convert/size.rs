//! Lengths that an annotation computes: `len = width * height`. No step overflows unseen.

use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Shl, Shr, Sub};
use std::panic::resume_unwind;

use crate::convert::memory::Count;
use crate::error::{Error, Result};
use crate::uses::{AuthorCode, granted};

/// A number in the expression of a length; `None` after a step that overflowed, or divided by 0.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Size(Option<i128>);

/// An integer in the expression of a length.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`len` is computed of integers, and this is `{Self}`",
    label = "not an integer"
)]
pub trait Integer: Sized {
    /// Returns the number, if it fits.
    fn number(self) -> Option<i128>;
    /// Returns whether the number is a value of the type.
    fn is_value(number: i128) -> bool;
}

macro_rules! integers {
    ($($type:ty)+) => {$(
        impl Integer for $type {
            #[inline]
            fn number(self) -> Option<i128> {
                self.try_into().ok()
            }

            #[inline]
            fn is_value(number: i128) -> bool {
                Self::try_from(number).is_ok()
            }
        }
    )+};
}

integers! { i8 u8 i16 u16 i32 u32 i64 u64 i128 u128 isize usize }

impl Size {
    /// Returns the number of an integer.
    #[inline]
    pub fn of(integer: impl Integer) -> Self {
        Size(integer.number())
    }

    /// Returns the number, which a cast makes an `I`: `(a * b) as I`. A number that is no value of that type has
    /// overflowed.
    #[inline]
    pub fn as_value_of<I: Integer>(self) -> Self {
        Size(self.0.filter(|number| I::is_value(*number)))
    }
}

/// Returns the length that an expression of the author computes.
#[doc(hidden)]
#[inline(always)]
pub fn computed(expression: impl FnOnce() -> Size) -> Size {
    let _code = AuthorCode::begin();
    expression()
}

macro_rules! operators {
    ($($operator:ident $method:ident $checked:ident)+) => {$(
        impl $operator for Size {
            type Output = Size;

            #[inline]
            fn $method(self, other: Size) -> Size {
                let result = || self.0?.$checked(other.0?);
                Size(result())
            }
        }
    )+};
}

operators! {
    Add add checked_add
    Sub sub checked_sub
    Mul mul checked_mul
    Div div checked_div
    Rem rem checked_rem
}

macro_rules! bit_operators {
    ($($operator:ident $method:ident)+) => {$(
        impl $operator for Size {
            type Output = Size;

            #[inline]
            fn $method(self, other: Size) -> Size {
                Size(self.0.zip(other.0).map(|(left, right)| left.$method(right)))
            }
        }
    )+};
}

// A negative number has infinitely many bits that are set, as in Python.
bit_operators! {
    BitAnd bitand
    BitOr bitor
    BitXor bitxor
}

impl Shl for Size {
    type Output = Size;

    #[inline]
    fn shl(self, by: Size) -> Size {
        let result = || {
            let factor = 1i128.checked_shl(by.bits()?)?;
            self.0?.checked_mul(factor).filter(|_| factor > 0)
        };
        Size(result())
    }
}

impl Shr for Size {
    type Output = Size;

    #[inline]
    fn shr(self, by: Size) -> Size {
        let result = || self.0?.checked_shr(by.bits()?);
        Size(result())
    }
}

impl Size {
    /// Returns the number of bits of a shift.
    #[inline]
    fn bits(self) -> Option<u32> {
        self.0?.try_into().ok()
    }
}

impl Neg for Size {
    type Output = Size;

    #[inline]
    fn neg(self) -> Size {
        Size(self.0.and_then(i128::checked_neg))
    }
}

impl Not for Size {
    type Output = Size;

    #[inline]
    fn not(self) -> Size {
        Size(self.0.map(Not::not))
    }
}

// SAFETY: Rust: it is the number itself, which has not overflowed.
unsafe impl Count for Size {
    #[inline]
    fn count(self) -> usize {
        self.try_count().unwrap_or(0)
    }

    #[inline]
    fn try_count(self) -> Option<usize> {
        usize::try_from(self.0?).ok()
    }

    #[inline]
    fn of_count(count: usize) -> Option<Self> {
        Some(Size::of(count))
    }
}

/// Returns the length. No memory has more elements than `isize` can say.
///
/// # Errors
///
/// [`Error::Overflow`] for a negative number, or for more elements than that.
#[doc(hidden)]
pub fn measure(size: Size, place: &'static str) -> Result<usize> {
    let length = size.try_count();
    let length = length.filter(|length| isize::try_from(*length).is_ok());
    length.ok_or_else(|| {
        Error::Overflow(format!(
            "the length that `len` computes for {place} is negative, or more than any memory has"
        ))
    })
}

/// Returns the length, in a call that can fail: the panic carries the error, which the call returns.
#[doc(hidden)]
pub fn measure_or_raise(size: Size, place: &'static str) -> usize {
    measure(size, place).unwrap_or_else(|error| resume_unwind(Box::new(error)))
}

/// Returns the length, in a call that cannot fail.
///
/// # Panics
///
/// Where [`measure`] fails.
#[doc(hidden)]
pub fn measure_or_panic(size: Size, place: &'static str) -> usize {
    granted(measure(size, place))
}
