//! Lifetimes and parents of C's results. rustc checks a generated method by the types in it, so that no name and no
//! alias hides anything from the checks.
//!
//! The lifetimes in the signature of a generated method are checked against [`Life`], the lifetime of the borrow of the
//! handle that the result comes from. The result of a C function becomes a Rust value only within that lifetime
//! ([`crate::convert::from_c::FromC`]), so a signature that promises more does not compile.

use std::ffi::CStr;
use std::fmt;
use std::marker::PhantomData;

use crate::handle::{Handle, Home, Resource};

/// The lifetime of the result of one call: no longer than any borrow that the result was made from.
#[derive(Clone, Copy)]
pub struct Life<'o>(PhantomData<fn(&'o ()) -> &'o ()>);

impl<'o> Life<'o> {
    /// Returns the lifetime of the borrow of `handle`.
    #[inline]
    pub const fn of<T: ?Sized>(handle: &'o T) -> Self {
        let _ = handle;
        Life(PhantomData)
    }

    /// Returns a lifetime without limits, for a result made from no handle. [`Life::limited_by`] limits it.
    #[inline]
    pub const fn any() -> Self {
        Life(PhantomData)
    }

    /// Limits the lifetime to that of everything borrowed in `argument`.
    #[inline]
    pub const fn limited_by<T: 'o>(self, argument: &T) -> Self {
        let _ = argument;
        self
    }

    /// Leaves the lifetime as it is: C keeps no pointer to `argument`.
    #[inline]
    pub const fn unlimited_by<T: NotKept>(self, argument: &T) -> Self {
        let _ = argument;
        self
    }
}

impl fmt::Debug for Life<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Life")
    }
}

/// An argument that C reads during the call and keeps no pointer to: text and memory.
///
/// # Safety
///
/// It is no handle, so that no handle lives in it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text or memory, although it is named so",
    label = "its name says that C reads it and keeps no pointer to it",
    note = "use the type's own name"
)]
pub unsafe trait NotKept {}

// SAFETY: Rust: text holds no handle.
unsafe impl NotKept for &CStr {}
// SAFETY: Rust: text holds no handle.
unsafe impl NotKept for &str {}
// SAFETY: Rust: memory holds no handle.
unsafe impl NotKept for &[u8] {}
// SAFETY: Rust: memory holds no handle.
unsafe impl NotKept for &mut [u8] {}
// SAFETY: trait `NotKept`: an option holds what `T` is, or nothing.
unsafe impl<T: NotKept> NotKept for Option<T> {}

/// A parent that limits the lifetime `'p` of its child to the borrow `'o` by which the child was made. `()` stands for
/// no parent and limits nothing.
///
/// # Safety
///
/// Implemented here only.
pub unsafe trait Limits<'o, 'p> {}

// SAFETY: Rust: there is no parent to outlive.
unsafe impl<'o, 'p> Limits<'o, 'p> for () {}
// SAFETY: Rust: the bound says that `'o` outlives `'p`.
unsafe impl<'o: 'p, 'p, T: Resource> Limits<'o, 'p> for T {}

/// A handle that a call on `R` ([`In`] a handle, or [`Nowhere`]) can return. `R` is the handle's parent if the release
/// of the handle, or its use as `&mut`, needs the parent; otherwise `R` is any receiver. Implemented by `#[handle]`.
///
/// # Safety
///
/// If the release or the use needs the parent, `R` is that.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` needs its parent, for its release or by `&mut`: it is made by a method of that"
)]
pub unsafe trait MadeBy<R>: Handle {}

/// A handle whose further parents, besides the receiver or what the receiver lives in, are `Others`, a tuple of types.
/// Implemented by `#[handle]`.
///
/// # Safety
///
/// These are all that the handle needs besides its first parent.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` has more parents than the receiver, or others than are named: add `keep_alive = (…)` with the \
               parameters that it lives in, in the order of its `parent = (…)`"
)]
pub unsafe trait LivesBeside<Others>: Handle {}

