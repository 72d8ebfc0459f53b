//! The arguments that are converted for C and live during the call.

use std::marker::PhantomData;

use crate::convert::memory::Count;
use crate::convert::to_c::{CallString, IntoCString, Memory};
use crate::error::{Error, Result};
use crate::failpoint::{CallSite, FailPoint};

/// The names and values of arguments, for messages.
#[doc(hidden)]
#[macro_export]
macro_rules! __named {
    ($($name:ident $value:expr),*) => {
        &[$((::core::stringify!($name), &$value as &dyn ::core::fmt::Debug)),*]
    };
}

/// Converts a length to C's integer type.
#[inline]
pub fn length<C: Count>(
    site: &'static CallSite,
    name: &'static str,
    bytes: &impl Memory,
) -> Result<C> {
    let length = bytes.count();
    match C::of_count(length) {
        Some(length) if !site.should_fail(FailPoint::Argument) => Ok(length),
        _ => Err(Error::Overflow(format!(
            "{name} is too long for C: {length} bytes"
        ))),
    }
}

/// Converts a `&str` argument, or an optional one, to the C string that lives during the call.
#[inline]
pub fn text(
    site: &'static CallSite,
    name: &'static str,
    text: impl IntoCString,
) -> Result<Option<CallString>> {
    if site.should_fail(FailPoint::Argument) {
        return Err(Error::Value(format!("{name} cannot be converted")));
    }
    text.into_c_string(name)
}

/// The type of an argument of C's, before its value is there. The author's expression for the value becomes a value of
/// that type where it stands, before the call begins: where the type is that of a reference, a `Deref` of the author's
/// may run.
#[derive(Debug)]
pub struct ArgumentType<T>(PhantomData<fn() -> T>);

impl<T> ArgumentType<T> {
    /// Returns the type, which the compiler finds out by [`ArgumentType::is_of`].
    #[inline(always)]
    #[must_use]
    pub const fn unknown() -> Self {
        ArgumentType(PhantomData)
    }

    /// States that it is the type of `argument`.
    #[inline(always)]
    pub const fn is_of(&self, _argument: &T) {}

    /// Returns `value`, which rustc has coerced to the type.
    #[inline(always)]
    pub fn of(&self, value: T) -> T {
        value
    }
}
