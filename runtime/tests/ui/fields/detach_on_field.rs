//! The read of a field needs no `#[detach]`.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[detach]
    #[field(size)]
    fn size(&self) -> i32;
}

fn main() {}
