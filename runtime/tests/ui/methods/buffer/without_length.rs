//! Something says how much C has filled.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::write, args = (self, buffer.ptr, buffer.len), buffer = 4, fails = negative)]
    fn read(&self) -> Result<Bytes>;
}

fn main() {}
