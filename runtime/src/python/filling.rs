//! Python callables that fill memory of C's: with the bytes that they return, or by the protocol of `readinto`.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::call::PyCallArgs;
use pyo3::exceptions::{PyBufferError, PyOverflowError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyMemoryView};

use super::callable::Callable;
use crate::callback::OutBuffer;
use crate::error::{Error, Result};
use crate::interpreter::new_exception;

/// The most bytes that `readinto` is asked for in one call: C may ask for more than there is memory.
const MOST_AT_ONCE: usize = 1 << 20;

impl Callable {
    /// Calls the callable with a tuple of arguments, and writes the bytes that it returns to memory that C asks for.
    ///
    /// The bytes are any object with the buffer protocol, such as `bytes` or a `memoryview`. There may be fewer than C
    /// asked for.
    ///
    /// # Errors
    ///
    /// The exception that the callable raised; `TypeError` for an object without the buffer protocol, such as a `str`
    /// or `None`; `BufferError` if the bytes do not lie one after the other; [`Error::Value`] for more bytes than there
    /// is room for. Nothing is written then.
    pub fn call_into(
        &self,
        arguments: impl for<'py> PyCallArgs<'py>,
        buffer: &mut OutBuffer<'_>,
    ) -> Result<()> {
        self.with(|callable| {
            let bytes = bytes_of(&callable.call1(arguments)?)?;
            put(&bytes, bytes.len_bytes(), buffer)
        })
    }

    /// Calls the callable as Python's `readinto`: with a writable memoryview. It writes to the beginning of that, and
    /// returns the number of bytes.
    ///
    /// The memoryview has the length that C asked for, but at most a mebibyte. Its memory is a `bytearray`: what was
    /// written to that is copied to C's memory, and then the memoryview is released. So the callable may keep the
    /// memoryview, or slices of it.
    ///
    /// # Errors
    ///
    /// The exception that the callable raised; `TypeError` if it returned no integer; [`Error::Value`] for a negative
    /// number, or for more bytes than the memoryview has; `MemoryError`. Nothing is written then.
    pub fn call_readinto(&self, buffer: &mut OutBuffer<'_>) -> Result<()> {
        let room = buffer.remaining().min(MOST_AT_ONCE);
        self.with(|callable| {
            let py = callable.py();
            let zeros = PyByteArray::new_with(py, room, |_| Ok(()))?;
            // While the bytes are used here, nobody can make the `bytearray` shorter.
            let bytes = bytes_of(&zeros)?;
            let view = PyMemoryView::from(&zeros)?;
            let returned = callable.call1((&view,));
            // Refused where the callable has kept a slice of the memoryview. That is one of the `bytearray` for ever.
            let _ = view.call_method0("release");
            let written = written_of(&returned?, room)?;
            put(&bytes, written, buffer)
        })
    }
}

/// Returns the number of bytes that a callable says that it wrote, of `room`.
fn written_of(returned: &Bound<'_, PyAny>, room: usize) -> Result<usize> {
    let written = match returned.extract::<i64>() {
        Err(error) if error.is_instance_of::<PyOverflowError>(returned.py()) => None,
        written => usize::try_from(written?).ok(),
    };
    let written = written.filter(|written| *written <= room);
    written.ok_or_else(|| {
        Error::Value(format!(
            "the number of bytes that a callable wrote to a memoryview of {room} is negative, or more than that"
        ))
    })
}

/// Returns the bytes of an object with the buffer protocol, which stay where they are.
fn bytes_of(object: &Bound<'_, PyAny>) -> PyResult<PyUntypedBuffer> {
    let bytes = PyUntypedBuffer::get(object)?;
    match bytes.is_c_contiguous() {
        true => Ok(bytes),
        false => {
            let message = "contiguous bytes are needed: return a copy, such as bytes(buffer)";
            Err(new_exception::<PyBufferError>(object.py(), message))
        }
    }
}

/// Writes the first `count` bytes to C's memory: at most as many as there are.
fn put(bytes: &PyUntypedBuffer, count: usize, buffer: &mut OutBuffer<'_>) -> Result<()> {
    let count = count.min(bytes.len_bytes());
    // SAFETY: PyO3: so many bytes are there until the buffer is dropped, one after the other, as `bytes_of` asked.
    unsafe { buffer.put_raw(bytes.buf_ptr().cast_const().cast(), count) }
}
