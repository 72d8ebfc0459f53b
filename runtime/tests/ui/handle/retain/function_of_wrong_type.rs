//! The retain function takes a pointer to the handle's C type.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, retain = ffi::thing_new, independent, release = ffi::thing_free)]
struct Thing;


fn main() {}
