//! The closure of `len` gets the arguments of C without `out`.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_dump, args = (self, out, &mut 0), len = |it, _, _| ffi::thing_size(it), borrowed)]
    fn dump(&self) -> Option<Bytes>;
}

fn main() {}
