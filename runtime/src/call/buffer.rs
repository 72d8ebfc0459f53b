//! Memory that a method gives C to fill: `buffer = N`.
//!
//! C gets the memory and its size, and says how much it has filled. Where C says that the memory is too small, it is
//! called again with more.

use std::cell::Cell;
use std::mem;

use crate::convert::memory::Count;
use crate::error::{Error, Result};
use crate::failpoint::{CallSite, FailPoint};
use crate::uses::AuthorCode;

/// The number of calls after which C does not get more memory: it has millions of times as much as at first.
const AT_MOST: u32 = 24;

/// The memory, while C is not called.
#[doc(hidden)]
pub struct Buffer {
    site: &'static CallSite,
    memory: Cell<Vec<u8>>,
    /// The number of bytes that C has filled, as C says: after a failure perhaps any number.
    filled: Cell<usize>,
    calls: Cell<u32>,
    /// The memory could not grow.
    error: Cell<Option<Error>>,
    /// C has filled more than there is.
    excess: Cell<Option<Error>>,
    /// The answer of `none` to what C returned last.
    nothing: Cell<Option<bool>>,
    /// The answer of `fails` to what C returned last.
    failed: Cell<Option<bool>>,
}

impl Buffer {
    /// Allocates `capacity` bytes.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub fn new(site: &'static CallSite, capacity: usize) -> Result<Self> {
        let buffer = Buffer {
            site,
            memory: Cell::default(),
            filled: Cell::new(0),
            calls: Cell::new(0),
            error: Cell::new(None),
            excess: Cell::new(None),
            nothing: Cell::new(None),
            failed: Cell::new(None),
        };
        let mut memory = Vec::new();
        // A size of zero would have no room for the NUL of a text.
        buffer.resize(&mut memory, capacity.max(1))?;
        buffer.memory.set(memory);
        Ok(buffer)
    }

    fn resize(&self, memory: &mut Vec<u8>, capacity: usize) -> Result<()> {
        let no_memory = || Error::OutOfMemory(self.site.function);
        let more = capacity.saturating_sub(memory.len());
        if self.site.should_fail(FailPoint::Object) {
            return Err(no_memory());
        }
        memory.try_reserve_exact(more).map_err(|_| no_memory())?;
        memory.resize(capacity, 0);
        Ok(())
    }

    /// Takes the memory for one call of C.
    #[inline]
    pub fn attempt(&self) -> Attempt<'_> {
        let memory = self.memory.take();
        self.calls.set(self.calls.get() + 1);
        self.nothing.set(None);
        self.failed.set(None);
        Attempt {
            capacity: memory.len(),
            memory,
            buffer: self,
        }
    }

    /// Returns whether `none` says that there is no result. It is asked once about each value that C returns.
    #[inline]
    pub fn is_nothing<C: Copy, F: FnOnce(C) -> bool>(
        &self,
        returned: C,
        none: impl FnOnce() -> F,
    ) -> bool {
        ask_once(&self.nothing, returned, none)
    }

    /// Returns whether `fails` says that C failed. It is asked once about each value that C returns.
    #[inline]
    pub fn has_failed<C: Copy, F: FnOnce(C) -> bool>(
        &self,
        returned: C,
        fails: impl FnOnce() -> F,
    ) -> bool {
        ask_once(&self.failed, returned, fails)
    }

    /// Returns the start of the memory that C has filled.
    #[inline]
    pub fn start(&self) -> *const u8 {
        let memory = self.memory.take();
        let start = memory.as_ptr();
        self.memory.set(memory);
        start
    }

    /// Returns the number of bytes that C has filled, as C says. [`Buffer::limit`] checks it.
    #[inline]
    pub fn filled(&self) -> usize {
        self.filled.get()
    }

    /// Returns `length`, or 0 for more bytes than there are, which is an error of a call that did not fail.
    pub fn limit(&self, length: usize) -> usize {
        let memory = self.memory.take();
        let is_too_long = length > memory.len();
        self.memory.set(memory);
        if is_too_long {
            self.excess.set(Some(Error::Overflow(format!(
                "the result of {} is longer than the memory: {length} bytes",
                self.site.function
            ))));
            return 0;
        }
        length
    }

    /// Returns the result of the call.
    ///
    /// # Errors
    ///
    /// Of memory that could not grow: [`Error::OutOfMemory`], or [`Error::Overflow`] for a size that C cannot be told.
    /// Then the error of the call, and then [`Error::Overflow`] for more bytes than there are.
    pub fn check<R>(&self, result: Result<R>) -> Result<R> {
        let excess = self.excess.take();
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let result = result?;
        excess.map_or(Ok(result), Err)
    }
}

