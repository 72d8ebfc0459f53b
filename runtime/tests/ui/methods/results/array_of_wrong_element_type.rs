//! The elements of a `Vec` have a type that C's elements convert to.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_numbers, len = ffi::thing_size, utf8 = lossy)]
    fn numbers(&self) -> Vec<String>;
}

fn main() {}
