//! Calls that may link, unlink or make parts.

use std::ptr;

use crate::error::{Error, Result};
use crate::handle::kind::{HandleKind, Id};
use crate::handle::{Borrowed, Handle};
use crate::tree::unlinked;

/// A reservation in the table for one more subtree.
#[doc(hidden)]
#[derive(Debug)]
pub struct Reservation(());

impl Reservation {
    /// Makes room for what a call may return or unlink.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error).
    pub fn for_one() -> Result<Self> {
        unlinked::reserve()?;
        Ok(Reservation(()))
    }

    /// Makes room for a result of the type `T`, if that is a part that moves.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error).
    #[inline(always)]
    pub fn for_result<T: Handle>() -> Result<Option<Self>> {
        match const { T::SPEC.is_tree_part() } {
            true => Self::for_one().map(Some),
            false => Ok(None),
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        unlinked::unreserve();
    }
}

/// A part, or the owner of parts, that a call has by `&mut`. After the call, the drop looks whether a part is linked.
#[doc(hidden)]
#[derive(Debug)]
pub struct Moving {
    kind: &'static HandleKind,
    raw: *mut (),
    /// The parent before the call; null for none.
    parent: *mut (),
    /// `None` for an owner, which does not move.
    _reservation: Option<Reservation>,
}

impl Moving {
    /// Watches a part, or the owner of parts, during a call; `None` for any other handle.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error).
    #[inline(always)]
    pub(crate) fn watch<T: Handle>(handle: &T) -> Result<Option<Self>> {
        match const { (T::SPEC.is_tree_part(), T::SPEC.owns_tree) } {
            (true, _) => Self::watch_part(Id::of(handle)).map(Some),
            (false, true) => Ok(Some(Self::owner(Id::of(handle)))),
            (false, false) => Ok(None),
        }
    }

    /// Notes the owner of a tree, for [`check_apart`]: [`Tree`](crate::Tree) gives it out several times.
    fn owner(owner: Id) -> Self {
        Moving {
            kind: owner.kind(),
            raw: owner.raw(),
            parent: ptr::null_mut(),
            _reservation: None,
        }
    }

    /// Returns whether the other handle is this one, perhaps by another type.
    fn is(&self, other: Id) -> bool {
        let is_same = match self.kind.tree() {
            // What is at the address of a part is that part.
            Some(_) => other.kind().is_view() && !other.kind().is_integer(),
            // A part may be at the address of its owner.
            None => ptr::eq(other.kind(), self.kind),
        };
        other.raw() == self.raw && is_same
    }

    #[inline(never)]
    fn watch_part(part: Id) -> Result<Self> {
        let reservation = Reservation::for_one()?;
        let parent = part.kind().tree().map_or(ptr::null_mut(), |ops| {
            // SAFETY: guarantee 3: the call has borrowed the part.
            unsafe { ops.parent(part.raw()) }
        });
        Ok(Moving {
            kind: part.kind(),
            raw: part.raw(),
            parent,
            _reservation: Some(reservation),
        })
    }
}

impl Drop for Moving {
    fn drop(&mut self) {
        // An owner does not move.
        let Some(ops) = self.kind.tree() else { return };
        // SAFETY: guarantee 3: the call has borrowed the part; annotation `tree`: C released no part.
        let Some(owner) = (unsafe { self.kind.owner(self.raw) }) else {
            return;
        };
        // SAFETY: guarantee 3: the call has borrowed the part.
        let parent = unsafe { ops.parent(self.raw) };
        if self.parent != parent && !self.parent.is_null() && unlinked::is_any() {
            // The subtree that the part was in may have lost its witness.
            // SAFETY: annotation `tree`: C released no part, so the former parent is valid.
            unlinked::unsettle(unsafe { ops.topmost(self.parent, owner.raw()) });
        }
        // SAFETY: guarantee 3: the call has borrowed the part, and so its owner.
        if !unsafe { ops.is_unlinked(self.raw, owner.raw()) } {
            if unlinked::is_any() {
                unlinked::remove(self.raw);
            }
            return;
        }
        unlinked::insert(self.kind, self.raw, owner);
    }
}

/// Refuses a call that has one part by `&mut` and also as another argument, perhaps by another type; or that has the
/// owner of a tree so.
///
/// # Errors
///
/// [`Error::Busy`].
#[doc(hidden)]
#[inline(always)]
pub fn check_apart(moving: &[Option<Moving>], others: &[Option<Id>]) -> Result<()> {
    for (index, part) in moving.iter().enumerate() {
        let Some(part) = part else { continue };
        let mut moved = moving[..index].iter().flatten();
        let is_moved = moved.any(|it| part.is(Id::new(it.kind, it.raw)));
        if is_moved || others.iter().flatten().any(|other| part.is(*other)) {
            return Err(Error::Busy(part.kind.name()));
        }
    }
    Ok(())
}

/// The result of a call that may make a part.
#[doc(hidden)]
pub trait RegisterNew: Sized {
    /// Registers a part without a parent in the table of unlinked subtrees.
    fn register(self) -> Self;
}

impl<T: Handle> RegisterNew for Borrowed<'_, T> {
    #[inline(always)]
    fn register(self) -> Self {
        if const { T::SPEC.is_tree_part() } {
            register_part(T::kind(), self.raw().as_ptr().cast());
        }
        self
    }
}

impl<T: RegisterNew> RegisterNew for Option<T> {
    #[inline(always)]
    fn register(self) -> Self {
        self.map(RegisterNew::register)
    }
}

#[inline(never)]
fn register_part(kind: &'static HandleKind, raw: *mut ()) {
    // SAFETY: guarantee 14: C has just returned the part, which is valid as long as its owner.
    let owner = unsafe { kind.owner(raw) };
    if let (Some(ops), Some(owner)) = (kind.tree(), owner)
        // SAFETY: guarantee 3: the call has borrowed the owner.
        && unsafe { ops.is_unlinked(raw, owner.raw()) }
        && !unlinked::contains(raw)
    {
        unlinked::insert(kind, raw, owner);
    }
}
