//! The values in `when` have the type of the tag.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size, when(tag, "one"))]
    fn size(&self) -> Option<i32>;
}

fn main() {}
