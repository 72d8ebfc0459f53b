//! The choice of the conversion of a type by the compiler, since a macro does not know which types are plain.

use std::marker::PhantomData;

use super::method::{Argument, Receiver, Reply};
use super::values::{PlainArgument, PlainResult};

/// The conversion of an argument of type `T`, if there is one: `(&&ArgumentConversion::new()).read_argument(argument)`.
#[derive(Debug)]
pub struct ArgumentConversion<T>(PhantomData<T>);

impl<T> ArgumentConversion<T> {
    /// The conversion.
    #[inline(always)]
    #[expect(
        clippy::new_without_default,
        reason = "the type is written where it is made"
    )]
    pub const fn new() -> Self {
        ArgumentConversion(PhantomData)
    }
}

/// The conversion to a type that is read directly.
pub trait ReadPlain<'a> {
    /// The type.
    type Value;
    /// Returns the value; `None` if PyO3 has to convert the object.
    fn read_argument(&self, argument: Argument<'a>) -> Option<Self::Value>;
}

impl<'a, T: PlainArgument<'a>> ReadPlain<'a> for &ArgumentConversion<T> {
    type Value = T;

    #[inline(always)]
    fn read_argument(&self, argument: Argument<'a>) -> Option<T> {
        T::read(argument)
    }
}

/// The answer for any other type. The compiler prefers [`ReadPlain`], which needs one reference more.
pub trait ReadOther {
    /// The type.
    type Value;
    /// Returns `None`.
    fn read_argument(&self, _: Argument<'_>) -> Option<Self::Value>;
}

impl<T> ReadOther for ArgumentConversion<T> {
    type Value = T;

    #[inline(always)]
    fn read_argument(&self, _: Argument<'_>) -> Option<T> {
        None
    }
}

/// The conversion of a result: `(&&ResultConversion::of(&result)).reply(result, &receiver)`.
#[derive(Debug)]
pub struct ResultConversion<T>(PhantomData<T>);

impl<T> ResultConversion<T> {
    /// The conversion of results of this type.
    #[inline(always)]
    pub const fn of(_: &T) -> Self {
        ResultConversion(PhantomData)
    }
}

/// The conversion of a plain result.
pub trait ReplyPlain {
    /// The type.
    type Value;
    /// Converts the result.
    fn reply(&self, result: Self::Value, receiver: &Receiver<'_>) -> Reply;
}

impl<T: PlainResult> ReplyPlain for &ResultConversion<T> {
    type Value = T;

    #[inline(always)]
    fn reply(&self, result: T, receiver: &Receiver<'_>) -> Reply {
        Reply(result.into_object(receiver))
    }
}

/// The answer for any other type. The compiler prefers [`ReplyPlain`], which needs one reference more.
pub trait ReplyOther {
    /// The type.
    type Value;
    /// Never called: the method has no entry.
    fn reply(&self, _: Self::Value, _: &Receiver<'_>) -> Reply {
        unreachable!("a method whose result is not plain has no direct entry")
    }
}

impl<T> ReplyOther for ResultConversion<T> {
    type Value = T;
}

/// Tells whether a type is read or made directly: `Probe::<T>::IS_READ` and `Probe::<T>::IS_MADE`.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<'a, T: PlainArgument<'a>> Probe<T> {
    /// There is a [`PlainArgument`].
    pub const IS_READ: bool = true;
}

impl<T: PlainResult> Probe<T> {
    /// There is a [`PlainResult`].
    pub const IS_MADE: bool = T::IS_PLAIN;
}

/// The answer for any other type. The compiler prefers the constants of [`Probe`] itself.
pub trait IsOther {
    /// There is no [`PlainArgument`].
    const IS_READ: bool = false;
    /// There is no [`PlainResult`].
    const IS_MADE: bool = false;
}

impl<T> IsOther for Probe<T> {}
