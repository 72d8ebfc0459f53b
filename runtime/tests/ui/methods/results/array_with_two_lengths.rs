//! The length of an array has one source.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_names, until = null, len = ffi::thing_size, utf8 = lossy)]
    fn names(&self) -> Vec<String>;
}

fn main() {}
