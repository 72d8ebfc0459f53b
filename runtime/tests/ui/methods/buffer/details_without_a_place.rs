//! C explains a failure by the length only if it writes the length.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::write, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative, details = usize)]
    fn read(&self) -> Result<Bytes>;
}

fn main() {}
