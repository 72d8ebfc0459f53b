//! Memory that a method gives C to fill.

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

    /// Wants more memory each time.
    #[calls(
        ffi::quote_grow, args = (self, buffer.ptr, &mut buffer.len), buffer = 1, fails = nonzero,
        too_small = nonzero
    )]
    fn grow(&self) -> Result<Bytes>;
}
