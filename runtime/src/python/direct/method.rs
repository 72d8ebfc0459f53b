//! A method with a direct entry, and what the entry gets from CPython.

use std::ffi::{CStr, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::AtomicPtr;
#[cfg(feature = "fault-injection")]
use std::sync::atomic::Ordering;

use pyo3::Borrowed as Object;
use pyo3::PyClass;
use pyo3::ffi;
use pyo3::prelude::*;

use crate::fork::is_release_waiting;
use crate::handle::kind::HandleKind;
use crate::python::object::{HandleClass, PyHandle};
use crate::python::state::quick::QuickBorrow;

/// The function of PyO3's that an entry replaces.
#[derive(Debug)]
pub struct Replaced {
    pub(crate) function: AtomicPtr<c_void>,
    /// Set once PyO3's function was called, which notes that its call site was reached.
    #[cfg(feature = "fault-injection")]
    is_noted: std::sync::atomic::AtomicBool,
}

impl Replaced {
    /// No function: the entry is not installed.
    #[expect(clippy::new_without_default, reason = "each is a static")]
    pub const fn new() -> Self {
        Replaced {
            function: AtomicPtr::new(ptr::null_mut()),
            #[cfg(feature = "fault-injection")]
            is_noted: std::sync::atomic::AtomicBool::new(false),
        }
    }

    /// Returns whether PyO3's function has to make the call, so that failpoints fail and call sites are noted.
    #[cfg(feature = "fault-injection")]
    pub(super) fn has_failpoints(&self) -> bool {
        crate::failpoint::is_armed() || !self.is_noted.swap(true, Ordering::Relaxed)
    }

    /// Returns false: without the feature `fault-injection` there are no failpoints.
    #[cfg(not(feature = "fault-injection"))]
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(super) fn has_failpoints(&self) -> bool {
        false
    }
}

/// A method with a direct entry. Implemented by [`__direct!`](crate::__direct).
///
/// # Safety
///
/// `NAME` is the Python name of the method of that handle's class.
pub unsafe trait DirectMethod: 'static {
    /// The name in Python.
    const NAME: &'static CStr;
    /// The number of arguments besides the receiver, by position.
    const ARGUMENTS: usize;
    /// The number of these that have no default.
    const REQUIRED: usize = Self::ARGUMENTS;
    /// Set if the call is given the token and may run Python code: PyO3 has to know that the thread is attached.
    const IS_WRAPPED: bool = false;

    /// The function of PyO3's.
    fn replaced() -> &'static Replaced;

    /// Calls the method. Returns `None` before the call if PyO3's function has to make it.
    fn call(receiver: Receiver<'_>, arguments: Arguments<'_>) -> Option<Reply>;
}

/// The object that a method is called on; none for a static method. Only a method of a handle borrows the object.
pub struct Receiver<'a> {
    pub(super) object: Option<Object<'a, 'a, HandleClass>>,
    pub(super) py: Python<'a>,
}

impl<'a> Receiver<'a> {
    /// No receiver.
    #[inline(always)]
    pub(crate) fn none(py: Python<'a>) -> Self {
        Receiver { object: None, py }
    }

    /// The interpreter.
    #[inline(always)]
    pub fn py(&self) -> Python<'a> {
        self.py
    }

    /// The receiver, as an object of its class.
    ///
    /// # Safety
    ///
    /// CPython calls a method of that class.
    #[inline(always)]
    pub unsafe fn object<C: PyClass>(&self) -> Option<Object<'a, 'a, C>> {
        // SAFETY: the caller's promise.
        self.object.map(|object| unsafe {
            Object::from_ptr(self.py, object.as_ptr()).cast_unchecked::<C>()
        })
    }

    /// Returns the receiver or its nearest ancestor, by first parents, that has this kind.
    #[inline]
    pub(super) fn find_ancestor(
        &self,
        kind: &'static HandleKind,
    ) -> Option<Object<'a, 'a, HandleClass>> {
        let mut object = self.object;
        while let Some(candidate) = object {
            let state = candidate.get().state();
            if ptr::eq(state.kind(), kind) {
                return Some(candidate);
            }
            object = state
                .parent_object()
                .map(|parent| parent.bind_borrowed(self.py));
        }
        None
    }

    /// Borrows the handle shared; `None` if that takes more than a glance.
    #[inline(always)]
    pub fn shared<T: PyHandle>(&self) -> Option<DirectBorrow<'a, T, false>> {
        self.object?
            .get()
            .state()
            .enter_quick::<false>()
            .map(DirectBorrow::of)
    }

    /// Borrows the handle exclusively; `None` if that takes more than a glance.
    #[inline(always)]
    pub fn exclusive<T: PyHandle>(&self) -> Option<DirectBorrow<'a, T, true>> {
        self.object?
            .get()
            .state()
            .enter_quick::<true>()
            .map(DirectBorrow::of)
    }

    /// Borrows nothing, for a static method; `None` if a release waits for its thread.
    #[inline(always)]
    pub fn nothing<T: PyHandle>(&self) -> Option<Nothing> {
        (!is_release_waiting()).then_some(Nothing)
    }
}

