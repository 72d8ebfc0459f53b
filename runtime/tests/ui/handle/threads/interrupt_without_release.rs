//! `interrupt` of a handle requires `release`.

use std::ffi::c_int;

use leakproof::prelude::*;

#[handle(raw = c_int, callback_only, interrupt = wake)]
pub struct File;

fn wake(_: &File) {}

fn main() {}
