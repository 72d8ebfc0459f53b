//! A caller-allocated handle is not consumed: it does not move.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(caller_allocates = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_add)]
    fn add(&mut self, part: Owned<Part>);
}

fn main() {}
