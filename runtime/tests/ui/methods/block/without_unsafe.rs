//! A block with generated methods is written `#[methods(unsafe)]`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(rust_only)]
impl Thing {
    #[calls(ffi::size)]
    fn size(&self) -> i32;
}

fn main() {}
