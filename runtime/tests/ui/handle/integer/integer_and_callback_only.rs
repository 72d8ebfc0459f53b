//! An integer handle is no object that C lends to a callback.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(integer = c_int, callback_only)]
pub struct File;

fn main() {}
