//! The release function takes a pointer to the handle's C type.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::other_free)]
pub struct Other;

fn main() {}
