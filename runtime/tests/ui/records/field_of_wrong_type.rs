//! A field of a record has the type of C's field.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[record(ffi::Point)]
pub struct Point {
    pub x: i64,
}

fn main() {}
