//! `#[function]` excludes `#[calls]`.

use leakproof::prelude::*;

#[path = "../ffi/thing.rs"]
mod ffi;

#[function]
#[calls(ffi::count)]
fn size() -> i32;

fn main() {}
