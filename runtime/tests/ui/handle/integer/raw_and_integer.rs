//! `raw` and `integer` exclude each other.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(raw = c_int, integer = c_int, release = ffi::close)]
pub struct File;

fn main() {}
