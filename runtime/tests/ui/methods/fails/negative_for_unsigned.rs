//! `fails = negative` requires a signed integer.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size_u32, fails = negative)]
    fn size(&self) -> Result<u32>;
}

fn main() {}
