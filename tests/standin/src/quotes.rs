//! Memory that a method gives C to fill.

use std::ffi::c_int;

use leakproof::Handle;
use leakproof::prelude::*;

use crate::ffi;

/// A quote.
#[handle(raw = ffi::quote, release = ffi::quote_free)]
pub struct Quote;

#[methods(unsafe)]
impl Quote {
    /// Makes a quote.
    #[new]
    #[calls(ffi::quote_new, fails = null)]
    fn new(text: &CStr) -> Result<Owned<Quote>>;

    /// Returns the bytes, of which C writes the number.
    #[calls(
        ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = 4, fails = nonzero,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL)
    )]
    fn get(&self) -> Result<Bytes>;

    /// Returns the text, of which C returns the length.
    #[calls(
        ffi::quote_print, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative, utf8 = lossy,
        detach
    )]
    fn print(&self) -> Result<String>;

    /// Returns the text, or `None`.
    #[calls(
        ffi::quote_print, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, none = when(|ret| ret == -1)
    )]
    fn print_or_none(&self) -> Result<Option<String>>;

    /// Returns the text, which ends with NUL.
    #[calls(
        ffi::quote_explain, args = (self, buffer.ptr, buffer.len), buffer = 4, until = null, fails = nonzero,
        too_small = when(|ret| ret == 34)
    )]
    fn explain(&self) -> Result<CString>;

    /// Returns the bytes, of which C returns the number; it does not fail because the memory is too small.
    #[calls(
        ffi::quote_copy, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = when(|n| n == usize::MAX)
    )]
    fn copy(&self) -> Result<Bytes>;

    /// Returns the number of bytes, whether they are cut, the bytes, and the first of them.
    #[calls(
        ffi::quote_peek, args = (self, out, buffer.ptr, buffer.len, out), buffer = 4, len = |n| n, fails = negative
    )]
    fn peek(&self) -> Result<(isize, bool, Bytes, u8)>;

    /// Wants more memory each time.
    #[calls(
        ffi::quote_grow, args = (self, buffer.ptr, &mut buffer.len), buffer = 1, fails = nonzero,
        too_small = nonzero
    )]
    fn grow(&self) -> Result<Bytes>;
}

/// A quote whose failures are explained.
#[handle(raw = ffi::quote, release = ffi::quote_free, errors = MottoErrors)]
pub struct Motto;

#[methods(unsafe)]
impl Motto {
    /// Makes a motto.
    #[new]
    #[calls(ffi::quote_new, fails = null)]
    fn new(text: &CStr) -> Result<Owned<Motto>>;

    /// Returns the number of replacements, and the text.
    #[calls(
        ffi::quote_replace, args = (self, c_int::from(before), after, buffer.ptr, &mut buffer.len), buffer = 4,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL), fails = negative, details = usize, detach
    )]
    fn replace(&self, before: u8, after: &CStr) -> Result<(c_int, String)>;

    /// Returns the text, or explains by a number why there is none.
    #[calls(
        ffi::quote_check, args = (self, buffer.ptr, &mut buffer.len, details), buffer = 4,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL), fails = negative, details = c_int
    )]
    fn check(&self) -> Result<CString>;
}

/// A call of a motto failed.
#[exception]
pub(crate) struct MottoError {
    /// What was wrong.
    pub message: String,
    /// The position of the mistake.
    pub position: Option<usize>,
    /// The reason.
    pub code: Option<c_int>,
}

/// What C wrote about a failure.
#[derive(Debug, Default)]
pub struct MottoErrors {
    position: Option<usize>,
    code: Option<c_int>,
}

impl FailureDetails<usize> for MottoErrors {
    fn details(&mut self, position: usize) {
        self.position = (position != usize::MAX).then_some(position);
    }
}

impl FailureDetails<c_int> for MottoErrors {
    fn details(&mut self, code: c_int) {
        self.code = Some(code);
    }
}

impl<T: Handle> ErrorSource<T> for MottoErrors {
    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        let MottoErrors { position, code } = self;
        let message = format!("{} failed", call.function);
        MottoError {
            message,
            position,
            code,
        }
        .into()
    }
}
