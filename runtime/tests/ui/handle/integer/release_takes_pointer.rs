//! The release function of an integer handle takes the integer.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(integer = c_int, release = ffi::free)]
pub struct File;

fn main() {}
