//! Memory that C asks a callback to fill.
//!
//! C's memory may be uninitialized, so no reference to a byte of it is made before that byte was written. What was
//! written is counted in [`OutMemory`], which the generated function owns: [`OutBuffer`] only borrows it, so the count
//! is right also if the method forgets the buffer or panics.

use std::ffi::c_void;
use std::fmt;
use std::io;
use std::ptr;

use crate::convert::memory::Count;
use crate::convert::shape::{Fills, Form};
use crate::error::{Error, Result};
use crate::panics::Caught;

/// Memory that C asks a callback to fill. A method of [`#[callbacks]`](crate::reference::callbacks) takes it by value;
/// see [Memory that C asks for](crate::reference::callback#memory-that-c-asks-for).
///
/// [`put`](OutBuffer::put), [`advance`](OutBuffer::advance) and [`io::Write`] write behind what was written before.
/// Less than the capacity is fine: C learns how much was written, or finds zeros in the rest.
pub struct OutBuffer<'a>(&'a mut OutMemory);

impl OutBuffer<'_> {
    /// Returns the number of bytes that C asked for.
    pub fn capacity(&self) -> usize {
        self.0.capacity
    }

    /// Returns the number of bytes that were written so far.
    pub fn written(&self) -> usize {
        self.0.written
    }

    /// Returns the number of bytes that there is still room for.
    pub fn remaining(&self) -> usize {
        self.0.capacity - self.0.written
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] if there is less room. Nothing is written then.
    pub fn put(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        let bytes = bytes.as_ref();
        // SAFETY: Rust: a slice points at its bytes.
        unsafe { self.put_raw(bytes.as_ptr(), bytes.len()) }
    }

    /// Writes `count` bytes.
    ///
    /// # Errors
    ///
    /// As for [`put`](OutBuffer::put).
    ///
    /// # Safety
    ///
    /// So many bytes are at `start`.
    pub(crate) unsafe fn put_raw(&mut self, start: *const u8, count: usize) -> Result<()> {
        self.check_room(count)?;
        let memory = &mut *self.0;
        // SAFETY: the caller's promise, for what is read. annotation `callback`: C's memory has room for `capacity`
        // bytes; guarantee 25: `count` of them are left.
        unsafe { ptr::copy(start, memory.start.add(memory.written), count) };
        memory.written += count;
        memory.initialized = memory.initialized.max(memory.written);
        Ok(())
    }

    /// Returns the rest of the memory, which is zeros at first. [`advance`](OutBuffer::advance) says how much of it was
    /// written.
    pub fn unwritten(&mut self) -> &mut [u8] {
        let memory = &mut *self.0;
        memory.initialize(memory.capacity);
        // SAFETY: annotation `callback`: C's memory has room for `capacity` bytes, which nothing else uses meanwhile;
        // guarantee 25: all of them are initialized.
        unsafe {
            std::slice::from_raw_parts_mut(
                memory.start.add(memory.written),
                memory.capacity - memory.written,
            )
        }
    }

    /// Counts the first `count` bytes of [`unwritten`](OutBuffer::unwritten) as written. What was not changed in it is
    /// zeros.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] if there are fewer.
    pub fn advance(&mut self, count: usize) -> Result<()> {
        self.check_room(count)?;
        self.0.initialize(self.0.written + count);
        self.0.written += count;
        Ok(())
    }

    fn check_room(&self, count: usize) -> Result<()> {
        let remaining = self.remaining();
        if count <= remaining {
            return Ok(());
        }
        let more = if self.0.written == 0 { "" } else { " more" };
        Err(Error::Value(format!(
            "a callback has {count} bytes, where C has asked for at most {remaining}{more}"
        )))
    }
}

// SAFETY: Rust: the type is `OutBuffer`, which `Fills` stands for.
unsafe impl Form<Fills> for OutBuffer<'_> {}

impl io::Write for OutBuffer<'_> {
    /// Writes as many of `bytes` as there is room for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(self.remaining());
        self.put(&bytes[..count]).map_err(io::Error::other)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for OutBuffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "OutBuffer({} of {} bytes)",
            self.0.written, self.0.capacity
        )
    }
}

/// The memory of an [`OutBuffer`], with what was written to it.
#[doc(hidden)]
#[derive(Debug)]
pub struct OutMemory {
    /// Dangling if C passed NULL: `capacity` is 0 then.
    start: *mut u8,
    capacity: usize,
    /// At most `initialized`.
    written: usize,
    /// The number of bytes at the start that may be read. At most `capacity`.
    initialized: usize,
    /// The number of bytes that C asked for without passing memory; `None` if it passed some.
    missing: Option<usize>,
}

impl OutMemory {
    /// Makes the memory that C passed.
    ///
    /// # Safety
    ///
    /// `start` is null, or has room for `capacity` bytes, which nothing else uses until the callback returns. They may
    /// be uninitialized. `capacity` is from [`length`].
    pub unsafe fn new(start: *mut u8, capacity: usize) -> Self {
        let missing = start.is_null().then_some(capacity);
        let (start, capacity) = match missing {
            Some(_) => (ptr::dangling_mut(), 0),
            None => (start, capacity),
        };
        OutMemory {
            start,
            capacity,
            written: 0,
            initialized: 0,
            missing,
        }
    }

