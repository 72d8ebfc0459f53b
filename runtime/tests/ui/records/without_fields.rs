//! A record has named fields.

use leakproof::prelude::*;

#[path = "../ffi/library.rs"]
mod ffi;

#[record(ffi::Point)]
pub struct Point;

fn main() {}
