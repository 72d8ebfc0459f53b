//! An enum is returned from C's integer type.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[int_enum(i32)]
pub enum Color {
    RED = ffi::RED,
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_data)]
    fn color(&self) -> Color;
}

fn main() {}
