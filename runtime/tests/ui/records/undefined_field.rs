//! A field of a record exists in C's struct.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[record(ffi::Point)]
pub struct Point {
    pub x: i32,
    pub z: i32,
}

fn main() {}
