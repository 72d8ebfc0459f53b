//! Memory that C fills has a size at first.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::write, args = (self, buffer.ptr, buffer.len), len = |n| n, fails = negative)]
    fn read(&self) -> Result<Bytes>;
}

fn main() {}
