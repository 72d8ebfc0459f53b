//! A parameter of a generated method has a name.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::add)]
    fn add(&self, (a, b): (i32, i32)) -> i32;
}

fn main() {}
