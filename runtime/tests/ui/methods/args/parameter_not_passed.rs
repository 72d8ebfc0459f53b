//! Every parameter of a generated method is passed to C.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size, args = (self))]
    fn size(&self, number: i32) -> i32;
}

fn main() {}
