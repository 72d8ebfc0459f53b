//! The elements of a `Vec` have a type that the field's elements convert to.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(items, len = count, utf8 = lossy)]
    fn items(&self) -> Vec<String>;
}

fn main() {}
