//! The Python iterator over the parts of a handle.

#[cfg(not(Py_GIL_DISABLED))]
use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::adopt::RunningBody;
use super::call::{CallContext, MethodInfo, call_beside};
use super::direct::{Arguments, DirectMethod, Receiver, Replaced, Reply, Slot, unary};
use super::exceptions::to_pyerr;
use super::object::{HandleClass, PyHandle, check_owner, new_view, tree_part};
use super::py_box::no_memory;
use super::state::{HandleState, adoptions};
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::handle::kind::HandleKind;
use crate::handle::{Borrowed, Handle, Part};
use crate::interpreter::ReentrancyGuard;
use crate::iter::{Next, Successors};

/// Function that makes the object of the part at a position, unless the position has it, and returns the next position.
/// Type-erased, so that one class serves all types.
type Advance = dyn for<'py> Fn(
        &Position,
        &Bound<'py, HandleClass>,
    ) -> PyResult<(Option<Bound<'py, PyAny>>, Position)>
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
    #[inline]
    fn at<'py, T: PyHandle + Part>(
        part: Option<Borrowed<'_, T>>,
        owner: &Bound<'py, HandleClass>,
    ) -> PyResult<Self> {
        let Some(part) = part else {
            return Ok(Position::End);
        };
        let raw = part.raw().cast();
        if !const { T::SPEC.is_tree_part() } {
            return Ok(Position::Part(raw));
        }
        let object = tree_part::<T>(owner.py(), raw.as_ptr(), owner)?;
        Ok(Position::Object(object.unbind()))
    }
}

/// The place of the position. With a GIL nobody else looks at it meanwhile.
struct Place(
    #[cfg(not(Py_GIL_DISABLED))] UnsafeCell<Position>,
    #[cfg(Py_GIL_DISABLED)] std::sync::Mutex<Position>,
);

// SAFETY: CPython: only a thread with the GIL looks at the place, and runs no Python code meanwhile.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl Sync for Place {}

#[cfg(not(Py_GIL_DISABLED))]
impl Place {
    fn new(position: Position) -> Self {
        Place(UnsafeCell::new(position))
    }

    /// Puts a position there, and returns the former one.
    #[inline(always)]
    fn replace(&self, _: Python<'_>, position: Position) -> Position {
        // SAFETY: CPython: this thread has the GIL, as the token shows, and moving a value runs no Python code.
        std::mem::replace(unsafe { &mut *self.0.get() }, position)
    }

    /// Calls `each` with the object that the position keeps. The garbage collector calls this.
    fn visit<R>(&self, each: impl FnOnce(&Py<HandleClass>) -> R) -> Option<R> {
        // SAFETY: CPython: the collector runs on a thread with the GIL, while no other code does.
        match unsafe { &*self.0.get() } {
            Position::Object(object) => Some(each(object)),
            Position::End | Position::Part(_) => None,
        }
    }
}

#[cfg(Py_GIL_DISABLED)]
impl Place {
    fn new(position: Position) -> Self {
        Place(std::sync::Mutex::new(position))
    }

    fn replace(&self, _: Python<'_>, position: Position) -> Position {
        let present = self.0.lock();
        let mut present = present.unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::replace(&mut present, position)
    }

    fn visit<R>(&self, each: impl FnOnce(&Py<HandleClass>) -> R) -> Option<R> {
        // The collector runs while no other thread does, so the lock is free, or this thread is moving the position.
        match &*self.0.try_lock().ok()? {
            Position::Object(object) => Some(each(object)),
            Position::End | Position::Part(_) => None,
        }
    }
}

/// Iterates over the parts of a handle, and keeps the handle alive. `next()` raises ClosedError if the handle is
/// closed.
#[pyclass(name = "PartIterator", frozen)]
pub struct PartIterator {
    owner: Py<HandleClass>,
    /// The owner's generation when the iterator was made. `None` for parts that are not `until_mut`. The iterator is
    /// stale if the generation has changed.
    until_mut: Option<u64>,
    /// The kind of the parts, and the number of adoptions when the iterator was made.
    made: (&'static HandleKind, usize),
    place: Place,
    advance: Box<Advance>,
}

impl PartIterator {
    /// Returns the part at the present position, and moves on.
    #[inline(always)]
    fn step<'py>(&self, owner: &Bound<'py, HandleClass>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = owner.py();
        let (kind, then) = self.made;
        let state = owner.get().state();
        let is_stale = state.is_adopted_since(then)
            || self
                .until_mut
                .is_some_and(|made| made != state.generation_with_ancestors());
        if is_stale {
            return Err(to_pyerr(py, Error::Stale(kind.name())));
        }
        // Not kept there while Python objects are made: that may run anything, this iterator included.
        let current = self.place.replace(py, Position::End);
        if matches!(current, Position::End) {
            return Ok(None);
        }
        match (self.advance)(&current, owner) {
            Ok((object, next)) => {
                self.place.replace(py, next);
                Ok(match current {
                    Position::Object(object) => Some(object.into_bound(py).into_any()),
                    Position::End | Position::Part(_) => object,
                })
            }
            Err(error) => {
                self.place.replace(py, current);
                Err(error)
            }
        }
    }
}

