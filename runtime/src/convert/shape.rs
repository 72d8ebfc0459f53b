//! Checks that the type names in a generated signature stand for the types of these names.
//!
//! The macros read ownership from names: `Owned`, `Borrowed`, `String`, `CString`, `Bytes`, `&[u8]`, `&T`, within
//! `Option`, `Vec` and tuples. An alias could hide one of these types, and with it a rule. Each generated method and
//! each callback therefore states what the macro read, and rustc compares that with the types.

use std::ffi::CString;
use std::marker::PhantomData;

use crate::convert::memory::Bytes;
use crate::handle::{Borrowed, Handle, Owned, Resource};

/// A type that has no handle and no lent memory in it.
#[derive(Debug)]
pub enum Value {}
/// [`Owned`]
#[derive(Debug)]
pub enum Gives {}
/// [`Borrowed`]
#[derive(Debug)]
pub enum Lends {}
/// [`String`], [`CString`] or [`Bytes`]: copied, of memory that C or the caller frees.
#[derive(Debug)]
pub enum Copied {}
/// `&[u8]`
#[derive(Debug)]
pub enum Memory {}
/// [`OutBuffer`](crate::OutBuffer): memory that C asks a callback to fill.
#[derive(Debug)]
pub enum Fills {}
/// `Option`, of a type of the form `F`.
#[derive(Debug)]
pub struct Maybe<F>(PhantomData<F>);
/// `Vec`, of a type of the form `F`.
#[derive(Debug)]
pub struct Many<F>(PhantomData<F>);

/// A result type of a generated method, or a parameter or result type of a callback, that is of the form `F`.
///
/// # Safety
///
/// `F` has every [`Owned`], [`Borrowed`], `&[u8]` and `OutBuffer` in the type: the rules for these are looked up in
/// `F`.
#[diagnostic::on_unimplemented(
    message = "the name of this type hides what it stands for",
    label = "written by another name than its own",
    note = "write `Owned<…>`, `Borrowed<…>`, `String`, `CString`, `Bytes`, `&[u8]`, `OutBuffer<'_>`, `Option<…>`, `Vec<…>` \
            and tuples out in `#[calls]`, `#[field]` and `#[callback]`: the rules for handles and memory go by these names"
)]
pub unsafe trait Form<F> {}

macro_rules! values {
    ($($type:ty)+) => {$(
        // SAFETY: Rust: the type holds no reference and no handle.
        unsafe impl Form<Value> for $type {}
    )+};
}

values! { () bool i8 u8 i16 u16 i32 u32 i64 u64 i128 u128 isize usize f32 f64 }

// SAFETY: Rust: the type holds no reference and no handle.
unsafe impl<const N: usize> Form<Value> for [u8; N] {}

macro_rules! copied {
    ($($type:ty)+) => {$(
        // SAFETY: Rust: the type holds no reference and no handle.
        unsafe impl Form<Copied> for $type {}
    )+};
}

copied! { String CString Bytes }

// SAFETY: Rust: the type is `Owned`, which `Gives` stands for.
unsafe impl<T: Resource> Form<Gives> for Owned<'_, T> {}
// SAFETY: Rust: the type is `Borrowed`, which `Lends` stands for.
unsafe impl<T: Handle> Form<Lends> for Borrowed<'_, T> {}
// SAFETY: Rust: the type is `&[u8]`, which `Memory` stands for.
unsafe impl Form<Memory> for &[u8] {}
// SAFETY: Rust: an option holds what its type parameter says, which implements `Form<F>`.
unsafe impl<F, T: Form<F>> Form<Maybe<F>> for Option<T> {}
// SAFETY: Rust: a vector holds what its type parameter says, which implements `Form<F>`.
unsafe impl<F, T: Form<F>> Form<Many<F>> for Vec<T> {}

macro_rules! tuples {
    ($(($($type:ident $form:ident),+);)+) => {$(
        // SAFETY: Rust: a tuple holds what its type parameters say, each of which implements `Form`.
        unsafe impl<$($type: Form<$form>, $form),+> Form<($($form,)+)> for ($($type,)+) {}
    )+};
}

tuples! {
    (A Af, B Bf);
    (A Af, B Bf, C Cf);
    (A Af, B Bf, C Cf, D Df);
    (A Af, B Bf, C Cf, D Df, E Ef);
    (A Af, B Bf, C Cf, D Df, E Ef, G Gf);
    (A Af, B Bf, C Cf, D Df, E Ef, G Gf, H Hf);
    (A Af, B Bf, C Cf, D Df, E Ef, G Gf, H Hf, I If);
    (A Af, B Bf, C Cf, D Df, E Ef, G Gf, H Hf, I If, J Jf);
    (A Af, B Bf, C Cf, D Df, E Ef, G Gf, H Hf, I If, J Jf, K Kf);
    (A Af, B Bf, C Cf, D Df, E Ef, G Gf, H Hf, I If, J Jf, K Kf, L Lf);
    (A Af, B Bf, C Cf, D Df, E Ef, G Gf, H Hf, I If, J Jf, K Kf, L Lf, M Mf);
}

