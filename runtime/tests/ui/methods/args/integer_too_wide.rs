//! An integer parameter is not wider than C's integer.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::add)]
    fn add(&self, number: i64) -> i32;
}

fn main() {}
