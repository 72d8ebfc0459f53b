//! `retain` and `caller_allocates` exclude each other.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(caller_allocates = ffi::Thing, retain = ffi::thing_ref, independent, release = ffi::thing_free)]
struct Thing;


fn main() {}
