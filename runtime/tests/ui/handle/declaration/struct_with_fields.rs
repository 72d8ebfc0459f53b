//! A handle struct has no fields: C owns the data.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Other {
    pointer: *mut ffi::Thing,
}

fn main() {}
