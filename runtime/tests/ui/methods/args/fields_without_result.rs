//! Bytes in `fields` whose length may not fit C's integer require a `Result`.

use leakproof::prelude::*;

#[path = "../../ffi/buffer.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::work, args = (self), fields(data = data.ptr, count = data.len))]
    fn work(&mut self, data: &[u8]) -> i32;
}

fn main() {}
