//! The arguments of a call, and which of them are handles that the call uses.

use super::author_code::runs_author_code;
use super::call::Use;
use crate::children::Id;
use crate::error::Result;
use crate::handle::Handle;
use crate::tree::Moving;

/// The uses of a call that is about to begin.
#[doc(hidden)]
#[derive(Debug)]
pub struct UsesToBegin<B> {
    /// Set if an argument has counted owners, or is given to C: the table has to know the call in any case.
    pub is_counted: bool,
    /// Set if an argument is used exclusively.
    pub is_exclusive: bool,
    /// Set if an argument is used exclusively, and is in a tree.
    pub edits_tree: bool,
    /// Begins the uses.
    pub begin: B,
}

/// [`begin`] for arguments and how they are used: `(&argument, exclusive)`, `(option, exclusive, optional)`, or
/// `(place, transferred)` for a handle that is given to C, with `&receiver` as the third where there is one.
#[doc(hidden)]
#[macro_export]
macro_rules! __uses {
    ($(($argument:expr $(, $how:tt)*)),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::uses::{OfHandle as _, OfOther as _};
        $crate::__private::uses::UsesToBegin {
            is_counted: false $(|| $crate::__counted!($argument $(, $how)*))*,
            is_exclusive: false $(|| $crate::__exclusive!($($how),*))*,
            edits_tree: false $(|| $crate::__exclusive!($($how),*) && $crate::__in_tree!($argument $(, $how)*))*,
            begin: || $crate::__private::uses::begin([$($crate::__use!($argument $(, $how)*)),*]),
        }
    }};
}

/// [`__uses!`] for a call that gives handles to C: the uses begin at once, because the call changes the places of the
/// handles.
#[doc(hidden)]
#[macro_export]
macro_rules! __uses_with_transfer {
    ($(($($argument:tt)*)),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::uses::{OfHandle as _, OfOther as _};
        let begun = $crate::__private::uses::begin([$($crate::__use!($($argument)*)),*]);
        $crate::__private::uses::UsesToBegin {
            is_counted: true,
            is_exclusive: true,
            edits_tree: false,
            begin: move || begun,
        }
    }};
}

/// Checks that the optional arguments live in the same ancestor as the first one: returns the error, or panics.
#[doc(hidden)]
#[macro_export]
macro_rules! __same_ancestor {
    (return; $($argument:expr),*) => {
        $crate::__same_ancestor!(checked $($argument),*)?
    };
    (panic; $($argument:expr),*) => {
        if let ::core::result::Result::Err(error) = $crate::__same_ancestor!(checked $($argument),*) {
            ::core::panic!("{error}");
        }
    };
    (checked $last:expr) => {
        $crate::Result::Ok(())
    };
    (checked $first:expr, $($other:expr),+) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::uses::{OfHandle as _, OfOther as _};
        let first = $first.and_then(|handle| (&$crate::__private::uses::Argument(handle)).id());
        $crate::Result::Ok(())
        $(.and_then(|()| {
            static CHECK: $crate::__private::children::SameAncestor = $crate::__private::children::SameAncestor::new();
            (&CHECK).check(first, $other.and_then(|handle| (&$crate::__private::uses::Argument(handle)).id()))
        }))+
        .and_then(|()| $crate::__same_ancestor!(checked $($other),+))
    }};
}

/// The handles among optional arguments, with `None` for each other one.
#[doc(hidden)]
#[macro_export]
macro_rules! __handles {
    ($($argument:expr),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::uses::{OfHandle as _, OfOther as _};
        [$($argument.and_then(|handle| (&$crate::__private::uses::Argument(handle)).id())),*]
    }};
}

/// Set if one argument of [`__uses!`] has counted owners.
#[doc(hidden)]
#[macro_export]
macro_rules! __counted {
    ($argument:expr, $exclusive:literal, optional) => {
        $argument.is_some_and(|handle| (&$crate::__private::uses::Argument(handle)).is_counted())
    };
    ($argument:expr, $($how:tt)*) => {
        (&$crate::__private::uses::Argument($argument)).is_counted()
    };
}

/// Set if one argument of [`__uses!`] is in a tree.
#[doc(hidden)]
#[macro_export]
macro_rules! __in_tree {
    ($argument:expr, $exclusive:literal, optional) => {
        $argument.is_some_and(|handle| (&$crate::__private::uses::Argument(handle)).edits_tree())
    };
    ($argument:expr $(, $($how:tt)*)?) => {
        (&$crate::__private::uses::Argument($argument)).edits_tree()
    };
}

/// Set if one argument of [`__uses!`] is used exclusively.
#[doc(hidden)]
#[macro_export]
macro_rules! __exclusive {
    () => {
        false
    };
    ($exclusive:literal $(, $how:ident)*) => {
        $exclusive
    };
}

