//! A handle in a field is returned as `Borrowed`.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(next)]
    fn next(&self) -> Option<Owned<Box>>;
}

fn main() {}
