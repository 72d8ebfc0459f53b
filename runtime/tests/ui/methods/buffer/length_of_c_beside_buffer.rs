//! The size of the memory is `buffer.len`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::receive, args = (self, len, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn read(&self) -> Result<Bytes>;
}

fn main() {}
