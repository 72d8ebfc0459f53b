//! `len` is computed of integers, in safe code.

use leakproof::prelude::*;

#[path = "../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(items, len = |_| 1.5)]
    fn items(&self) -> Vec<i32>;

    #[field(items, len = |it| it.read().count)]
    fn others(&self) -> Vec<i32>;
}

fn main() {}
