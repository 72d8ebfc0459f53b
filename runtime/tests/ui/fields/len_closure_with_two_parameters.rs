//! The closure of `len` gets a pointer to the C struct.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(items, len = |it, count| (*it).count + count)]
    fn items(&self) -> Vec<i32>;
}

fn main() {}
