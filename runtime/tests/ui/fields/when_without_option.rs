//! `when` requires an `Option`.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size, when(tag, 1))]
    fn size(&self) -> i32;
}

fn main() {}
