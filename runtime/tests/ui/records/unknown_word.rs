//! `#[record]` accepts only the listed words.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[record(ffi::Point, frozen)]
pub struct Point {
    pub x: i32,
}

fn main() {}
