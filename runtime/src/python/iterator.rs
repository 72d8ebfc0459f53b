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
use super::state::adoptions;
use crate::error::Error;
use crate::failpoint::FailPoint;
use crate::handle::kind::HandleKind;
use crate::handle::{Borrowed, Handle, Part};
use crate::interpreter::ReentrancyGuard;
use crate::iter::{Next, Successors};

/// Function that returns the object of the part that follows a position, and moves the position behind it. After an
/// error the position is as it was. Type-erased, so that one class serves all types.
type Advance = dyn for<'py> Fn(&mut Position, &Bound<'py, HandleClass>) -> PyResult<Option<Bound<'py, PyAny>>>
    + Send
    + Sync;

/// The position of an iterator.
enum Position {
    End,
    /// Before a part that is valid as long as its owner.
    Part(NonNull<()>),
    /// Between two parts that move, which their objects keep: the part that was given last, and the one that was next
    /// to it then.
    ///
    /// The next one comes if it is still there. Otherwise the iterator goes on behind the last one, if that is still
    /// there: so it finds what was put behind the last part of all, and passes what was taken out.
    Between(Option<Present>, Option<Present>),
}

// SAFETY: guarantee 3: the pointer is followed by calls that have entered the owner.
unsafe impl Send for Position {}

/// A part that moves, where an iterator has found it. It is there as long as it has the same parent.
struct Present {
    object: Py<HandleClass>,
    /// The address of the parent, which is compared only.
    parent: usize,
}

impl Present {
    /// Notes where `part` is.
    #[inline]
    fn new<T: PyHandle>(part: Borrowed<'_, T>, owner: &Bound<'_, HandleClass>) -> PyResult<Self> {
        let raw = part.raw().as_ptr().cast();
        let object = tree_part::<T>(owner.py(), raw, owner)?.unbind();
        let parent = parent_of::<T>(raw);
        Ok(Present { object, parent })
    }

    /// Releases the object at once. A direct entry does not tell PyO3 that the thread is attached, so a plain drop
    /// would put the release off.
    #[inline]
    fn release(self, py: Python<'_>) {
        drop(self.object.into_bound(py));
    }

    /// Returns the part, if it is still there.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the object of the part was closed.
    #[inline]
    fn part<T: Handle>(&self, owner: &HandleClass) -> Result<Option<Borrowed<'_, T>>, Error> {
        let Some(raw) = self.object.get().state().raw_of_part(owner) else {
            return match self.was_adopted(owner) {
                true => Ok(None),
                false => Err(Error::Closed(T::NAME)),
            };
        };
        // SAFETY: guarantee 26: the call has entered the owner, and the part's object is open, so the part is valid.
        let part = unsafe { Borrowed::<T>::from_raw(raw.cast()) };
        Ok(part.filter(|_| parent_of::<T>(raw) == self.parent))
    }

    /// Returns whether another owner adopted the part.
    #[cold]
    fn was_adopted(&self, owner: &HandleClass) -> bool {
        !ptr::eq(
            self.object.get().state().resource(),
            owner.state().resource(),
        )
    }
}

/// Returns the address of the parent of a part that moves, which is valid.
#[inline]
fn parent_of<T: Handle>(raw: *mut ()) -> usize {
    let Some(ops) = T::kind().tree() else {
        unreachable!("the part moves")
    };
    // SAFETY: guarantee 26: the callers have the part.
    unsafe { ops.parent(raw) }.addr()
}

impl Position {
    /// Returns the position before `part`.
    #[inline]
    fn before<T: PyHandle + Part>(
        part: Option<Borrowed<'_, T>>,
        owner: &Bound<'_, HandleClass>,
    ) -> PyResult<Self> {
        match part {
            None => Ok(Position::End),
            Some(part) if !const { T::SPEC.is_tree_part() } => {
                Ok(Position::Part(part.raw().cast()))
            }
            Some(part) => Ok(Position::Between(None, Some(Present::new(part, owner)?))),
        }
    }

    fn release(self, py: Python<'_>) {
        if let Position::Between(last, next) = self {
            let presents = last.into_iter().chain(next);
            presents.for_each(|present| present.release(py));
        }
    }

