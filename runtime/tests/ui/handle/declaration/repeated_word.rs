//! A word of `#[handle]` is given once.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, raw = ffi::Thing)]
pub struct Other;

fn main() {}
