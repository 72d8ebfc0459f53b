//! A parent is a handle type.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, parent = String)]
pub struct Other;

fn main() {}
