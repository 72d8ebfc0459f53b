//! The errors of the handle take the details, and they have the type that C writes.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod things;

mod ffi {
    pub use super::things::*;
    use std::ffi::{c_char, c_int};

    pub unsafe extern "C" fn load(_: *mut Thing, _: *mut c_int) -> c_int {
        0
    }
    pub unsafe extern "C" fn text(_: *mut Thing, _: *mut *mut c_char) -> c_int {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors = Errors)]
pub struct Thing;

#[derive(Default)]
pub struct Errors;

impl ErrorSource<Thing> for Errors {
    fn into_error(self, call: &CallInfo<'_, Thing>) -> Error {
        Error::Failed(call.function)
    }
}

impl FailureDetails<u8> for Errors {
    fn details(&mut self, _: u8) {}
}

impl FailureDetails<String> for Errors {
    fn details(&mut self, _: String) {}
}

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::load, args = (self, details), details = i32, fails = nonzero)]
    fn not_taken(&self) -> Result<()>;

    #[calls(ffi::load, args = (self, details), details = u8, fails = nonzero)]
    fn another_type(&self) -> Result<()>;

    #[calls(ffi::text, args = (self, details), details = String, fails = nonzero)]
    fn not_freed(&self) -> Result<()>;
}

fn main() {}
