//! `args` takes a list in parentheses.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::add, args = number)]
    fn add(&self, number: i32) -> i32;
}

fn main() {}
