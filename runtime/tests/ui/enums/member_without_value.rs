//! A member of `#[int_enum]` has one of C's constants as its value.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[int_enum(i32)]
pub enum Color {
    RED = ffi::RED,
    GREEN,
    BLUE(i32),
}

fn main() {}
