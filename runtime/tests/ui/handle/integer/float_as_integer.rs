//! `integer` names an integer type.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(integer = f64, invalid = 0.0, release = ffi::close)]
pub struct File;

fn main() {}
