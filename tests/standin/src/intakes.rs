//! Intakes, which Python callables fill.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// A callable that fills memory of C's.
#[derive(Attachment)]
pub(crate) struct Source(Callable);

#[callbacks(unsafe)]
impl Source {
    #[callback(ffi::load_t, args = (buffer.ptr, buffer.len, data), on_error = usize::MAX)]
    fn load(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        let count = buffer.capacity();
        self.0.call_into((count,), &mut buffer)
    }

    #[callback(ffi::input_t, args = (data, buffer.ptr, buffer.len), on_error = -1)]
    fn input(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        self.0.call_readinto(&mut buffer)
    }

    #[callback(
        ffi::items_t, args = (buffer.ptr, size, count, data), len = size.saturating_mul(count), on_error = usize::MAX
    )]
    fn items(&self, mut buffer: OutBuffer<'_>, size: usize, count: usize) -> Result<()> {
        self.0.call_into((size, count), &mut buffer)
    }

    #[callback(ffi::at_t, args = (data, buffer.ptr, buffer.len, offset), on_error = -1)]
    fn at(&self, mut buffer: OutBuffer<'_>, offset: i64) -> Result<c_int> {
        buffer.put(offset.to_string())?;
        self.0.call_readinto(&mut buffer)?;
        Ok(c_int::from(buffer.remaining() > 0))
    }
}

/// Memory that C asks for, `chunk` bytes at a time.
#[handle(raw = ffi::intake, release = ffi::intake_free)]
pub struct Intake;

#[methods(unsafe)]
impl Intake {
    /// Makes an intake.
    #[new]
    #[calls(ffi::intake_new, fails = null)]
    fn new(chunk: c_int) -> Result<Owned<Intake>>;

    /// What C read so far.
    #[getter]
    #[calls(ffi::intake_taken, args = (self, len), borrowed)]
    fn taken(&self) -> Option<Bytes>;

    #[rust_only]
    #[calls(ffi::intake_load, args = (self, source.load, source.data), fails = negative)]
    fn load_from(&mut self, source: &Source) -> Result<()>;

    #[rust_only]
    #[calls(ffi::intake_input, args = (self, source.input, source.data), fails = negative)]
    fn input_from(&mut self, source: &Source) -> Result<()>;

    #[rust_only]
    #[calls(ffi::intake_items, args = (self, size, count, source.items, source.data), fails = negative)]
    fn items_from(&mut self, size: usize, count: usize, source: &Source) -> Result<()>;

    #[rust_only]
    #[calls(ffi::intake_at, args = (self, source.at, source.data, offset), fails = negative)]
    fn at_from(&mut self, source: &Source, offset: i64) -> Result<c_int>;

    /// Has C read what `read(count)` returns, until that is empty.
    fn load(&mut self, read: Callable) -> Result<()> {
        self.load_from(&Source(read))
    }

    /// Has C read by `readinto`, until that returns 0.
    fn input(&mut self, readinto: Callable) -> Result<()> {
        self.input_from(&Source(readinto))
    }

    /// Has C read what `read(size, count)` returns, until that is empty.
    fn items(&mut self, size: usize, count: usize, read: Callable) -> Result<()> {
        self.items_from(size, count, &Source(read))
    }

    /// Has C read the number of the offset, and then once by `readinto`. Returns a status: 1 for less than C asked for.
    fn at(&mut self, offset: i64, readinto: Callable) -> Result<c_int> {
        self.at_from(&Source(readinto), offset)
    }
}
