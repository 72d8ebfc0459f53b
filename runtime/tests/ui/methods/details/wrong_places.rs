//! `details` has a type and a place in `args`, and the method can fail.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod things;

mod ffi {
    pub use super::things::*;
    use std::ffi::{c_char, c_int};

    pub unsafe extern "C" fn load(_: *mut Thing, _: *mut c_int) -> c_int {
        0
    }
    pub unsafe extern "C" fn text(_: *mut Thing, _: *mut *mut c_char, _: *mut c_int) -> c_int {
        0
    }
    pub unsafe extern "C" fn text_free(_: *mut c_char) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::load, args = (self, details), fails = nonzero)]
    fn no_type(&self) -> Result<()>;

    #[calls(ffi::load, args = (self, null), details = i32, fails = nonzero)]
    fn no_place(&self) -> Result<()>;

    #[calls(ffi::load, args = (self, details), details = i32)]
    fn no_failure(&self);

    #[calls(ffi::text, args = (self, details, details), details = (i32, i32, i32), fails = nonzero)]
    fn another_count(&self) -> Result<()>;

    #[calls(ffi::text, args = (self, details, details), details((String, i32), free = ffi::text_free), fails = nonzero)]
    fn freed_tuple(&self) -> Result<()>;

    #[calls(ffi::load, args = (self, details), details(String, release = ffi::text_free), fails = nonzero)]
    fn another_word(&self) -> Result<()>;

    #[calls(ffi::load, args = (self, details), details, fails = nonzero)]
    fn no_value(&self) -> Result<()>;

    #[calls(ffi::load, args = (self, details), details = Borrowed<Thing>, fails = nonzero)]
    fn borrowed(&self) -> Result<()>;
}

fn main() {}
