//! The Python iterator over the parts of a handle.

use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::call::{CallContext, MethodInfo, call_beside};
use super::exceptions::to_pyerr;
use super::object::{HandleClass, PyHandle, check_owner, new_view, view};
use super::py_box::no_memory;
use super::state::adoptions;
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::handle::kind::HandleKind;
use crate::handle::{Borrowed, Handle, Part};
use crate::iter::{Next, Successors};

/// Function that converts the part at a position, and returns the next position. Type-erased, so that one class serves
/// all types.
type Advance = dyn for<'py> Fn(
        &CallContext<'_, 'py>,
        &Position,
        Bound<'py, HandleClass>,
    ) -> PyResult<(Bound<'py, PyAny>, Position)>
    + Send
    + Sync;

/// The position of an iterator: its current part.
enum Position {
    End,
    /// A part that is valid as long as its owner.
    Part(NonNull<()>),
    /// A part that moves, which its object keeps.
    Object(Py<HandleClass>),
}

// SAFETY: guarantee 3: the pointer is followed by calls that have entered the owner.
unsafe impl Send for Position {}

impl Position {
    /// Returns the position at `part`.
    fn at<'py, T: PyHandle + Part>(
        part: Option<Borrowed<'_, T>>,
        owner: &Bound<'py, HandleClass>,
    ) -> PyResult<Self> {
        let Some(part) = part else {
            return Ok(Position::End);
        };
        if !const { T::SPEC.is_tree_part() } {
            return Ok(Position::Part(part.raw().cast()));
        }
        let object = new_view(owner.py(), part, owner.clone())?;
        // SAFETY: trait `PyHandle`: the class of a handle has this base class.
        let object = unsafe { object.cast_into_unchecked::<HandleClass>() };
        Ok(Position::Object(object.unbind()))
    }
}

/// Iterates over the parts of a handle, and keeps the handle alive. `next()` raises ClosedError if the handle is
/// closed.
#[pyclass(name = "PartIterator", frozen)]
pub struct PartIterator {
    owner: Py<HandleClass>,
    /// The owner's generation when the iterator was made, and the kind of the parts. `None` for parts that are not
    /// `until_mut`. The iterator is stale if the generation has changed.
    until_mut: Option<(u64, &'static HandleKind)>,
    /// The kind of the parts, and the number of adoptions when the iterator was made.
    made: (&'static HandleKind, usize),
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
        // The collector runs while no other thread does, so the lock is free, or this thread is moving the position.
        if let Ok(position) = self.position.try_lock()
            && let Position::Object(object) = &*position
        {
            visit.call(object)?;
        }
        visit.call(&self.owner)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let owner = self.owner.bind(py);
        call_beside(py, owner, NEXT, |context| {
            let (kind, then) = self.made;
            if owner.get().state().is_adopted_since(then) {
                return Err(to_pyerr(py, Error::Stale(kind.name())));
            }
            if let Some((made, kind)) = self.until_mut
                && made != owner.get().state().generation_with_ancestors()
            {
                return Err(to_pyerr(py, Error::Stale(kind.name())));
            }
            // The lock is not held while Python objects are made: that may run anything, this iterator included.
            let current = self.swap(Position::End);
            if matches!(current, Position::End) {
                return Ok(None);
            }
            match (self.advance)(context, &current, owner.clone()) {
                Ok((object, next)) => {
                    self.swap(next);
                    Ok(Some(object))
                }
                Err(error) => {
                    self.swap(current);
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
    let position = Position::at(steps.current, &owner)?;
    let kind = T::kind();
    let generation = owner.get().state().generation_with_ancestors();
    let iterator = PartIterator {
        owner: owner.unbind(),
        until_mut: kind.is_until_mut().then_some((generation, kind)),
        made: (kind, adoptions()),
        position: Mutex::new(position),
        advance: Box::new(move |context, current, owner| {
            advance(context, current, owner, steps.next)
        }),
    };
    Ok(Bound::new(context.py(), iterator)?.into_any())
}

fn adopted<T: Part>() -> String {
    format!(
        "the {} that the iterator was at was adopted by another {}",
        T::NAME,
        T::Owner::NAME
    )
}

fn advance<'py, T: PyHandle + Part>(
    context: &CallContext<'_, 'py>,
    current: &Position,
    owner: Bound<'py, HandleClass>,
    step: Next<T>,
) -> PyResult<(Bound<'py, PyAny>, Position)> {
    let raw = match current {
        Position::End => ptr::null_mut(),
        Position::Part(part) => part.as_ptr(),
        Position::Object(object) => {
            let (part, owner) = (object.get().state(), owner.get().state());
            // The call has borrowed the owner that the iterator keeps.
            if !ptr::eq(part.resource(), owner.resource()) {
                return Err(to_pyerr(context.py(), Error::Value(adopted::<T>())));
            }
            part.raw()
        }
    };
    // SAFETY: guarantee 3: the call has entered the owner, of which `give` or the step before took the part. trait
    // `Part`: so the part is valid. guarantee 26: so is a part that moves, as its object is open.
    let Some(part) = (unsafe { Borrowed::<T>::from_raw(raw.cast()) }) else {
        return Err(to_pyerr(context.py(), Error::Closed(T::NAME)));
    };
    let next = step(part.get());
    let checked = next.map_or(Ok(()), |next| check_owner(next, owner.get()));
    checked.map_err(|error| to_pyerr(context.py(), error))?;
    let next = Position::at(next, &owner)?;
    let object = match current {
        Position::Object(object) if context.site().should_fail(FailPoint::Object) => {
            Err(no_memory())
        }
        Position::Object(object) => Ok(object.bind(context.py()).clone().into_any()),
        Position::End | Position::Part(_) => view(context, part, owner),
    };
    Ok((object?, next))
}
