//! C's memory and the caller's memory exclude each other.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(
        ffi::write, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, free = ffi::text_free,
        fails = negative
    )]
    fn read(&self) -> Result<Bytes>;
}

fn main() {}
