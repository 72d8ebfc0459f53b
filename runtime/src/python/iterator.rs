//! The Python iterator over the parts of a handle.

use std::ptr::NonNull;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;

use super::enter::{Context, Hold, Lock, Mode, alone};
use super::handle::{HandleClass, PyHandle, view};
use crate::handle::{Borrowed, Handle, Part};
use crate::steps::{Step, Steps};

/// The present position: erased, so that one class serves all types.
struct Position {
    current: Option<NonNull<()>>,
    advance: Box<Advance>,
}

type Advance = dyn for<'py> Fn(
        Python<'py>,
        NonNull<()>,
        Bound<'py, HandleClass>,
    ) -> PyResult<(Bound<'py, PyAny>, Option<NonNull<()>>)>
    + Send
    + Sync;

// SAFETY: the pointer is only followed while the owner is entered.
unsafe impl Send for Position {}

/// Iterates over the parts of a handle. It keeps the handle; `next()` raises ClosedError once that is closed.
#[pyclass(name = "PartIterator", frozen)]
pub struct PartIterator {
    owner: Py<HandleClass>,
    position: Mutex<Position>,
}

struct Shared<'a>(&'a HandleClass);

impl Lock for Shared<'_> {
    fn hold(&self) -> Option<Hold<'_>> {
        Some(Hold::new(self.0, Mode::Shared))
    }
}

#[pymethods]
impl PartIterator {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let owner = self.owner.bind(py);
        alone(py, true, &[&Shared(owner.get())], |_| {
            let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(current) = position.current else {
                return Ok(None);
            };
            let (object, next) = (position.advance)(py, current, owner.clone())?;
            position.current = next;
            Ok(Some(object))
        })
    }
}

pub(super) fn give<'py, T: PyHandle + Part>(
    steps: Steps<'_, T>,
    context: &Context<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let owner = context.nearest(T::Owner::kind())?;
    let position = Position {
        current: steps.current.map(|part| part.raw().cast()),
        advance: Box::new(move |py, current, owner| advance(py, current, owner, steps.next)),
    };
    let iterator = PartIterator {
        owner: owner.unbind(),
        position: Mutex::new(position),
    };
    Ok(Bound::new(context.py(), iterator)?.into_any())
}

fn advance<'py, T: PyHandle + Part>(
    py: Python<'py>,
    current: NonNull<()>,
    owner: Bound<'py, HandleClass>,
    step: Step<T>,
) -> PyResult<(Bound<'py, PyAny>, Option<NonNull<()>>)> {
    // SAFETY: `give` made the pointer from a part of `owner`, which is held while this runs.
    let Some(part) = (unsafe { Borrowed::<T>::lend(current.cast::<T::Raw>().as_ptr()) }) else {
        unreachable!("a position is never null")
    };
    let next = step(part.get()).map(|next| next.raw().cast());
    Ok((view(py, part, owner)?, next))
}
