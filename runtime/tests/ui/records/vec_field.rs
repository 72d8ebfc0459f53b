//! A field of a record is a plain value.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[record(ffi::Point)]
pub struct Point {
    pub x: Vec<u8>,
}

fn main() {}
