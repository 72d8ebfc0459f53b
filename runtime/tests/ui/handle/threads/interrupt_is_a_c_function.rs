//! `interrupt` of a handle names a Rust function that takes the handle.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(integer = c_int, release = ffi::close, interrupt = ffi::close)]
pub struct File;

fn main() {}
