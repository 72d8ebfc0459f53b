//! Memory in `out` of a fallible call requires `on_failure`.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_dump, args = (self, out, len), fails = nonzero, free = ffi::free)]
    fn dump(&self) -> Result<Bytes>;
}

fn main() {}
