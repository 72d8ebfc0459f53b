//! `.ptr` and `.len` in `args` require bytes or text.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::write, args = (self, bytes.ptr, bytes.len), fails = negative)]
    fn write(&self, bytes: i32) -> Result<i32>;
}

fn main() {}
