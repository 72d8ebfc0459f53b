//! A setter takes one value.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size)]
    fn set_size(&mut self, size: i32, more: i32);
}

fn main() {}
