//! Bytes are passed as pointer and length.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::write_all, fails = negative)]
    fn write(&self, bytes: &[u8]) -> Result<i32>;
}

fn main() {}
