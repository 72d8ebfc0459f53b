//! `fields` requires `&mut self`.

use leakproof::prelude::*;

#[path = "../../ffi/buffer.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::work, args = (self), fields(data = data.ptr, count = data.len), fails = nonzero)]
    fn work(&self, data: &[u8]) -> Result<()>;
}

fn main() {}
