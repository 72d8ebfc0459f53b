//! A handle that lives in another one does not leave the call as details of its failure.

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
pub struct Errors {
    kept: Option<Owned<'static, Part>>,
}

impl ErrorSource<Thing> for Errors {
    fn into_error(self, call: &CallInfo<'_, Thing>) -> Error {
        std::mem::forget(self.kept);
        Error::Failed(call.function)
    }
}

impl FailureDetails<Owned<'static, Part>> for Errors {
    fn details(&mut self, part: Owned<'static, Part>) {
        self.kept = Some(part);
    }
}

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::load, args = (self, details), details = Owned<'_, Part>, fails = nonzero)]
    fn load(&self) -> Result<()>;
}

fn main() {}