/// A handle of type `T`, as a place that others live in.
#[derive(Debug)]
pub struct In<T>(PhantomData<T>);

/// No handle: the place of a handle without a parent, and the receiver of a function without one.
#[derive(Debug)]
pub enum Nowhere {}

/// A receiver whose calls can make a `T` that lives at `Place`: the receiver is at `Place` itself, or a handle that it
/// lives in is. `Index` says how far up `Place` is.
///
/// # Safety
///
/// Implemented here only.
#[diagnostic::on_unimplemented(
    message = "a `{T}` lives in another handle: it is made by a method of that, or of what lives in that",
    label = "it is not made so here"
)]
pub unsafe trait Makes<T, Place, Index> {
    /// True if the runtime finds the way from the receiver to `Place`.
    const IS_FOUND: bool;
}

/// The receiver itself.
#[derive(Debug)]
pub enum Here {}

/// The handle that the receiver lives in; `Index` counts on from there.
#[derive(Debug)]
pub struct Above<Index>(PhantomData<Index>);

// SAFETY: Rust: the two are the same place.
unsafe impl<T, Place> Makes<T, Place, Here> for Place {
    const IS_FOUND: bool = true;
}
// SAFETY: trait `Makes`: what `R` lives in is such a receiver, and so is `R`.
unsafe impl<T, Place, Index, R: Handle> Makes<T, Place, Above<Index>> for In<R>
where
    R::Up: Makes<T, Place, Index>,
{
    const IS_FOUND: bool = !matches!(R::SPEC.home, Home::Unknown) && <R::Up>::IS_FOUND;
}

/// Refuses, while compiling, a `T` from a call on `R`, an [`In`] or [`Nowhere`], that cannot make one. Returns whether
/// the runtime finds the parent of a `T`, if it has one, from the receiver.
pub const fn check_place<R, T, Index>() -> bool
where
    T: MadeBy<R>,
    R: Makes<T, T::Up, Index>,
{
    T::SPEC.parent.is_none() || R::IS_FOUND
}

/// The fact whether `R` is the parent of `T`, for a `T` whose release or use needs its parent.
#[derive(Debug)]
pub struct ParentOf<T, R>(PhantomData<(T, R)>);

impl<T: MadeBy<In<R>>, R> ParentOf<T, R> {
    /// True: `R` is the parent.
    pub const IS_PARENT: bool = true;
}

/// Answers for all others.
pub trait ParentOfOther {
    /// False: `R` is not the parent.
    const IS_PARENT: bool = false;
}

impl<T, R> ParentOfOther for ParentOf<T, R> {}

/// The fact whether a `T` that is lent by an `R` is what that is part of: then it is known.
#[derive(Debug)]
pub struct LentBy<T, R>(PhantomData<(T, R)>);

impl<T, R: Handle<Up = In<T>>> LentBy<T, R> {
    /// True: a `T` is what `R` is part of.
    pub const IS_OWNER: bool = true;
}

/// Answers for all others.
pub trait LentByOther {
    /// False: a `T` is something else.
    const IS_OWNER: bool = false;
}

/// The fact whether a `T` that is lent by an `R` is what the owner of that is part of.
#[derive(Debug)]
pub struct LentWithin<T, R>(PhantomData<(T, R)>);

impl<T, M: Handle<Up = In<T>>, R: Handle<Up = In<M>>> LentWithin<T, R> {
    /// True: a `T` is what the owner of `R` is part of.
    pub const IS_OWNER: bool = true;
}

impl<T, R> LentByOther for LentWithin<T, R> {}

impl<T, R> LentByOther for LentBy<T, R> {}

/// Refuses, while compiling, a `T` from a call whose parents besides the receiver are not `Others`.
pub const fn check_beside<T: LivesBeside<Others>, Others>() {}
