//! A box in memory of Python's allocator, which is faster than C's for small objects and says when there is no memory.

use std::alloc::Layout;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;

/// A value in memory of Python's allocator. It is made and dropped by threads that are attached to the interpreter.
pub(super) struct PyBox<T>(NonNull<T>);

impl<T> PyBox<T> {
    /// Makes a value in a box: in its place, because a large value that moves there stalls the processor.
    ///
    /// # Errors
    ///
    /// `MemoryError`. The value is made and dropped then.
    #[inline(always)]
    pub(super) fn new(_: Python<'_>, make: impl FnOnce() -> T) -> PyResult<Self> {
        // Python aligns its memory for all types of C.
        const { assert!(align_of::<T>() <= align_of::<usize>()) };
        let layout = Layout::new::<T>();
        // SAFETY: CPython: this thread is attached, as the token shows.
        let memory = unsafe { ffi::PyMem_Malloc(layout.size()) };
        match NonNull::new(memory.cast::<T>()) {
            // SAFETY: CPython: the memory is new, large enough and aligned.
            Some(memory) => unsafe {
                memory.write(make());
                Ok(PyBox(memory))
            },
            None => {
                drop_made(make);
                Err(no_memory())
            }
        }
    }

    /// Gives up the value, which is there until [`from_raw`](Self::from_raw).
    #[inline(always)]
    pub(super) fn into_raw(self) -> *mut T {
        ManuallyDrop::new(self).0.as_ptr()
    }

    /// Frees the memory of a box without dropping the value.
    ///
    /// # Safety
    ///
    /// As for [`from_raw`](Self::from_raw). This thread is attached to the interpreter.
    #[inline(always)]
    pub(super) unsafe fn free(raw: *mut T) {
        // SAFETY: the caller's promise; CPython: `new` has allocated the memory.
        unsafe { ffi::PyMem_Free(raw.cast()) };
    }

    /// Takes the value back.
    ///
    /// # Safety
    ///
    /// `raw` is that of [`into_raw`](Self::into_raw), and this is the only call for it.
    pub(super) unsafe fn from_raw(raw: *mut T) -> Self {
        // SAFETY: the caller's promise.
        PyBox(unsafe { NonNull::new_unchecked(raw) })
    }
}

/// Drops a value for which there is no box.
#[cold]
#[inline(never)]
fn drop_made<T>(make: impl FnOnce() -> T) {
    drop(make());
}

/// Returns the `MemoryError` for an object that cannot be made. It has no message, so nothing is allocated for it.
#[cold]
pub(super) fn no_memory() -> PyErr {
    PyMemoryError::new_err(())
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