    /// Iterates over the objects that the position keeps.
    fn objects(&self) -> impl Iterator<Item = &Py<HandleClass>> {
        let (last, next) = match self {
            Position::Between(last, next) => (last.as_ref(), next.as_ref()),
            Position::End | Position::Part(_) => (None, None),
        };
        last.into_iter().chain(next).map(|present| &present.object)
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

    /// Calls `each` with the objects that the position keeps. The garbage collector calls this.
    fn visit<E>(&self, each: impl FnMut(&Py<HandleClass>) -> Result<(), E>) -> Result<(), E> {
        // SAFETY: CPython: the collector runs on a thread with the GIL, while no other code does.
        unsafe { &*self.0.get() }.objects().try_for_each(each)
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

    fn visit<E>(&self, each: impl FnMut(&Py<HandleClass>) -> Result<(), E>) -> Result<(), E> {
        // The collector runs while no other thread does, so the lock is free, or this thread is moving the position.
        match self.0.try_lock() {
            Ok(position) => position.objects().try_for_each(each),
            Err(_) => Ok(()),
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
    /// Returns the part that follows the present position, and moves on.
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
        let mut position = self.place.replace(py, Position::End);
        if matches!(position, Position::End) {
            return Ok(None);
        }
        let object = (self.advance)(&mut position, owner);
        self.place.replace(py, position).release(py);
        object
    }
}

crate::__site!(SITE, "PartIterator.__next__", "");
const NEXT: &MethodInfo = &MethodInfo::new(&SITE, 0, true);

#[pymethods]
impl PartIterator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.place.visit(|object| visit.call(object))?;
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
    let position = Position::before(steps.current, owner)?;
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

fn advance<'py, T: PyHandle + Part>(
    position: &mut Position,
    owner: &Bound<'py, HandleClass>,
    step: Next<T>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = owner.py();
    match position {
        Position::End => Ok(None),
        Position::Part(raw) => {
            // SAFETY: guarantee 3: the call has entered the owner, of which `iterator_into_py` or the step before took
            // the part. trait `Part`: so the part is valid.
            let Some(part) = (unsafe { Borrowed::<T>::from_raw(raw.as_ptr().cast()) }) else {
                unreachable!("the pointer is not null")
            };
            let next = follow(part, owner.get(), step);
            let next = next.map_err(|error| to_pyerr(py, error))?;
            let next = Position::before(next, owner)?;
            fail_at_object()?;
            let object = new_view(py, part, owner)?;
            *position = next;
            Ok(Some(object))
        }
        Position::Between(last, next) => {
            let error = |error| to_pyerr(py, error);
            let there = match &next {
                Some(next) => next.part::<T>(owner.get()).map_err(error)?,
                None => None,
            };
            let (part, found) = match there {
                Some(part) => (part, None),
                None => {
                    let found = behind(last.as_ref(), next.as_ref(), owner.get(), step);
                    let Some(part) = found.map_err(error)? else {
                        std::mem::replace(position, Position::End).release(py);
                        return Ok(None);
                    };
                    (part, Some(Present::new(part, owner)?))
                }
            };
            let following = follow(part, owner.get(), step).map_err(error)?;
            let following = following
                .map(|part| Present::new(part, owner))
                .transpose()?;
            fail_at_object()?;
            let passed = std::mem::replace(next, following);
            let (given, gone) = match found {
                Some(found) => (Some(found), passed),
                None => (passed, None),
            };
            let object = given.as_ref().map(|given| given.object.bind(py).clone());
            let former = std::mem::replace(last, given);
            let left = former.into_iter().chain(gone);
            left.for_each(|present| present.release(py));
            Ok(object.map(Bound::into_any))
        }
    }
}

/// Returns the part behind the last one, where the next one is not there any more.
fn behind<'a, T: PyHandle + Part>(
    last: Option<&'a Present>,
    next: Option<&Present>,
    owner: &HandleClass,
    step: Next<T>,
) -> Result<Option<Borrowed<'a, T>>, Error> {
    let Some(last) = last else {
        return match next {
            Some(first) if first.was_adopted(owner) => Err(Error::Value(format!(
                "the {} that the iterator was at was adopted by another {}",
                T::NAME,
                T::Owner::NAME
            ))),
            _ => Ok(None),
        };
    };
    match last.part(owner) {
        Ok(Some(last)) => follow(last, owner, step),
        Ok(None) => Ok(None),
        // The last of all was given.
        Err(_) if next.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the part that follows `part` by the author's function.
#[inline]
fn follow<'a, T: Part>(
    part: Borrowed<'a, T>,
    owner: &HandleClass,
    step: Next<T>,
) -> Result<Option<Borrowed<'a, T>>, Error> {
    let next = step(part.get());
    next.map_or(Ok(()), |next| check_owner(next, owner))?;
    Ok(next)
}

fn fail_at_object() -> PyResult<()> {
    match SITE.should_fail(FailPoint::Object) {
        true => Err(no_memory()),
        false => Ok(()),
    }
}
