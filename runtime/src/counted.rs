//! Reference-counted objects in Rust: two guards may own one object, and objects may contain each other, so the borrow
//! checker does not see that two borrows meet. The generated calls see it.
//!
//! Each generated call on such handles notes, for its length and on its thread, which objects it borrows and how. Only a
//! callback can begin a second call meanwhile: that one is refused where the borrows exclude each other, as a `RefCell`
//! refuses. Memory that such an object lends could be ended by another owner at any time, so it is copied or retained.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::ptr;

use crate::error::{Error, Result};
use crate::handle::{Borrowed, Counted, Handle, Owned};

/// The use of a reference-counted object by a call.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// The group that is borrowed as one, or the object.
    key: usize,
    object: usize,
    exclusive: bool,
    name: &'static str,
}

impl Use {
    fn excludes(&self, other: &Use) -> bool {
        self.key == other.key && (self.exclusive || other.exclusive)
    }
}

thread_local! {
    /// The uses by calls that this thread runs now, with the number of the call.
    static ACTIVE: RefCell<Vec<(u64, Use)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// The borrows of one call, which end when this is dropped.
#[derive(Debug)]
pub struct Uses {
    call: u64,
    /// The borrows belong to the thread.
    _thread: PhantomData<*mut ()>,
}

/// Borrows the reference-counted handles among the arguments of a call.
///
/// # Errors
///
/// [`Error::Busy`] if a call that this thread runs already borrows one of them in a way that excludes this use, or if two
/// arguments are one object, of which one is exclusive.
#[inline]
pub fn borrow<const N: usize>(uses: [Option<Use>; N]) -> Result<Option<Uses>> {
    match uses.iter().all(Option::is_none) {
        true => Ok(None),
        false => borrow_some(&uses).map(Some),
    }
}

#[inline(never)]
fn borrow_some(uses: &[Option<Use>]) -> Result<Uses> {
    let uses = || uses.iter().flatten();
    for (index, one) in uses().enumerate() {
        let same = |other: &&Use| one.object == other.object && (one.exclusive || other.exclusive);
        if uses().skip(index + 1).any(|other| same(&other)) {
            return Err(Error::Busy(one.name));
        }
    }
    ACTIVE.with_borrow_mut(|active| {
        if let Some(refused) =
            uses().find(|one| active.iter().any(|(_, other)| one.excludes(other)))
        {
            return Err(Error::Busy(refused.name));
        }
        let call = NEXT.replace(NEXT.get() + 1);
        active.extend(uses().map(|one| (call, *one)));
        Ok(Uses {
            call,
            _thread: PhantomData,
        })
    })
}

impl Drop for Uses {
    fn drop(&mut self) {
        // Also where somebody else dropped one early: a call's borrows end with that call alone.
        let _ = ACTIVE.try_with(|active| {
            active.borrow_mut().retain(|(call, _)| *call != self.call);
        });
    }
}

/// The borrows of a call that cannot fail.
///
/// # Panics
///
/// Where [`borrow`] failed.
#[inline]
pub fn granted(uses: Result<Option<Uses>>) -> Option<Uses> {
    match uses {
        Ok(uses) => uses,
        Err(error) => panic!("{error}"),
    }
}

/// The result of a call, whose borrows end now: what went wrong may be asked of the same handles.
#[inline]
pub fn ending<R>(returned: R, uses: Option<Uses>) -> R {
    drop(uses);
    returned
}

/// [`borrow`] for arguments and how they are used: `(&argument, exclusive)`, or `(option, exclusive, optional)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __uses {
    ($(($($argument:tt)*)),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::counted::{OfHandle as _, OfOther as _};
        $crate::counted::borrow([$($crate::__use!($($argument)*)),*])
    }};
}

/// One argument of [`__uses!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __use {
    ($argument:expr, $exclusive:literal) => {
        (&$crate::counted::Argument($argument)).in_use($exclusive)
    };
    ($argument:expr, $exclusive:literal, optional) => {
        $argument.and_then(|handle| (&$crate::counted::Argument(handle)).in_use($exclusive))
    };
}

/// An argument of a call, which may be a reference-counted handle.
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

/// What [`Argument`] is for a handle.
pub trait OfHandle {
    /// The use, if the handle's owners are counted.
    fn in_use(&self, exclusive: bool) -> Option<Use>;
}

impl<T: Handle> OfHandle for Argument<'_, T> {
    #[inline]
    fn in_use(&self, exclusive: bool) -> Option<Use> {
        if const { !T::LINEAGE.sharing.counted } {
            return None;
        }
        let object = self.0.as_raw().addr();
        Some(Use {
            key: T::kind()
                .group()
                .map_or(object, |group| ptr::from_ref(group).addr()),
            object,
            exclusive,
            name: T::NAME,
        })
    }
}

/// What [`Argument`] is for anything else. The compiler prefers [`OfHandle`], which needs one reference less.
pub trait OfOther {
    /// Nothing is borrowed.
    fn in_use(&self, exclusive: bool) -> Option<Use>;
}

impl<T: ?Sized> OfOther for &Argument<'_, T> {
    #[inline]
    fn in_use(&self, _: bool) -> Option<Use> {
        None
    }
}

/// A result of C that is lent, and becomes one owner more of its object at once: `#[calls(…, retain)]`.
pub trait Retain {
    /// The owner.
    type Retained;
    /// Becomes an owner.
    fn retain_now(self) -> Self::Retained;
}

impl<T: Counted> Retain for Borrowed<'_, T> {
    type Retained = Owned<'static, T>;

    fn retain_now(self) -> Self::Retained {
        self.retain()
    }
}

impl<R: Retain> Retain for Option<R> {
    type Retained = Option<R::Retained>;

    fn retain_now(self) -> Self::Retained {
        self.map(R::retain_now)
    }
}
