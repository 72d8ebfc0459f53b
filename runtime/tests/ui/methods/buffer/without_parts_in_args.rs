//! C gets the memory and its size.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::write, args = (self, buffer.ptr, 4), buffer = 4, len = |n| n, fails = negative)]
    fn read(&self) -> Result<Bytes>;

    #[calls(ffi::size, buffer = 4, len = |n| n, fails = negative)]
    fn size(&self) -> Result<Bytes>;
}

fn main() {}
