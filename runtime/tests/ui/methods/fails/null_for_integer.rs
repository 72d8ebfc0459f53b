//! `fails = null` requires a pointer.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size, fails = null)]
    fn size(&self) -> Result<i32>;
}

fn main() {}
