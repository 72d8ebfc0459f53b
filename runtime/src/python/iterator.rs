//! The Python iterator over the parts of a handle.

use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::call::{CallContext, MethodInfo, call_beside};
use super::exceptions::to_pyerr;
use super::object::{HandleClass, PyHandle, check_owner, view};
use super::py_box::no_memory;
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::handle::kind::HandleKind;
use crate::handle::{Borrowed, Handle, Part};
use crate::iter::{Next, Successors};

/// Function that converts the part at a position, and returns the next position. Type-erased, so that one class serves
/// all types.
type Advance = dyn for<'py> Fn(
        &CallContext<'_, 'py>,
        NonNull<()>,
        Bound<'py, HandleClass>,
    ) -> PyResult<(Bound<'py, PyAny>, Position)>
    + Send
    + Sync;

/// The position of an iterator: its current part, or `None` at the end.
#[derive(Clone, Copy)]
struct Position(Option<NonNull<()>>);

// SAFETY: guarantee 3: the pointer is followed by calls that have entered the owner.
unsafe impl Send for Position {}

/// Iterates over the parts of a handle, and keeps the handle alive. `next()` raises ClosedError if the handle is
/// closed.
#[pyclass(name = "PartIterator", frozen)]
pub struct PartIterator {
    owner: Py<HandleClass>,
    /// The owner's generation when the iterator was made, and the kind of the parts. `None` for parts that are not
    /// `until_mut`. The iterator is stale if the generation has changed.
    until_mut: Option<(u64, &'static HandleKind)>,
    position: Mutex<Position>,
    advance: Box<Advance>,
}

impl PartIterator {
    fn swap(&self, position: Position) -> Position {
        let mut present = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut present, position)
    }
}

crate::__site!(SITE, "PartIterator.__next__", "");
const NEXT: &MethodInfo = &MethodInfo::new(&SITE, 0, true);

#[pymethods]
impl PartIterator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.owner)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let owner = self.owner.bind(py);
        call_beside(py, owner, NEXT, |context| {
            if let Some((made, kind)) = self.until_mut
                && made != owner.get().state().generation_with_ancestors()
            {
                return Err(to_pyerr(py, Error::Stale(kind.name())));
            }
            // The lock is not held while Python objects are made: that may run anything, this iterator included.
            let Position(Some(current)) = self.swap(Position(None)) else {
                return Ok(None);
            };
            match (self.advance)(context, current, owner.clone()) {
                Ok((object, next)) => {
                    self.swap(next);
                    Ok(Some(object))
                }
                Err(error) => {
                    self.swap(Position(Some(current)));
                    Err(error)
                }
            }
        })
    }
}

pub(super) fn iterator_into_py<'py, T: PyHandle + Part>(
    steps: Successors<'_, T>,
    context: &CallContext<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let owner = context.find_ancestor(T::Owner::kind())?;
    if context.site().should_fail(FailPoint::Object) {
        return Err(no_memory());
    }
    let check = |part: Borrowed<'_, T>| check_owner(part, owner.get());
    let checked = steps.current.map_or(Ok(()), check);
    checked.map_err(|error| to_pyerr(context.py(), error))?;
    let kind = T::kind();
    let generation = owner.get().state().generation_with_ancestors();
    let iterator = PartIterator {
        owner: owner.unbind(),
        until_mut: kind.is_until_mut().then_some((generation, kind)),
        position: Mutex::new(Position(steps.current.map(|part| part.raw().cast()))),
        advance: Box::new(move |context, current, owner| {
            advance(context, current, owner, steps.next)
        }),
    };
    Ok(Bound::new(context.py(), iterator)?.into_any())
}

fn advance<'py, T: PyHandle + Part>(
    context: &CallContext<'_, 'py>,
    current: NonNull<()>,
    owner: Bound<'py, HandleClass>,
    step: Next<T>,
) -> PyResult<(Bound<'py, PyAny>, Position)> {
    // SAFETY: guarantee 3: the call has entered the owner, of which `give` or the step before took the part. trait
    // `Part`: so the part is valid.
    let Some(part) = (unsafe { Borrowed::<T>::from_raw(current.cast::<T::Raw>().as_ptr()) }) else {
        unreachable!("a position is never null")
    };
    let next = step(part.get());
    let checked = next.map_or(Ok(()), |next| check_owner(next, owner.get()));
    checked.map_err(|error| to_pyerr(context.py(), error))?;
    let next = next.map(|next| next.raw().cast());
    Ok((view(context, part, owner)?, Position(next)))
}