/// Refuses, while compiling, a result type `T` that is not of the form `F`.
pub const fn check<T: Form<F>, F>() {}

mod sealed {
    /// The bound of [`WrittenAsHandle`](super::WrittenAsHandle). No type implements it.
    pub trait Sealed {}
}

use sealed::Sealed;

/// A parameter that is passed by value, as its name says.
#[derive(Debug)]
pub struct ByValue<'a, T>(pub &'a T);

/// A bound that no type meets, for a handle that hides behind another name.
#[diagnostic::on_unimplemented(
    message = "the name of this parameter's type hides a handle of type `{Self}`",
    note = "write `&T`, `&mut T`, `Owned<T>`, or an `Option` of a reference: the rules for handles go by these names"
)]
pub trait WrittenAsHandle: Sealed {}

macro_rules! hidden {
    ($($type:ty: $bound:ident)+) => {$(
        impl<T: $bound> ByValue<'_, $type> {
            /// Refuses the parameter.
            pub fn check(self)
            where
                T: WrittenAsHandle,
            {
            }
        }
    )+};
}

hidden! {
    &T: Handle
    &mut T: Handle
    Option<&T>: Handle
    Option<&mut T>: Handle
    Owned<'_, T>: Resource
    Option<Owned<'_, T>>: Resource
    Borrowed<'_, T>: Handle
    Option<Borrowed<'_, T>>: Handle
    Option<Option<&T>>: Handle
    Option<Option<&mut T>>: Handle
    Option<Option<Owned<'_, T>>>: Resource
    Option<Option<Borrowed<'_, T>>>: Handle
}

/// The check of types that are not handles.
pub trait NoHandle: Sized {
    /// Refuses nothing.
    fn check(self) {}
}

impl<T> NoHandle for ByValue<'_, T> {}

/// Refuses, while compiling, a parameter whose type's name hides a handle.
#[doc(hidden)]
#[macro_export]
macro_rules! __by_value {
    ($name:expr) => {{
        #[allow(unused_imports, reason = "it answers for what is no handle")]
        use $crate::__private::shape::NoHandle as _;
        $crate::__private::shape::ByValue(&$name).check();
    }};
}

mod optional {
    /// The bound of [`MaybeHandle`](super::MaybeHandle).
    pub trait Sealed {}

    impl<T: ?Sized> Sealed for &T {}
    impl<T: ?Sized> Sealed for &mut T {}
    impl<T: Sealed> Sealed for Option<T> {}
}

/// A parameter that is a handle, or none. No method and no `From` of the author's, on a type of the same name, says
/// which handle C gets.
#[diagnostic::on_unimplemented(
    message = "the name of this parameter's type hides what it stands for: `{Self}` is no `Option` of a reference",
    label = "written by another name than its own"
)]
pub trait MaybeHandle: optional::Sealed {
    /// The type of the handle.
    type Handle: ?Sized;
    /// Returns the handle.
    fn handle(&self) -> Option<&Self::Handle>;
}

impl<T: ?Sized> MaybeHandle for &T {
    type Handle = T;

    #[inline(always)]
    fn handle(&self) -> Option<&T> {
        Some(self)
    }
}

impl<T: ?Sized> MaybeHandle for Option<&T> {
    type Handle = T;

    #[inline(always)]
    fn handle(&self) -> Option<&T> {
        *self
    }
}

impl<T: ?Sized> MaybeHandle for Option<&mut T> {
    type Handle = T;

    #[inline(always)]
    fn handle(&self) -> Option<&T> {
        self.as_deref()
    }
}

/// Returns the handle of a parameter. The type of the parameter is a generic one: a type that could be followed to an
/// `Option`, by a `Deref` of the author's, is refused.
#[inline(always)]
pub fn optional<P: MaybeHandle>(parameter: &P) -> Option<&P::Handle> {
    parameter.handle()
}

/// The facts about a C struct that `#[record]` checks.
#[derive(Debug)]
pub struct CStruct<T>(PhantomData<T>);

impl<T: Send + Sync> CStruct<T> {
    /// Tells that the struct holds no pointer: a raw pointer is neither `Send` nor `Sync`.
    pub const HOLDS_POINTER: bool = false;
}

/// The facts about a C struct that holds a pointer. A constant of [`CStruct`] itself hides the one of this trait.
pub trait HoldsPointer {
    /// Tells that the struct holds a pointer.
    const HOLDS_POINTER: bool = true;
}

impl<T> HoldsPointer for CStruct<T> {}
