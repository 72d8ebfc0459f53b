//! `fails = null` of a release requires a function that returns a pointer.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release(ffi::thing_free, fails = null))]
struct Thing;


fn main() {}
