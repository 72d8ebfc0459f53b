//! The function in `len` returns an integer.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::data, len = ffi::size_f64)]
    fn data(&self) -> Option<Bytes>;
}

fn main() {}