/// A borrowed handle, until this is dropped.
pub struct DirectBorrow<'a, T: PyHandle, const EXCLUSIVE: bool>(
    QuickBorrow<'a, EXCLUSIVE>,
    PhantomData<T>,
);

impl<'a, T: PyHandle, const EXCLUSIVE: bool> DirectBorrow<'a, T, EXCLUSIVE> {
    #[inline(always)]
    fn of(borrow: QuickBorrow<'a, EXCLUSIVE>) -> Self {
        DirectBorrow(borrow, PhantomData)
    }
}

/// The borrow of no handle.
#[derive(Debug)]
pub struct Nothing;

impl Nothing {
    /// Nothing.
    #[inline(always)]
    pub const fn get(&mut self) {}
}

impl<T: PyHandle> DirectBorrow<'_, T, false> {
    /// The handle.
    #[inline(always)]
    pub fn get(&mut self) -> &T {
        // SAFETY: guarantee 3: `enter_quick` has borrowed the handle. trait `DirectMethod`: CPython checks that the
        // receiver is an object of `T`'s class. trait `PyHandle`: such an object holds a pointer to a `T`.
        unsafe { T::from_raw(self.0.raw().cast()) }
    }
}

impl<T: PyHandle> DirectBorrow<'_, T, true> {
    /// The handle.
    #[inline(always)]
    pub fn get(&mut self) -> &mut T {
        // SAFETY: guarantee 4: `enter_quick` has borrowed the handle exclusively. trait `DirectMethod`: CPython checks
        // that the receiver is an object of `T`'s class. trait `PyHandle`: such an object holds a pointer to a `T`.
        unsafe { T::from_raw_mut(self.0.raw().cast()) }
    }
}

/// The positional arguments of a call.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    pub(super) next: *const *mut ffi::PyObject,
    /// The number of arguments that are left.
    pub(super) left: usize,
    pub(super) objects: PhantomData<&'a ()>,
}

impl<'a> Arguments<'a> {
    /// Takes the next argument.
    ///
    /// # Safety
    ///
    /// There is one.
    #[inline(always)]
    pub unsafe fn next(&mut self) -> Argument<'a> {
        // SAFETY: the caller's promise.
        unsafe {
            let object = *self.next;
            self.next = self.next.add(1);
            self.left = self.left.wrapping_sub(1);
            Argument(object, PhantomData)
        }
    }

    /// Takes the next argument; `None` if there is none, and for Python's `None`.
    #[inline(always)]
    pub fn next_given(&mut self) -> Option<Argument<'a>> {
        if self.left == 0 {
            return None;
        }
        // SAFETY: Rust: one is left, as was just asked.
        let argument = unsafe { self.next() };
        // SAFETY: CPython: the object lives as long as the interpreter.
        let none = unsafe { ffi::Py_None() };
        (!ptr::eq(argument.0, none)).then_some(argument)
    }
}

/// One argument of a call: a Python object that lives as long as the call.
#[derive(Debug, Clone, Copy)]
pub struct Argument<'a>(
    pub(super) *mut ffi::PyObject,
    pub(super) PhantomData<&'a ()>,
);

impl<'a> Argument<'a> {
    /// Extracts the value as PyO3 does. The error, if there is one, is in the value.
    #[inline(always)]
    pub fn extract<A: FromPyObject<'a, 'a>>(self, py: Python<'a>) -> Option<A> {
        // SAFETY: CPython: the caller of the method holds its arguments.
        A::extract(unsafe { Object::from_ptr(py, self.0) }).ok()
    }
}

/// The result of a call: a new reference, or null with an exception set. At the end of an iterator, null alone.
#[derive(Debug)]
pub struct Reply(pub(super) *mut ffi::PyObject);
