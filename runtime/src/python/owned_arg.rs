//! Handles that a method takes from their Python objects: `Owned<T>` arguments.

use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use pyo3::Borrowed;
use pyo3::PyTypeInfo;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;

use super::call::{BorrowRequest, BorrowTarget, CallContext, Mode};
use super::exceptions::to_pyerr;
use super::extract::{PyArgument, converted};
use super::object::PyHandle;
use super::state::{ResourceState, left_fields};
use crate::body_arguments::BodyArgument;
use crate::handle::kind::Id;
use crate::handle::{Owned, PointerHandle, Resource, Transfer};

/// An `Owned<T>` argument from Python: a handle whose resource the call takes.
pub struct OwnedArg<'a, 'py, T: PyHandle>(PyResult<Borrowed<'a, 'py, T::Class>>);

impl<'a, 'py, T: PyHandle> FromPyObject<'a, 'py> for OwnedArg<'a, 'py, T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(OwnedArg(<T as PyArgument>::extract(object)))
    }
}

impl<'a, 'py, T: PyHandle> OwnedArg<'a, 'py, T> {
    /// Returns the argument for the object that a method was called on.
    #[doc(hidden)]
    pub fn of(object: &'a Bound<'py, T::Class>) -> Self {
        OwnedArg(Ok(object.as_borrowed()))
    }
}

impl<T: PyHandle> BorrowTarget for OwnedArg<'_, '_, T> {
    fn borrow_request(&self) -> Option<BorrowRequest<'_>> {
        T::borrow_request(self.0.as_ref().ok()?, Mode::Exclusive).map(BorrowRequest::giving)
    }

    fn error(&self) -> Option<&PyErr> {
        self.0.as_ref().err()
    }
}

impl<T: PyHandle + Resource + PointerHandle> OwnedArg<'_, '_, T> {
    /// Takes the resource out of its Python object, for C, after releasing the handles that live in it.
    ///
    /// # Errors
    ///
    /// The error of such a release, or a native child that still lives. The object then keeps the resource.
    ///
    /// # Safety
    ///
    /// The caller passes the result to the method of this call only.
    #[doc(hidden)]
    pub unsafe fn take<'h>(
        &'h self,
        context: &'h CallContext<'_, '_>,
    ) -> PyResult<OwnedArgGuard<'h, T>> {
        let object = converted(&self.0).as_super().get();
        let state = object.state().resource();
        let left = left_fields();
        context.borrowed_ptr(BorrowRequest::new(object, Mode::Exclusive));
        let raw = state.begin_transfer();
        let raw = raw.map_err(|error| to_pyerr(context.py(), error))?;
        Ok(OwnedArgGuard {
            // SAFETY: guarantee 7: the object just gave its pointer up (`begin_transfer`), and the call holds its
            // parent. trait `PyHandle`: an object of `T`'s class holds a pointer to a `T`.
            place: Some(Transfer::new(unsafe {
                Owned::<T>::from_raw_again(raw.cast())
            })),
            raw,
            state,
            left,
        })
    }

    /// Takes the resource out of its Python object, for a method that keeps it, after releasing the handles that live
    /// in it. The first item of the result opens the object again if the method fails.
    ///
    /// # Errors
    ///
    /// As for [`OwnedArg::take`].
    ///
    /// # Safety
    ///
    /// The caller passes the handle to the method of this call only. The signature of the method limits `'p`, unless
    /// the handle lives in no other one.
    #[doc(hidden)]
    pub unsafe fn give<'h, 'p>(
        &'h self,
        context: &'h CallContext<'_, '_>,
    ) -> PyResult<(GivenArg<'h>, Owned<'p, T>)> {
        // SAFETY: the caller's promise.
        let mut taken = unsafe { self.take(context) }?;
        let id = Id::new(T::kind(), taken.raw.as_ptr());
        let object = ptr::from_ref(taken.state).addr();
        let argument =
            BodyArgument::begin(id, object).map_err(|error| to_pyerr(context.py(), error))?;
        match taken.place.take() {
            Some(handle) => handle.rollback(),
            None => unreachable!("it was not given yet"),
        }
        let (raw, state) = (taken.raw, taken.state);
        std::mem::forget(taken);
        let given = GivenArg {
            argument: Some(argument),
            raw,
            state,
        };
        // SAFETY: guarantee 7: the pointer was just taken out of its place.
        Ok((given, unsafe { Owned::from_raw_again(raw.cast()) }))
    }
}

