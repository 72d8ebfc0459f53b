//! Bytes whose length may not fit C's integer require a `Result`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::write, args = (self, bytes.ptr, bytes.len))]
    fn write(&self, bytes: &[u8]) -> i32;
}

fn main() {}
