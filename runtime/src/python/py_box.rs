//! A box in memory of Python's allocator, which is faster than C's for small objects and says when there is no memory.

use std::alloc::Layout;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;

/// A value in memory of Python's allocator. It is made and dropped by threads that are attached to the interpreter.
pub(super) struct PyBox<T>(NonNull<T>);

impl<T> PyBox<T> {
    /// Moves `value` into a box.
    ///
    /// # Errors
    ///
    /// `MemoryError`. The value is dropped then.
    #[inline]
    pub(super) fn new(_: Python<'_>, value: T) -> PyResult<Self> {
        // Python aligns its memory for all types of C.
        const { assert!(align_of::<T>() <= align_of::<usize>()) };
        let layout = Layout::new::<T>();
        // SAFETY: CPython: this thread is attached, as the token shows.
        let memory = unsafe { ffi::PyMem_Malloc(layout.size()) };
        match NonNull::new(memory.cast::<T>()) {
            // SAFETY: CPython: the memory is new, large enough and aligned.
            Some(memory) => unsafe {
                memory.write(value);
                Ok(PyBox(memory))
            },
            None => Err(no_memory()),
        }
    }
}

/// Returns the `MemoryError` for an object that cannot be made. It has no message, so nothing is allocated for it.
#[cold]
pub(super) fn no_memory() -> PyErr {
    PyMemoryError::new_err(())
}

impl<T> Deref for PyBox<T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: Rust: the value is there until the drop.
        unsafe { self.0.as_ref() }
    }
}

impl<T> DerefMut for PyBox<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: Rust: the value is there until the drop, and the box is borrowed exclusively.
        unsafe { self.0.as_mut() }
    }
}

impl<T> Drop for PyBox<T> {
    fn drop(&mut self) {
        // SAFETY: Rust: the value is dropped once. CPython: a box is part of a Python object, which is dropped by a
        // thread that is attached; `new` has allocated the memory.
        unsafe {
            self.0.drop_in_place();
            ffi::PyMem_Free(self.0.as_ptr().cast());
        }
    }
}

// SAFETY: Rust: a box is its value, as far as threads are concerned.
unsafe impl<T: Send> Send for PyBox<T> {}
// SAFETY: Rust: a box is its value, as far as threads are concerned.
unsafe impl<T: Sync> Sync for PyBox<T> {}