/// The memory during one call of C.
#[doc(hidden)]
pub struct Attempt<'b> {
    buffer: &'b Buffer,
    memory: Vec<u8>,
    /// The size that C was told.
    capacity: usize,
}

impl Attempt<'_> {
    /// Returns the start of the memory, to which C may write as many bytes as [`Attempt::capacity`] says.
    #[inline]
    pub fn start(&mut self) -> *const u8 {
        self.memory.as_mut_ptr()
    }

    /// Returns the size of the memory in C's type, or the largest value of that type.
    #[inline]
    pub fn capacity<L: Capacity>(&mut self) -> L {
        let capacity = L::at_most(self.capacity);
        self.capacity = self.capacity.min(capacity.count());
        capacity
    }

    /// Ends the call: C wrote the length. Returns whether C is called again. The author's `too_small` decides, if there
    /// is one: after another failure the length may be any number.
    ///
    /// In all three, `has_ended` says whether C failed or has no result. It is asked only where the length says that
    /// the memory was too small, which a call that has ended says by `too_small` alone.
    #[inline]
    pub fn is_repeated_after_writing(
        self,
        length: impl Count,
        says: Option<bool>,
        has_ended: impl FnOnce() -> bool,
    ) -> bool {
        let length = length.try_count();
        let is_longer = length.is_some_and(|length| length > self.capacity);
        let is_too_small = says.unwrap_or_else(|| is_longer && !has_ended());
        self.end(length, is_too_small)
    }

    /// Ends the call: C returned the length, which is less than the size if the memory was large enough. Returns
    /// whether C is called again.
    #[inline]
    pub fn is_repeated_after_returning(
        self,
        length: impl Count,
        says: bool,
        has_ended: impl FnOnce() -> bool,
    ) -> bool {
        let length = length.try_count();
        let is_cut = length.is_some_and(|length| length >= self.capacity);
        self.end(length, says || is_cut && !has_ended())
    }

    /// Ends the call: the text that C wrote ends with NUL. Returns whether C is called again.
    #[inline]
    pub fn is_repeated_after_text(self, says: bool, has_ended: impl FnOnce() -> bool) -> bool {
        let length = self.memory.iter().position(|byte| *byte == 0);
        let is_cut = length.is_none();
        self.end(length, says || is_cut && !has_ended())
    }

    fn end(mut self, length: Option<usize>, is_too_small: bool) -> bool {
        let is_repeated = is_too_small && self.grow(length.unwrap_or(0));
        if !is_repeated {
            let length = length.unwrap_or(0);
            // Memory that could not grow is an error already.
            self.buffer
                .filled
                .set(if is_too_small { 0 } else { length });
        }
        self.buffer.memory.set(mem::take(&mut self.memory));
        is_repeated
    }

    /// Makes room for `wanted` bytes and a NUL, or for twice as many as before.
    #[cold]
    fn grow(&mut self, wanted: usize) -> bool {
        let capacity = match wanted > self.capacity {
            true => wanted.saturating_add(1),
            false => self.capacity.saturating_mul(2),
        };
        let buffer = self.buffer;
        let is_told = self.capacity == self.memory.len() && buffer.calls.get() < AT_MOST;
        let grown = match is_told {
            true => buffer.resize(&mut self.memory, capacity),
            false => Err(Error::Overflow(format!(
                "{} needs more memory than it can be given",
                buffer.site.function
            ))),
        };
        grown.map_err(|error| buffer.error.set(Some(error))).is_ok()
    }
}

/// An integer of C that is the size of some memory.
#[diagnostic::on_unimplemented(
    message = "`buffer.len` is a number of bytes, and this is `{Self}`",
    label = "not an integer"
)]
pub trait Capacity: Count + Copy {
    /// Returns `capacity`, or the largest value.
    fn at_most(capacity: usize) -> Self;
}

macro_rules! capacity {
    ($($type:ty)+) => {$(
        impl Capacity for $type {
            #[inline]
            fn at_most(capacity: usize) -> Self {
                capacity.try_into().unwrap_or(<$type>::MAX)
            }
        }
    )+};
}

capacity! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

/// Returns what a test of the author's says about the value that C returned. `says` returns the test: a `return` in the
/// author's expression is one from `says`.
#[inline]
pub fn ask<C: Copy, F: FnOnce(C) -> bool>(returned: C, says: impl FnOnce() -> F) -> bool {
    let _code = AuthorCode::begin();
    says()(returned)
}

/// Returns the `answer` of a test of the author's, which is asked unless there is one.
#[inline]
fn ask_once<C: Copy, F: FnOnce(C) -> bool>(
    answer: &Cell<Option<bool>>,
    returned: C,
    says: impl FnOnce() -> F,
) -> bool {
    let said = answer.get().unwrap_or_else(|| ask(returned, says));
    answer.set(Some(said));
    said
}
