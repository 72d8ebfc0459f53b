//! An argument behind `...` has a type that C promotes no further, and the parameter converts to it.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/options.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_set, args = (self, 1, ..., ratio as f32), fails = nonzero)]
    fn ratio(&self, ratio: f64) -> Result<()>;

    #[calls(ffi::thing_set, args = (self, 1, ..., name as *const c_int), fails = nonzero)]
    fn name(&self, name: &CStr) -> Result<()>;
}

fn main() {}
