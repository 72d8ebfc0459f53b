//! A `Vec` is read from a pointer field.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(count, len = count)]
    fn items(&self) -> Vec<i32>;
}

fn main() {}
