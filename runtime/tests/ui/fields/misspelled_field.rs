//! `#[field]` names a field that exists.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(sise)]
    fn size(&self) -> i32;
}

fn main() {}
