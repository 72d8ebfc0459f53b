//! The array in a field has a length, or an end.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(items, len = count, until = null)]
    fn items(&self) -> Vec<i32>;
}

fn main() {}
