//! Borrows of reference-counted objects. Two guards may own one object, and objects may contain each other, so the
//! borrow checker does not see conflicting borrows. The generated calls check them at run time.
//!
//! Each generated call on such handles records, for its length, the objects that it borrows and how. Only a callback or
//! another thread can begin a second call meanwhile. The second call is refused if the borrows exclude each other, as a
//! `RefCell` refuses. Another owner could end memory that such an object lends at any time, so the memory is copied or
//! retained.

use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::children::{self, Id};
use crate::error::{Error, Result};
use crate::exclusive_use;
use crate::fork::{InChild, Lock, watch_forks};
use crate::handle::{Borrowed, Handle, Owned, RefCounted};

/// The use of a reference-counted object by a call.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// The group that is borrowed as one, or the object.
    key: usize,
    object: usize,
    exclusive: bool,
    name: &'static str,
    /// Set if no call can use the handle now.
    refused: bool,
}

impl Use {
    fn excludes(&self, other: &Use) -> bool {
        self.key == other.key && (self.exclusive || other.exclusive)
    }
}

/// A use by a running call.
#[derive(Debug)]
struct Active {
    call: u64,
    thread: usize,
    used: Use,
}

/// The uses by all running calls. Locked for a few instructions.
static ACTIVE: Mutex<Vec<Active>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

inventory::submit! { Lock(|| Box::new(active())) }
inventory::submit! { InChild(forget_other_threads) }

/// Removes the calls of threads that a forked child does not have.
fn forget_other_threads() {
    let here = exclusive_use::this_thread();
    active().retain(|active| active.thread == here);
}

fn active() -> MutexGuard<'static, Vec<Active>> {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The borrows of one call. Dropping them releases them.
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
/// [`Error::Busy`] if a running call already borrows one of them in a way that excludes this use, if two
/// arguments are one object, of which one is exclusive, or if one of them cannot be used at all: within a callback of a call
/// that uses it exclusively (`exclusive_use`), or while a child holds it (`children`).
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
    if let Some(refused) = uses().find(|one| one.refused) {
        return Err(Error::Busy(refused.name));
    }
    for (index, one) in uses().enumerate() {
        let same = |other: &&Use| one.object == other.object && (one.exclusive || other.exclusive);
        if uses().skip(index + 1).any(|other| same(&other)) {
            return Err(Error::Busy(one.name));
        }
    }
    watch_forks();
    let thread = exclusive_use::this_thread();
    let mut active = active();
    let is_refused = |one: &&Use| active.iter().any(|other| one.excludes(&other.used));
    if let Some(refused) = uses().find(is_refused) {
        return Err(Error::Busy(refused.name));
    }
    let call = NEXT.fetch_add(1, Ordering::Relaxed);
    active.extend(uses().map(|used| Active {
        call,
        thread,
        used: *used,
    }));
    Ok(Uses {
        call,
        _thread: PhantomData,
    })
}

impl Drop for Uses {
    fn drop(&mut self) {
        // Also where somebody else dropped one early: a call's borrows end with that call alone.
        active().retain(|active| active.call != self.call);
    }
}

/// Returns the pointer to a handle whose field is read or written.
///
/// # Errors
///
/// As for [`borrow`].
#[inline]
pub fn field<T: Handle>(handle: &T, exclusive: bool) -> Result<*mut T::Raw> {
    borrow([Argument(handle).in_use(exclusive)])?;
    Ok(handle.as_raw())
}

/// Returns the borrows of a call that cannot fail.
///
/// # Panics
///
/// If [`borrow`] failed.
#[inline]
pub fn granted<R>(uses: Result<R>) -> R {
    match uses {
        Ok(uses) => uses,
        Err(error) => panic!("{error}"),
    }
}

/// Returns the result of a call after its borrows were released, so that errors may ask the same handles.
#[inline]
pub fn ending<R>(returned: R, uses: Option<Uses>) -> R {
    drop(uses);
    returned
}

/// Calls [`borrow`] for arguments with their uses: `(&argument, exclusive)`, or `(option, exclusive, optional)`.
#[doc(hidden)]
#[macro_export]
macro_rules! __uses {
    ($(($($argument:tt)*)),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::ref_counted::{OfHandle as _, OfOther as _};
        $crate::__private::ref_counted::borrow([$($crate::__use!($($argument)*)),*])
    }};
}

/// One argument of [`__uses!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __use {
    ($argument:expr, $exclusive:literal) => {
        (&$crate::__private::ref_counted::Argument($argument)).in_use($exclusive)
    };
    ($argument:expr, $exclusive:literal, optional) => {
        $argument.and_then(|handle| {
            (&$crate::__private::ref_counted::Argument(handle)).in_use($exclusive)
        })
    };
}

/// An argument of a call, which may be a reference-counted handle.
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

/// The use of an [`Argument`] that is a handle.
pub trait OfHandle {
    /// Returns the use if the owners of the handle, or of a handle that it lives in, are counted, or if the use is
    /// refused.
    fn in_use(&self, exclusive: bool) -> Option<Use>;
}

impl<T: Handle> OfHandle for Argument<'_, T> {
    #[inline]
    fn in_use(&self, exclusive: bool) -> Option<Use> {
        let refused = exclusive_use::may_be_used() && exclusive_use::is_used(self.0)
            || children::is_any_held() && children::is_held(Id::of(self.0));
        let own = Id::of(self.0);
        let (id, exclusive) = match T::SPEC.sharing.counted {
            true => (Some(own), exclusive),
            // Another owner of the parent could change it during the call.
            false if const { T::SPEC.is_counted() } => (
                children::counted_ancestor(own),
                exclusive && T::SPEC.sharing.mut_parent,
            ),
            false => (None, false),
        };
        if id.is_none() && !refused {
            return None;
        }
        let id = id.unwrap_or(own);
        let object = id.address();
        Some(Use {
            refused,
            key: id
                .kind()
                .group()
                .map_or(object, |group| ptr::from_ref(group).addr()),
            object,
            exclusive,
            name: T::NAME,
        })
    }
}

/// The use of an [`Argument`] that is not a handle. The compiler prefers [`OfHandle`], which needs one reference less.
pub trait OfOther {
    /// Returns `None`: nothing is borrowed.
    fn in_use(&self, exclusive: bool) -> Option<Use>;
}

impl<T: ?Sized> OfOther for &Argument<'_, T> {
    #[inline]
    fn in_use(&self, _: bool) -> Option<Use> {
        None
    }
}

/// A lent result of C that is retained at once: `#[calls(…, retain)]`.
pub trait Retain {
    /// The owner.
    type Retained;
    /// Retains the object and returns the new owner.
    fn retain_now(self) -> Self::Retained;
}

impl<T: RefCounted> Retain for Borrowed<'_, T> {
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
