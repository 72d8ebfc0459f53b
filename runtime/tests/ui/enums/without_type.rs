//! `#[int_enum]` names C's integer type.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[int_enum]
pub enum Color {
    RED = ffi::RED,
}

fn main() {}
