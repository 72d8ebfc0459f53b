//! Integer handles cannot be reference counted.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(integer = c_int, release = ffi::close, retain = ffi::close, independent)]
pub struct File;

fn main() {}
