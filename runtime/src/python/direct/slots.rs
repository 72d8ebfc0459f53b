//! Direct entries of special methods that call C or read a field: those of sequences, and of text; and that of
//! iterators over parts. CPython calls them through slots of the class, which have conventions of their own.
//!
//! Other special methods with bodies have none: PyO3's function of a slot collects no arguments and makes no object of
//! a number, so an entry that called the generated wrapper was slower by 30 to 110 instructions.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;

use super::calling::{call, replaced};
use super::method::DirectMethod;

/// The function of an entry for a special method, by the convention of its slot.
#[derive(Debug)]
pub(crate) enum Slot {
    Length(ffi::lenfunc),
    Truth(ffi::inquiry),
    Contains(ffi::objobjproc),
    Item(ffi::binaryfunc),
    Representation(ffi::reprfunc),
    Text(ffi::reprfunc),
    Next(ffi::iternextfunc),
}

impl Slot {
    /// Puts the function into its slot of `class`, and the one that PyO3 has put there into `replaced`. Does nothing
    /// where the slot is empty.
    ///
    /// # Safety
    ///
    /// PyO3 has made `class` for the module that is being initialized. The function is one of this module, for a method
    /// of the class that has `replaced`.
    pub(crate) unsafe fn install(
        &self,
        class: *mut ffi::PyTypeObject,
        replaced: &AtomicPtr<c_void>,
    ) {
        // SAFETY: the caller's promise. CPython: a class on the heap has these tables, which belong to it alone.
        unsafe {
            let mapping = &mut *(*class).tp_as_mapping;
            match *self {
                Slot::Length(function) => replace(&mut mapping.mp_length, function, replaced),
                Slot::Item(function) => replace(&mut mapping.mp_subscript, function, replaced),
                Slot::Truth(function) => {
                    replace(&mut (*(*class).tp_as_number).nb_bool, function, replaced);
                }
                Slot::Contains(function) => {
                    let sequence = &mut *(*class).tp_as_sequence;
                    replace(&mut sequence.sq_contains, function, replaced);
                }
                Slot::Representation(function) => {
                    replace(&mut (*class).tp_repr, function, replaced);
                }
                Slot::Text(function) => replace(&mut (*class).tp_str, function, replaced),
                Slot::Next(function) => replace(&mut (*class).tp_iternext, function, replaced),
            }
        }
    }
}

/// Puts `new` into a slot, and the function that is there into `replaced`.
fn replace<F: Copy>(slot: &mut Option<F>, new: F, replaced: &AtomicPtr<c_void>) {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    let Some(old) = *slot else {
        return;
    };
    // SAFETY: Rust: the function pointer has the size of the other pointer, as is asserted.
    let old = unsafe { std::mem::transmute_copy::<F, *mut c_void>(&old) };
    // Stored before the new function can be called.
    replaced.store(old, Ordering::Release);
    *slot = Some(new);
}

/// Enters a slot that takes the object alone. Returns an object, or null at the end of an iterator.
pub(crate) unsafe extern "C" fn unary<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it calls the slot of the receiver's class. `install` has replaced a function of this type.
    unsafe {
        match call::<M, true>(receiver, ptr::null(), 0) {
            Some(result) => result,
            None => {
                let pyo3: ffi::unaryfunc = std::mem::transmute(replaced::<M>());
                pyo3(receiver)
            }
        }
    }
}

pub(super) unsafe extern "C" fn item<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    key: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it calls the slot of the receiver's class with a key. `install` has replaced a function of this
    // type.
    unsafe {
        match call::<M, true>(receiver, &raw const key, 1) {
            Some(result) => result,
            None => {
                let pyo3: ffi::binaryfunc = std::mem::transmute(replaced::<M>());
                pyo3(receiver, key)
            }
        }
    }
}

pub(super) unsafe extern "C" fn length<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
) -> ffi::Py_ssize_t {
    // SAFETY: CPython: it calls the slot of the receiver's class. `install` has replaced a function of this type. The
    // result is a new reference to an `int`, or null.
    unsafe {
        match call::<M, true>(receiver, ptr::null(), 0) {
            Some(result) if result.is_null() => -1,
            Some(result) => {
                let length = ffi::PyLong_AsSsize_t(result);
                ffi::Py_DECREF(result);
                length
            }
            None => {
                let pyo3: ffi::lenfunc = std::mem::transmute(replaced::<M>());
                pyo3(receiver)
            }
        }
    }
}

pub(super) unsafe extern "C" fn truth<M: DirectMethod>(receiver: *mut ffi::PyObject) -> c_int {
    // SAFETY: CPython: it calls the slot of the receiver's class. `install` has replaced a function of this type.
    unsafe {
        match call::<M, true>(receiver, ptr::null(), 0) {
            Some(result) => truth_of(result),
            None => {
                let pyo3: ffi::inquiry = std::mem::transmute(replaced::<M>());
                pyo3(receiver)
            }
        }
    }
}

pub(super) unsafe extern "C" fn contains<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    element: *mut ffi::PyObject,
) -> c_int {
    // SAFETY: CPython: it calls the slot of the receiver's class with an object. `install` has replaced a function of
    // this type.
    unsafe {
        match call::<M, true>(receiver, &raw const element, 1) {
            Some(result) => truth_of(result),
            None => {
                let pyo3: ffi::objobjproc = std::mem::transmute(replaced::<M>());
                pyo3(receiver, element)
            }
        }
    }
}

/// Returns 1 for `True`, 0 for `False`, and -1 for null, with an exception set.
///
/// # Safety
///
/// `result` is a new reference to a `bool`, or null.
unsafe fn truth_of(result: *mut ffi::PyObject) -> c_int {
    if result.is_null() {
        return -1;
    }
    // SAFETY: the caller's promise. CPython: the object lives as long as the interpreter.
    unsafe {
        let is_true = ptr::eq(result, ffi::Py_True());
        ffi::Py_DECREF(result);
        c_int::from(is_true)
    }
}
