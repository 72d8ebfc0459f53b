//! `invalid` requires `integer`.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(raw = c_int, release = ffi::free, invalid = 0)]
pub struct File;

fn main() {}
