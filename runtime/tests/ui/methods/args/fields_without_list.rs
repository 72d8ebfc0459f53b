//! `fields` takes a list of assignments.

use leakproof::prelude::*;

#[path = "../../ffi/buffer.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::work, args = (self), fields = data)]
    fn work(&mut self) -> i32;
}

fn main() {}
