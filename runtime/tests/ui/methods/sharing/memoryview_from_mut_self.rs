//! A memoryview is returned by a method with `&self`.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::thing_data, len = ffi::thing_size)]
    fn data(&mut self) -> Option<&[u8]>;
}

fn main() {}
