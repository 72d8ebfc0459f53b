//! A `String` is not read from an integer field.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size, utf8 = lossy)]
    fn size(&self) -> String;
}

fn main() {}
