//! A handle that lives in another one does not leave the call as details, whatever lifetime the errors take.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod things;

mod ffi {
    pub use super::things::*;
    use std::ffi::c_int;

    pub struct Part(pub u8);
    pub unsafe extern "C" fn part_free(_: *mut Part) {}
    pub unsafe extern "C" fn load(_: *mut Thing, _: *mut *mut Part) -> c_int {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors = Errors)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free, parent = Thing)]
pub struct Part;

#[derive(Default)]
pub struct Errors;

impl ErrorSource<Thing> for Errors {
    fn into_error(self, call: &CallInfo<'_, Thing>) -> Error {
        Error::Failed(call.function)
    }
}

impl<'a> FailureDetails<Owned<'a, Part>> for Errors {
    fn details(&mut self, _: Owned<'a, Part>) {}
}

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::load, args = (self, details), details = Owned<'_, Part>, fails = nonzero)]
    fn load(&self) -> Result<()>;
}

fn main() {}
