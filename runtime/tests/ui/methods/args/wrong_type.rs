//! A parameter has a type that can be passed as C's type.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::add)]
    fn add(&self, number: &CStr) -> i32;
}

fn main() {}
