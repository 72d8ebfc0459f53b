//! An array can end with NULL or 0 only.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(items, until = 7)]
    fn items(&self) -> Vec<i32>;
}

fn main() {}
