//! A constant in `args` has the C parameter's type.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::add, args = (self, "one"))]
    fn add(&self) -> i32;
}

fn main() {}
