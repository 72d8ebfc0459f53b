//! The receiver is passed where C takes a pointer to its own C type.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::other_size)]
    fn size(&self) -> i32;
}

fn main() {}
