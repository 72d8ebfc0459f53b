//! `too_small` is about the buffer.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::size, fails = negative, too_small = negative)]
    fn size(&self) -> Result<i32>;
}

fn main() {}