crate::__site!(SITE, "PartIterator.__next__", "");
const NEXT: &MethodInfo = &MethodInfo::new(&SITE, 0, true);

#[pymethods]
impl PartIterator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.place.visit(|object| visit.call(object)).transpose()?;
        visit.call(&self.owner)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let owner = self.owner.bind(py);
        call_beside(py, owner, NEXT, |_| self.step(owner))
    }
}

/// The direct entry of `__next__`.
struct DirectNext;

// SAFETY: Rust: the method of this name is above.
unsafe impl DirectMethod for DirectNext {
    const NAME: &'static CStr = c"__next__";
    const ARGUMENTS: usize = 0;

    fn replaced() -> &'static Replaced {
        static REPLACED: Replaced = Replaced::new();
        &REPLACED
    }

    #[inline(always)]
    fn call(receiver: Receiver<'_>, _: Arguments<'_>) -> Option<Reply> {
        // SAFETY: CPython: it calls the slot of this class.
        let iterator = unsafe { receiver.object::<PartIterator>() }?.get();
        let owner = iterator.owner.bind(receiver.py());
        let _borrow = owner.get().state().enter_quick::<false>()?;
        // The function that finds the next part is the author's, and may attach this thread to run Python code.
        let _python = ReentrancyGuard::begin();
        // It gets no `&mut` to a part, without which nothing is adopted.
        let _running = RunningBody::none();
        let object = iterator.step(owner);
        Some(Reply::of(object.map(|object| {
            object.map_or(ptr::null_mut(), Bound::into_ptr)
        })))
    }
}

/// Installs the direct entry.
pub(super) fn install(py: Python<'_>) {
    let class = py.get_type::<PartIterator>().as_type_ptr();
    let function = &DirectNext::replaced().function;
    if function.load(Ordering::Acquire).is_null() {
        // SAFETY: CPython: PyO3 has made this class, on the heap. The function is that of `__next__`.
        unsafe { Slot::Next(unary::<DirectNext>).install(class, function) };
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
    let position = Position::at(steps.current, owner)?;
    let kind = T::kind();
    let generation = owner.get().state().generation_with_ancestors();
    let iterator = PartIterator {
        owner: owner.clone().unbind(),
        until_mut: kind.is_until_mut().then_some(generation),
        made: (kind, adoptions()),
        place: Place::new(position),
        advance: Box::new(move |current, owner| advance(current, owner, steps.next)),
    };
    Ok(Bound::new(context.py(), iterator)?.into_any())
}

/// Returns the error for a part that is no longer there: it was closed, or another owner adopted it.
#[cold]
fn lost<T: Part>(part: &HandleState, owner: &HandleState) -> Error {
    match ptr::eq(part.resource(), owner.resource()) {
        true => Error::Closed(T::NAME),
        false => Error::Value(format!(
            "the {} that the iterator was at was adopted by another {}",
            T::NAME,
            T::Owner::NAME
        )),
    }
}

fn advance<'py, T: PyHandle + Part>(
    current: &Position,
    owner: &Bound<'py, HandleClass>,
    step: Next<T>,
) -> PyResult<(Option<Bound<'py, PyAny>>, Position)> {
    let py = owner.py();
    let raw = match current {
        Position::End => ptr::null_mut(),
        Position::Part(part) => part.as_ptr(),
        Position::Object(object) => {
            let part = object.get().state();
            let raw = part.raw_of_part(owner.get());
            raw.ok_or_else(|| to_pyerr(py, lost::<T>(part, owner.get().state())))?
        }
    };
    // SAFETY: guarantee 3: the call has entered the owner, of which `iterator_into_py` or the step before took the
    // part. trait `Part`: so the part is valid. guarantee 26: so is a part that moves, as its object is open.
    let Some(part) = (unsafe { Borrowed::<T>::from_raw(raw.cast()) }) else {
        return Err(to_pyerr(py, Error::Closed(T::NAME)));
    };
    let next = step(part.get());
    let checked = next.map_or(Ok(()), |next| check_owner(next, owner.get()));
    checked.map_err(|error| to_pyerr(py, error))?;
    let next = Position::at(next, owner)?;
    if SITE.should_fail(FailPoint::Object) {
        return Err(no_memory());
    }
    let object = match current {
        Position::Object(_) => None,
        Position::End | Position::Part(_) => Some(new_view(py, part, owner)?),
    };
    Ok((object, next))
}