    /// Returns the buffer for a method to which C has to pass memory: `None` for NULL, unless C asked for no bytes.
    pub fn buffer(&mut self) -> Option<OutBuffer<'_>> {
        match self.missing {
            None | Some(0) => Some(OutBuffer(self)),
            Some(_) => None,
        }
    }

    /// Returns the buffer for a method to which C may pass no memory: `None` for NULL.
    pub fn optional(&mut self) -> Option<OutBuffer<'_>> {
        match self.missing {
            None => Some(OutBuffer(self)),
            Some(_) => None,
        }
    }

    /// Refuses memory of which more could be written than a number of C's type can say. Returns the function that makes
    /// the number of bytes that were written, for C; where C gets no number, it zeros the rest.
    ///
    /// # Errors
    ///
    /// [`Error::Value`]
    pub fn counted_as<R: WrittenCount>(&self, name: &'static str) -> Result<fn(OutMemory) -> R> {
        match R::of(self.capacity) {
            Some(_) => Ok(OutMemory::into_count),
            None => Err(Error::Value(format!(
                "C asks a callback for {} bytes of {name}, and its return type has no such number",
                self.capacity
            ))),
        }
    }

    fn into_count<R: WrittenCount>(self) -> R {
        let written = self.written;
        if !R::IS_NUMBER {
            self.zero_rest();
        }
        match R::of(written) {
            Some(count) => count,
            None => unreachable!("the type has a number for the whole capacity"),
        }
    }

    /// Zeros what was not written, since C does not learn how much that is.
    pub fn zero_rest(mut self) {
        self.initialized = self.written;
        self.initialize(self.capacity);
    }

    /// Zeros the memory that C passed to a callback which failed.
    ///
    /// # Safety
    ///
    /// As for [`OutMemory::new`].
    pub unsafe fn zero(start: *mut u8, capacity: usize) {
        // SAFETY: the caller's promise.
        unsafe { OutMemory::new(start, capacity) }.zero_rest();
    }

    /// Zeros what is not initialized, up to `end`.
    fn initialize(&mut self, end: usize) {
        let Some(count) = end.checked_sub(self.initialized) else {
            return;
        };
        // SAFETY: annotation `callback`: C's memory has room for `capacity` bytes; guarantee 25: `end` is not more.
        unsafe { ptr::write_bytes(self.start.add(self.initialized), 0, count) };
        self.initialized = end;
    }
}

/// Returns the number of bytes to zero after a callback failed: none where `length` fails, which was told already.
#[doc(hidden)]
#[cold]
pub fn zeros(length: impl FnOnce() -> Result<usize>) -> usize {
    let caught = Caught::new();
    let length = caught.run(length);
    length.and_then(Result::ok).unwrap_or_default()
}

/// The length that C passed, in whatever number. No memory has more bytes than `isize` can say.
///
/// # Errors
///
/// [`Error::Value`] for a negative number, or for more bytes than that.
#[doc(hidden)]
pub fn length(length: impl Count, name: &'static str) -> Result<usize> {
    let length = length.try_count();
    let length = length.filter(|length| isize::try_from(*length).is_ok());
    length.ok_or_else(|| {
        Error::Value(format!(
            "the length of {name} that C passed to a callback is negative, or more than any memory has"
        ))
    })
}

/// A pointer to memory that C asks a callback to fill.
///
/// # Safety
///
/// `start` gives the pointer that C has there.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an `OutBuffer` is not memory at a `{Self}`",
    label = "C passes `{Self}`",
    note = "C asks for bytes by a `void *`, a `char *` or an `unsigned char *`, none of them `const`"
)]
pub unsafe trait OutStart {
    /// Returns the pointer to the first byte.
    fn start(self) -> *mut u8;
}

macro_rules! out_start {
    ($($type:ty)+) => {$(
        // SAFETY: Rust: it is the pointer itself.
        unsafe impl OutStart for *mut $type {
            #[inline]
            fn start(self) -> *mut u8 {
                self.cast()
            }
        }
    )+};
}

out_start! { c_void i8 u8 }

/// The type of the value by which C learns how many bytes a callback wrote; `()` if C does not learn it.
///
/// # Safety
///
/// If `IS_NUMBER`, `of` gives the number that it gets.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C's `{Self}` is not a number of bytes",
    label = "C gets a `{Self}`",
    note = "a method with an `OutBuffer` that returns nothing tells C how many bytes it wrote: return the value that C \
            gets in place of that"
)]
pub unsafe trait WrittenCount: Sized {
    /// False if C does not learn the number.
    const IS_NUMBER: bool = true;
    /// Returns the number for C; `None` if the type has no such number.
    fn of(written: usize) -> Option<Self>;
}

macro_rules! written_count {
    ($($type:ty)+) => {$(
        // SAFETY: Rust: it is the same number.
        unsafe impl WrittenCount for $type {
            #[inline]
            fn of(written: usize) -> Option<Self> {
                Self::try_from(written).ok()
            }
        }
    )+};
}

written_count! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

// SAFETY: Rust: it is no number.
unsafe impl WrittenCount for () {
    const IS_NUMBER: bool = false;

    fn of(_: usize) -> Option<Self> {
        Some(())
    }
}
