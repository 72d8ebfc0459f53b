//! The uses of handles by callbacks, which C passed the handles to.

use std::ptr;

use super::call::{Refused, Use, Uses, begin_claims};
use super::held_back::note_strays;
use super::keeping::kept_so_far;
use super::strays::may_hold;
use super::table::{Beginner, By, Claim, Claims};
use super::views::{check_exclusive, check_held, check_not_lent, claim_viewed, viewed};
use crate::children::{self, Id};
use crate::error::Result;
use crate::handle::{Borrowed, Handle, Owned, Resource};
use crate::interpreter::report;
use crate::side_table::{LentValues, lend_values};

/// A type of callback parameters that hold handles.
#[doc(hidden)]
pub trait Handles {
    /// Shows each of them.
    fn each(&self, show: &mut dyn FnMut(Id));
}

impl<T: Handle> Handles for Borrowed<'_, T> {
    fn each(&self, show: &mut dyn FnMut(Id)) {
        const {
            assert!(
                !T::SPEC.hides_owner(),
                "a callback cannot take a part that does not know its owner, because other code may use that exclusively, or \
                 release it: add `owner_field = …` to the annotation of the part, or annotate the part `callback_only`"
            );
        }
        show(Id::of::<T>(self));
    }
}

impl<T: Resource> Handles for Owned<'_, T> {
    fn each(&self, _: &mut dyn FnMut(Id)) {
        const {
            assert!(
                T::SPEC.parent.is_none(),
                "a callback cannot take a handle that lives in a parent: nobody would know in which one, so which has to \
                 outlive it. Let it take a reference, and make the handle by a method of its parent"
            );
        }
    }
}

impl<H: Handles> Handles for Option<H> {
    fn each(&self, show: &mut dyn FnMut(Id)) {
        self.iter().for_each(|handles| handles.each(show));
    }
}

impl<H: Handles> Handles for Vec<H> {
    fn each(&self, show: &mut dyn FnMut(Id)) {
        self.iter().for_each(|handles| handles.each(show));
    }
}

/// An argument that C passed to a callback, before the callback sees it.
#[doc(hidden)]
pub struct Passed<'a, T>(pub &'a T);

impl<T: Handles> Passed<'_, T> {
    /// Begins the use of the handles by the callback. What holds no handles has [`HoldsNone::begin`].
    ///
    /// # Errors
    ///
    /// [`Busy`](crate::Error::Busy) if another use excludes this one, [`Held`](crate::Error::Held) if a child holds the
    /// handle that C lends by another type.
    pub fn begin(self, exclusive: bool) -> Result<Passing> {
        loop {
            match self.begin_noted(exclusive) {
                Err(Refused::For(error)) => return Err(error),
                Err(Refused::Until(_)) => unreachable!("a callback does not wait"),
                Err(Refused::Changed) => {}
                Ok(passing) => return Ok(passing),
            }
        }
    }

    fn begin_noted(&self, exclusive: bool) -> Result<Passing, Refused> {
        let kept = kept_so_far();
        let (mut claims, mut strays, mut others) = (Claims::new(), Vec::new(), Vec::new());
        let (mut lent, mut counted, mut all) = (Vec::new(), Vec::new(), Vec::new());
        self.0.each(&mut |id| {
            all.push(id);
            Use::noted(id, exclusive).claim(&mut claims);
            strays.extend(children::stray(id));
            others.extend(viewed(id));
            counted
                .extend(children::resource_of(id).filter(|resource| resource.kind().is_counted()));
            // What keeps the handle, and its other parents, may have values, too.
            let kind = id.kind();
            if kind.calls_back() || kind.is_view() || kind.has_relatives() {
                let handles = children::ancestors(id).into_iter().chain([id]);
                lent.extend(handles.filter_map(|id| lend_values(id.kind(), id.raw())));
            }
        });
        for other in &others {
            claim_viewed(*other, exclusive, &mut claims);
        }
        claims.extend(
            strays
                .iter()
                .map(|resource| Claim::of(*resource, false).stray()),
        );
        let mut held = others.clone();
        for stray in &strays {
            // It may be in any handle of these kinds, with what C keeps there.
            let reached = children::reached_from_any(|kind| {
                may_hold(
                    ptr::from_ref(kind).addr(),
                    ptr::from_ref(stray.kind()).addr(),
                )
            });
            claims.extend(reached.iter().map(|id| Claim::of(*id, false)));
            held.extend(reached);
        }
        let uses = begin_claims(&claims, Beginner::here(By::Callback), kept, &mut None)?;
        // The claims before the look at the holders: a call that makes a holder is in the table until the holder is
        // known.
        check_held(&held).map_err(Refused::For)?;
        if exclusive {
            check_exclusive(&others).map_err(Refused::For)?;
            let mut all = all.into_iter();
            all.try_for_each(check_not_lent).map_err(Refused::For)?;
        }
        note_strays(strays);
        Ok(Passing {
            _uses: uses,
            _lent: lent,
            _owned: counted.into_iter().map(OneOwnerMore::of).collect(),
        })
    }
}

/// An owner of a counted object, for as long as a callback has the object: what C has the object in may be released
/// meanwhile.
#[derive(Debug)]
struct OneOwnerMore(Id);

impl OneOwnerMore {
    fn of(id: Id) -> Self {
        // SAFETY: annotation `callback`: C passed the object to the callback that is about to run, so it is valid.
        unsafe { id.kind().retain(id.raw()) };
        OneOwnerMore(id)
    }
}

impl Drop for OneOwnerMore {
    fn drop(&mut self) {
        // SAFETY: guarantee 2: `of` added this owner.
        if let Err(unreleased) = unsafe { self.0.kind().release(self.0.raw()) } {
            report(unreleased.error);
        }
    }
}

/// The use of the handles that C passed to a callback, until the callback has ended.
#[doc(hidden)]
#[derive(Debug)]
pub struct Passing {
    _uses: Uses,
    /// The values that the callback may borrow from the handles.
    _lent: Vec<LentValues>,
    _owned: Vec<OneOwnerMore>,
}

impl Passing {
    /// Ends the use: the callback has returned.
    pub fn end(self) {
        drop(self);
    }
}

/// The use of nothing.
#[doc(hidden)]
#[derive(Debug)]
pub struct NoUse;

impl NoUse {
    /// Nothing to end.
    pub fn end(self) {}
}

/// The answer for a parameter without handles.
#[doc(hidden)]
pub trait HoldsNone: Sized {
    /// Nothing to refuse.
    ///
    /// # Errors
    ///
    /// None.
    fn begin(self, _: bool) -> Result<NoUse> {
        Ok(NoUse)
    }
}

impl<T> HoldsNone for Passed<'_, T> {}
