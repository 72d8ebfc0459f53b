//! `raw` and `caller_allocates` exclude each other.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, caller_allocates = ffi::Thing, release = ffi::thing_free)]
struct Thing;


fn main() {}
