//! The call of a method by its direct entry.

use std::ffi::{c_int, c_void};
use std::hint::assert_unchecked;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use pyo3::Borrowed;
use pyo3::ffi;
use pyo3::impl_::trampoline::{MethodDef, objobjproc};
use pyo3::prelude::*;

use super::method::{Arguments, DirectMethod, Receiver, Reply};
use super::values::raise_panic;
use crate::python::object::HandleClass;

/// Calls the method, or returns `None` before the call.
///
/// # Safety
///
/// CPython calls a method of `M`'s class on `receiver`, if it `HAS_RECEIVER`, with `count` objects at `arguments`: at
/// least [`DirectMethod::REQUIRED`], and at most [`DirectMethod::ARGUMENTS`].
#[inline(always)]
pub(super) unsafe fn call<M: DirectMethod, const HAS_RECEIVER: bool>(
    receiver: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
) -> Option<*mut ffi::PyObject> {
    if cfg!(Py_GIL_DISABLED) || M::replaced().has_failpoints() {
        return None;
    }
    if !M::IS_WRAPPED {
        // SAFETY: the caller's promise.
        return unsafe { call_attached::<M, HAS_RECEIVER>(receiver, arguments, count) };
    }
    let mut passed = Passed {
        arguments,
        count,
        reply: None,
    };
    // SAFETY: the caller's promise: CPython calls, so this thread is attached. PyO3 passes on both pointers.
    unsafe {
        pass_on::<M, HAS_RECEIVER>(receiver, &raw mut passed);
    }
    passed.reply
}

/// The arguments and the reply of a call that PyO3 passes on.
struct Passed {
    arguments: *const *mut ffi::PyObject,
    count: usize,
    reply: Option<*mut ffi::PyObject>,
}

/// A call that PyO3 passes on: it knows then that the thread is attached.
struct PassedOn<M, const HAS_RECEIVER: bool>(PhantomData<M>);

impl<M: DirectMethod, const HAS_RECEIVER: bool> MethodDef<objobjproc::Func>
    for PassedOn<M, HAS_RECEIVER>
{
    const METH: objobjproc::Func = call_passed::<M, HAS_RECEIVER>;
}

/// Lets PyO3 pass a call on.
///
/// # Safety
///
/// As for [`call`]. `passed` is valid.
#[inline(always)]
unsafe fn pass_on<M: DirectMethod, const HAS_RECEIVER: bool>(
    receiver: *mut ffi::PyObject,
    passed: *mut Passed,
) {
    // SAFETY: the caller's promise. PyO3 does not look at the pointers.
    unsafe { objobjproc::<PassedOn<M, HAS_RECEIVER>>(receiver, passed.cast()) };
}

/// # Safety
///
/// As for [`call`]. `passed` is a valid [`Passed`].
unsafe fn call_passed<M: DirectMethod, const HAS_RECEIVER: bool>(
    _: Python<'_>,
    receiver: *mut ffi::PyObject,
    passed: *mut ffi::PyObject,
) -> PyResult<c_int> {
    // SAFETY: the caller's promise.
    unsafe {
        let passed = &mut *passed.cast::<Passed>();
        passed.reply = call_attached::<M, HAS_RECEIVER>(receiver, passed.arguments, passed.count);
    }
    Ok(0)
}

/// Calls the method, or returns `None` before the call.
///
/// # Safety
///
/// As for [`call`].
#[inline(always)]
unsafe fn call_attached<M: DirectMethod, const HAS_RECEIVER: bool>(
    receiver: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
) -> Option<*mut ffi::PyObject> {
    // SAFETY: the caller's promise: CPython calls, so this thread is attached.
    let py = unsafe { Python::assume_attached() };
    let object = HAS_RECEIVER.then(|| {
        // SAFETY: the caller's promise: CPython's caller holds the receiver, an object of the class. Only methods of
        // handles read it as a `HandleClass`.
        unsafe {
            assert_unchecked(!receiver.is_null());
            Borrowed::from_ptr(py, receiver).cast_unchecked::<HandleClass>()
        }
    });
    let receiver = Receiver { object, py };
    let arguments = Arguments {
        next: arguments,
        left: count,
        objects: PhantomData,
    };
    match catch_unwind(AssertUnwindSafe(|| M::call(receiver, arguments))) {
        Ok(reply) => reply.map(|Reply(object)| object),
        Err(payload) => Some(raise_panic(py, payload)),
    }
}

/// The function of PyO3's.
#[cold]
pub(super) fn replaced<M: DirectMethod>() -> *mut c_void {
    M::replaced().function.load(Ordering::Acquire)
}
