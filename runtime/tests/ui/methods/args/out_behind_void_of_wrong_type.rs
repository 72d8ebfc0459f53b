//! A result is made of the C type that `out` has.

use std::ffi::{c_char, c_int};

use leakproof::prelude::*;

#[path = "../../ffi/options.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_info, args = (self, 1, out as *mut c_int), fails = nonzero)]
    fn info(&self) -> Result<CString>;

    #[calls(ffi::thing_info, args = (self, 1, out as *mut *mut c_char), fails = nonzero)]
    fn text(&self) -> Result<Option<CString>>;

    #[calls(ffi::thing_info, args = (self, 1, out), fails = nonzero)]
    fn untyped(&self) -> Result<i32>;
}

fn main() {}
