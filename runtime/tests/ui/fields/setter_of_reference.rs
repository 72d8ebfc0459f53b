//! A setter does not store a reference in the C struct.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(name)]
    fn set_name(&mut self, name: &CStr);
}

fn main() {}
