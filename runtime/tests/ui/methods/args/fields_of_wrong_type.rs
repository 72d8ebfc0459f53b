//! The values in `fields` have the types of the C fields.

use leakproof::prelude::*;

#[path = "../../ffi/buffer.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::work, args = (self), fields(count = data.ptr, data = data.len), fails = nonzero)]
    fn work(&mut self, data: &[u8]) -> Result<()>;
}

fn main() {}
