//! A pointer type in `args` stands for another pointer.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/options.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_level, args = (self, &level as *const c_int), fails = nonzero)]
    fn set(&self, level: i32) -> Result<()>;
}

fn main() {}
