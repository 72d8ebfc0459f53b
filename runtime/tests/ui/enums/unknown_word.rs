//! `#[int_enum]` accepts only the listed words.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[int_enum(i32, base = IntFlag)]
pub enum Color {
    RED = ffi::RED,
}

fn main() {}
