//! `when` takes a tag and its values.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size, when = tag)]
    fn size(&self) -> Option<i32>;
}

fn main() {}