/// Takes the resource of an argument that may be `None`: [`OwnedArg::give`].
///
/// # Errors
///
/// As for [`OwnedArg::take`].
///
/// # Safety
///
/// As for [`OwnedArg::give`].
#[doc(hidden)]
pub unsafe fn give_optional<'h, 'p, T: PyHandle + Resource + PointerHandle>(
    argument: &'h Option<OwnedArg<'_, '_, T>>,
    context: &'h CallContext<'_, '_>,
) -> PyResult<(Option<GivenArg<'h>>, Option<Owned<'p, T>>)> {
    let Some(argument) = argument else {
        return Ok((None, None));
    };
    // SAFETY: the caller's promise.
    let (given, handle) = unsafe { argument.give(context) }?;
    Ok((Some(given), Some(handle)))
}

/// A resource that was taken out of its Python object for C. The drop puts back a resource that C did not take over.
#[doc(hidden)]
pub struct OwnedArgGuard<'h, T: Resource> {
    place: Option<Transfer<'h, T>>,
    raw: NonNull<()>,
    state: &'h ResourceState,
    /// The number of [`left_fields`] before.
    left: usize,
}

impl<'h, T: Resource> Deref for OwnedArgGuard<'h, T> {
    type Target = Option<Transfer<'h, T>>;

    fn deref(&self) -> &Self::Target {
        &self.place
    }
}

impl<T: Resource> DerefMut for OwnedArgGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.place
    }
}

impl<T: Resource> Drop for OwnedArgGuard<'_, T> {
    fn drop(&mut self) {
        match self.place.take() {
            Some(handle) => {
                handle.rollback();
                self.state.end_transfer(self.raw, self.left);
            }
            None => self.state.transferred(self.raw),
        }
    }
}

/// The Python object of a handle that a method got as `Owned<T>`, until the outcome of the method is known.
#[doc(hidden)]
pub struct GivenArg<'h> {
    argument: Option<BodyArgument>,
    raw: NonNull<()>,
    state: &'h ResourceState,
}

impl GivenArg<'_> {
    /// Closes the object after the method has returned a result, and releases a handle that the method has dropped. If
    /// the method failed, opens the object again instead, unless the handle is elsewhere. The owner of a tree is not
    /// opened again: the method had its only guard, so it may have released parts that Python has objects of.
    fn end(&mut self, has_failed: bool) {
        let Some(argument) = self.argument.take() else {
            return;
        };
        let (is_dropped, is_given_back) = (argument.is_dropped(), argument.is_given_back());
        drop(argument);
        if is_given_back {
            return;
        }
        match (is_dropped, has_failed && !self.state.kind().owns_tree()) {
            (true, true) => self.state.put_back(self.raw),
            (true, false) => self.state.release_taken(self.raw),
            (false, _) => self.state.transferred(self.raw),
        }
    }
}

impl Drop for GivenArg<'_> {
    /// Ends a method that did not return.
    fn drop(&mut self) {
        self.end(true);
    }
}

/// The arguments that a method got by [`OwnedArg::give`] or [`give_optional`].
#[doc(hidden)]
pub trait GivenArgs {
    /// Settles who has the handle, when the method has returned, unless the result may contain the handle. Then
    /// [`GivenArgs::settle`] follows, when the result is converted.
    fn settle_before_result(&mut self, has_failed: bool);

    /// Settles who has the handle, when the method has returned.
    fn settle(self, has_failed: bool);
}

impl GivenArgs for GivenArg<'_> {
    fn settle_before_result(&mut self, has_failed: bool) {
        let is_owned = |argument: &BodyArgument| argument.is_owned();
        if has_failed || !self.argument.as_ref().is_some_and(is_owned) {
            self.end(has_failed);
        }
    }

    fn settle(mut self, has_failed: bool) {
        self.end(has_failed);
    }
}

impl GivenArgs for Option<GivenArg<'_>> {
    fn settle_before_result(&mut self, has_failed: bool) {
        let given = self.iter_mut();
        given.for_each(|given| given.settle_before_result(has_failed));
    }

    fn settle(self, has_failed: bool) {
        self.into_iter().for_each(|given| given.settle(has_failed));
    }
}
