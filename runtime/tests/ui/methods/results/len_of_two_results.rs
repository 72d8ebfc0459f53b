//! `len = …` is the length of one result.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_dump, args = (self, out, out), len = ffi::thing_size)]
    fn dump(&self) -> (Bytes, usize);
}

fn main() {}
