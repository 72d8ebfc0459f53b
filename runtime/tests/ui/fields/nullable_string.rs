//! A `String` field that can be NULL requires an `Option`.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(name, utf8 = lossy)]
    fn name(&self) -> String;
}

fn main() {}
