//! `until` of a field requires a `Vec`.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(name, until = null)]
    fn name(&self) -> Option<CString>;
}

fn main() {}
