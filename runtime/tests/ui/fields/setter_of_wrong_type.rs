//! The value of a setter has the type of the field.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size)]
    fn set_size(&mut self, size: i64);
}

fn main() {}