/// One argument of [`__uses!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __use {
    ($argument:expr, transferred) => {
        $crate::__private::uses::transferred($argument)
    };
    ($argument:expr, transferred, $keeper:expr) => {
        $crate::__private::uses::transferred_in($argument, $keeper)
    };
    ($argument:expr, $exclusive:literal) => {
        (&$crate::__private::uses::Argument($argument)).in_use($exclusive)
    };
    ($argument:expr, $exclusive:literal, reads_parent) => {
        (&$crate::__private::uses::Argument($argument))
            .in_use($exclusive)
            .map($crate::__private::uses::Use::reading_parent)
    };
    ($argument:expr, $exclusive:literal, optional) => {
        $argument.and_then(|handle| (&$crate::__private::uses::Argument(handle)).in_use($exclusive))
    };
}

/// Watches the parts among the arguments that a call has by `&mut`: `(&argument)` or `(option, optional)`. The options
/// behind them are the other arguments. Returns an error from the method where there is no memory for that, and where
/// one part is two arguments.
#[doc(hidden)]
#[macro_export]
macro_rules! __moving {
    ($(($argument:expr $(, $optional:ident)?)),*; $($other:expr),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::uses::{OfHandle as _, OfOther as _};
        let moving = [$($crate::__moving_one!($argument $(, $optional)?)),*];
        $crate::__private::tree::check_apart(
            &moving,
            &[$($other.and_then(|handle| (&$crate::__private::uses::Argument(handle)).id())),*],
        )?;
        moving
    }};
}

/// One argument of [`__moving!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __moving_one {
    ($argument:expr) => {
        (&$crate::__private::uses::Argument($argument)).moving()?
    };
    ($argument:expr, optional) => {
        match $argument {
            ::core::option::Option::Some(handle) => {
                (&$crate::__private::uses::Argument(handle)).moving()?
            }
            ::core::option::Option::None => ::core::option::Option::None,
        }
    };
}

/// An argument of a call, which may be a handle.
#[doc(hidden)]
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

/// The use of an [`Argument`] that is a handle.
#[doc(hidden)]
pub trait OfHandle {
    /// Returns the handle among those of all types.
    fn id(&self) -> Option<Id>;

    /// Returns whether the handle has counted owners.
    fn is_counted(&self) -> bool;

    /// Returns whether a use by `&mut` may edit a tree.
    fn edits_tree(&self) -> bool;

    /// The use, if the table has to know it.
    fn in_use(&self, exclusive: bool) -> Option<Use<'static>>;

    /// Watches a part that the call may move.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error).
    fn moving(&self) -> Result<Option<Moving>>;
}

impl<T: Handle> OfHandle for Argument<'_, T> {
    #[inline(always)]
    fn id(&self) -> Option<Id> {
        Some(Id::of(self.0))
    }

    #[inline(always)]
    fn is_counted(&self) -> bool {
        const { T::SPEC.meets_counted() }
    }

    #[inline(always)]
    fn edits_tree(&self) -> bool {
        const { T::SPEC.edits_tree() }
    }

    #[inline]
    fn in_use(&self, exclusive: bool) -> Option<Use<'static>> {
        let id = Id::of(self.0);
        match exclusive && self.edits_tree() && runs_author_code() {
            true => Some(Use::in_code(id)),
            false => Use::of(id, const { T::SPEC.meets_counted() }, exclusive),
        }
    }

    #[inline(always)]
    fn moving(&self) -> Result<Option<Moving>> {
        Moving::watch(self.0)
    }
}

/// The answer for any other [`Argument`]. The compiler prefers [`OfHandle`], which needs one reference less.
#[doc(hidden)]
pub trait OfOther {
    /// Returns `None`.
    fn id(&self) -> Option<Id>;

    /// Returns false.
    fn is_counted(&self) -> bool;

    /// Returns false.
    fn edits_tree(&self) -> bool;

    /// Nothing is used.
    fn in_use(&self, exclusive: bool) -> Option<Use<'static>>;

    /// Nothing moves.
    ///
    /// # Errors
    ///
    /// None.
    fn moving(&self) -> Result<Option<Moving>>;
}

impl<T: ?Sized> OfOther for &Argument<'_, T> {
    #[inline(always)]
    fn id(&self) -> Option<Id> {
        None
    }

    #[inline(always)]
    fn is_counted(&self) -> bool {
        false
    }

    #[inline(always)]
    fn edits_tree(&self) -> bool {
        false
    }

    #[inline]
    fn in_use(&self, _: bool) -> Option<Use<'static>> {
        None
    }

    #[inline(always)]
    fn moving(&self) -> Result<Option<Moving>> {
        Ok(None)
    }
}
