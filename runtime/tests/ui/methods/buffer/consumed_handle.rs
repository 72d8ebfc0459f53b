//! C may be called again, so it cannot keep an argument.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(
        ffi::write, args = (other, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative,
        consumes = always
    )]
    fn read(&self, other: Owned<Thing>) -> Result<Bytes>;
}

fn main() {}
