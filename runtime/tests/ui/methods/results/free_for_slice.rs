//! `free` excludes a result that is a slice of C's memory.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_data, len = ffi::thing_size, free = ffi::free)]
    fn data(&self) -> Option<&[u8]>;
}

fn main() {}
