//! `utf8` decodes a `String`.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[record(ffi::Point)]
pub struct Point {
    #[field(x, utf8 = lossy)]
    pub x: i32,
}

fn main() {}
